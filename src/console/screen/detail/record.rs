//! The record of one run, section by section.

use super::super::list::stuck_words;
use super::super::wrapped;
use super::{Spacing, Surface, state_words};
use crate::app::Clock;
use crate::app::history::Known;
use crate::glyphs::Glyphs;
use crate::lapse;
use crate::theme::Role;
use crate::widget::canvas::fit;
use crate::widget::{Line, bar};
use opsroom_model::{Bucket, Clean, catalogue};
use opsroom_read::stuck::Waits;
use opsroom_read::{Attempt, FailureLine, Item, ItemPage, RunDetail, Stuck};

/// What belongs to a line stands no further to the right than this: the eye does not cross a wide
/// screen with it.
const MEASURE: usize = 118;
/// Columns that the counts take beside their bar.
const NUMBERS: usize = 44;
/// Columns of an item's name, at least: below that its code may be cut.
const NAMES_LEAST: usize = 16;

pub(super) struct Sheet<'a> {
    pub run: &'a RunDetail,
    pub stuck: Option<Stuck>,
    pub clock: &'a Clock,
    pub glyphs: &'static Glyphs,
    pub width: usize,
    pub spacing: Spacing,
    pub surface: Surface,
    /// What the runs before say.
    pub known: Option<&'a Known>,
}

impl Sheet<'_> {
    /// All but the rows of the context, which follow under its heading.
    pub(super) fn lines(&self, attempts: &[Attempt], items: &ItemPage) -> Vec<Line> {
        let mut lines = Vec::new();
        self.title(&mut lines);
        self.timeline(&mut lines);
        self.links(&mut lines);
        self.stuck(&mut lines);
        self.counts(&mut lines);
        self.failures(&mut lines);
        self.history(self.known, &mut lines);
        self.items(items, &mut lines);
        self.attempts(attempts, &mut lines);
        self.gap(&mut lines);
        lines.push(self.section("identity"));
        lines.push(Line::of("  ", Role::Muted).and(&self.run.identity, Role::Muted));
        if self.run.context.is_some() {
            self.gap(&mut lines);
            lines.push(self.section("context"));
        }
        lines
    }

    /// What it is and how it stands: on one line where that fits, else on two.
    fn title(&self, lines: &mut Vec<Line>) {
        let run = self.run;
        let (label, role) = state_words(run.state);
        let name = Line::of(&run.run_type, Role::Strong)
            .and(format!("  #{}", run.id), Role::Accent)
            .and("  ", Role::Screen)
            .and(&run.tenant, Role::Screen)
            .and("  ", Role::Screen)
            .and(&run.initiator, Role::Muted);
        let mut state = Line::of(self.glyphs.of(run.state.bucket()), role)
            .and(" ", role)
            .and(label, role);
        if let (Some(from), Some(till)) = (run.started_at, run.completed_at) {
            state = state.and(format!(" after {}", lapse::words(till - from)), Role::Muted);
        }
        if name.width() + state.width() + 3 <= self.width {
            lines.push(self.apart(name, state));
        } else {
            lines.extend([name, state]);
        }
    }

    /// `right` at the right end of the line, as far as that goes. Both fit.
    fn apart(&self, left: Line, right: Line) -> Line {
        let till = self.width.min(MEASURE);
        let pad = till.saturating_sub(left.width() + right.width()).max(3);
        left.and(" ".repeat(pad), Role::Screen).joined(right)
    }

    pub(super) fn gap(&self, lines: &mut Vec<Line>) {
        if self.spacing == Spacing::Roomy {
            lines.push(Line::blank());
        }
    }

    /// On one line where that fits, else a line for each moment.
    fn timeline(&self, lines: &mut Vec<Line>) {
        let moments = self.moments();
        let arrow = format!("{0}{0}", self.glyphs.rule);
        let mut line = Line::blank();
        for (at, (name, stamp, after)) in moments.iter().enumerate() {
            if at > 0 {
                line = line.and(
                    format!(" {arrow}{after}{arrow}{} ", self.glyphs.arrow),
                    Role::Muted,
                );
            }
            line = line
                .and(*name, Role::Muted)
                .and(" ", Role::Muted)
                .and(stamp.clone(), Role::Screen);
        }
        let attempt = self.attempt_words();
        if line.width() + attempt.width() + 3 <= self.width {
            lines.push(self.apart(line, Line::of(attempt, Role::Muted)));
            return;
        }
        if line.width() <= self.width {
            lines.push(line);
        } else {
            for (name, stamp, after) in moments {
                let after = if after.is_empty() {
                    after
                } else {
                    format!("after {}", after.trim())
                };
                lines.push(
                    Line::of(format!("{name:<10}"), Role::Muted)
                        .and(stamp, Role::Screen)
                        .and(format!("  {after}"), Role::Muted),
                );
            }
        }
        if !attempt.is_empty() {
            lines.push(Line::of(attempt, Role::Muted));
        }
    }

    /// What it was, when, and how long after the moment before.
    fn moments(&self) -> Vec<(&'static str, String, String)> {
        let run = self.run;
        let mut moments = vec![("queued", self.clock.stamp(run.created_at), String::new())];
        if let Some(at) = run.started_at {
            let wait = format!(" {} ", lapse::words(at - run.created_at));
            moments.push(("started", self.clock.stamp(at), wait));
        }
        if let Some(at) = run.completed_at {
            let took = format!(
                " {} ",
                lapse::words(at - run.started_at.unwrap_or(run.created_at))
            );
            moments.push(("completed", self.clock.stamp(at), took));
        }
        moments
    }

    fn attempt_words(&self) -> Clean {
        let run = self.run;
        let mut words = Vec::new();
        if run.attempt > 0 {
            words.push(format!("attempt {} of {}", run.attempt, run.max_attempts));
        }
        match (&run.worker, run.waits, run.state.is_active()) {
            (Some(worker), ..) => words.push(format!("worker {worker}")),
            (None, Waits::ForConfirmation, true) => {
                words.push("waits for a confirmation".to_owned())
            }
            (None, Waits::Until(due), true) => words.push(format!("due {}", self.clock.stamp(due))),
            (None, Waits::Elsewhere, true) => {
                words.push("executed by another application".to_owned())
            }
            (None, Waits::ForWorker, true) => words.push("waits for a worker".to_owned()),
            (None, _, false) => {}
        }
        Clean::new(&words.join(" · "))
    }

    fn stuck(&self, lines: &mut Vec<Line>) {
        if let Some(stuck) = &self.stuck {
            lines.push(
                Line::of(self.glyphs.stuck, Role::Stuck)
                    .and(" stuck: ", Role::Stuck)
                    .and(stuck_words(stuck), Role::Stuck),
            );
        }
    }

    fn counts(&self, lines: &mut Vec<Line>) {
        let counts = &self.run.counts;
        let total = counts.total.unwrap_or_else(|| counts.done());
        // What failed before it had any says so by its failure.
        let none = total == 0 && self.run.state.bucket() == Bucket::Failed;
        if counts.is_empty() || none {
            return;
        }
        let noun = if total == 1 { "item" } else { "items" };
        let mut line = Line::of(format!("{} {noun}   ", lapse::grouped(total)), Role::Screen);
        // Where there is little room, the numbers are worth more than a bar.
        if counts.total.is_some_and(|total| total > 0) && self.width >= NUMBERS + 8 {
            let room = self
                .width
                .saturating_sub(line.width() + NUMBERS)
                .clamp(8, 40);
            let done = if self.run.state.is_active() {
                Role::Running
            } else {
                Role::Succeeded
            };
            line = bar(line, counts, room, done, self.glyphs);
        }
        for (n, sign, word, role) in [
            (counts.success, self.glyphs.succeeded, "", Role::Succeeded),
            (counts.skipped, "", " skipped", Role::Muted),
            (counts.failed, self.glyphs.failed, "", Role::Failed),
        ] {
            if let Some(n) = n.filter(|n| *n > 0) {
                let gap = if sign.is_empty() { "" } else { " " };
                line = line.and(format!("   {}{gap}{sign}{word}", lapse::grouped(n)), role);
            }
        }
        lines.push(line);
    }

    fn failures(&self, lines: &mut Vec<Line>) {
        if !self.run.failures.is_empty() {
            self.gap(lines);
        }
        for failure in &self.run.failures {
            let line = self.failure(failure);
            let spread = self.spread(self.known, failure.code.as_str());
            match spread {
                Some(spread) if line.width() + spread.chars().count() + 3 <= self.width => {
                    lines.push(self.apart(line, Line::of(spread, Role::Muted)));
                }
                Some(spread) => {
                    lines.extend([line, Line::of(format!("    {spread}"), Role::Screen)])
                }
                None => lines.push(line),
            }
            if let Some(entry) = catalogue::entry(failure.code.as_str()) {
                for text in [entry.meaning, entry.remedy] {
                    lines.extend(wrapped(text, self.width, "    ", Role::Muted));
                }
            }
        }
    }

    fn failure(&self, failure: &FailureLine) -> Line {
        Line::of(
            format!("{}{}", self.glyphs.failed, failure.count),
            Role::Failed,
        )
        .and("  ", Role::Screen)
        .and(&failure.code, Role::Failed)
        .and("  ", Role::Screen)
        .and(&failure.message, Role::Screen)
    }

    pub(super) fn section(&self, name: &'static str) -> Line {
        Line::of(name, Role::Accent)
    }

    fn items(&self, page: &ItemPage, lines: &mut Vec<Line>) {
        if page.items.is_empty() {
            return;
        }
        self.gap(lines);
        lines.push(self.section("items"));
        let names = self.item_names(page);
        for item in &page.items {
            let (sign, role) = match item.status.as_str() {
                "failed" => (self.glyphs.failed, Role::Failed),
                "skipped" => (self.glyphs.skipped, Role::Muted),
                _ => (self.glyphs.succeeded, Role::Succeeded),
            };
            let mut line = Line::of("  ", Role::Screen)
                .and(sign, role)
                .and(" ", Role::Screen);
            let name = item_name(item);
            if let Some(code) = &item.code {
                let name = fit(name.as_str(), names, self.glyphs).into_owned();
                let pad = names.saturating_sub(Clean::new(&name).width()) + 2;
                line = line
                    .and(name, Role::Screen)
                    .and(" ".repeat(pad), Role::Screen)
                    .and(code, Role::Failed);
            } else {
                line = line.and(name, Role::Screen);
            }
            if let Some(message) = &item.message {
                line = line.and("  ", Role::Screen).and(message, Role::Muted);
            }
            lines.push(line);
        }
        if page.next.is_some() {
            let shown = page.items.len();
            lines.push(Line::of(
                format!("  the first {shown} are shown"),
                Role::Muted,
            ));
        }
    }

    /// Columns of the names of items with a code, so that codes stand below each other and are whole.
    fn item_names(&self, page: &ItemPage) -> usize {
        let coded = page.items.iter().filter(|item| item.code.is_some());
        let widest = coded.clone().map(|item| item_name(item).width()).max();
        let codes = coded.filter_map(|item| item.code.as_ref());
        let codes = codes.map(Clean::width).max().unwrap_or(0);
        let room = match self.surface {
            Surface::Screen => self.width.saturating_sub(codes + 6).max(NAMES_LEAST),
            Surface::Paper => usize::MAX,
        };
        widest.unwrap_or(0).min(room)
    }

    fn attempts(&self, attempts: &[Attempt], lines: &mut Vec<Line>) {
        if attempts.is_empty() {
            return;
        }
        self.gap(lines);
        lines.push(self.section("attempts"));
        for attempt in attempts {
            let (from, till) = (attempt.started_at, attempt.ended_at);
            let took = from.zip(till).map(|(from, till)| lapse::words(till - from));
            let begun = from.map_or_else(|| "?".to_owned(), |from| self.clock.stamp(from));
            let mut line = Line::of(format!("  {}  ", attempt.attempt), Role::Muted)
                .and(begun, Role::Screen)
                .and("  ", Role::Screen)
                .and(&attempt.worker, Role::Screen)
                .and("  ", Role::Screen);
            line = match &attempt.ended {
                Some(ended) => {
                    let words = ended.as_str().replace('_', " ");
                    line.and(words, ended_role(ended.as_str()))
                }
                None => line.and("under way", Role::Running),
            };
            if let Some(took) = took {
                line = line.and(format!(" after {took}"), Role::Muted);
            }
            lines.push(line);
            for failure in &attempt.failures {
                let inner = self.failure(failure);
                lines.push(Line::of("     ", Role::Screen).joined(inner));
            }
        }
    }
}

fn item_name(item: &Item) -> &Clean {
    if item.label.is_empty() {
        &item.key
    } else {
        &item.label
    }
}

fn ended_role(ended: &str) -> Role {
    match ended {
        "succeeded" => Role::Succeeded,
        "partially_succeeded" | "retry" => Role::Partial,
        "failed" | "lost" => Role::Failed,
        _ => Role::Muted,
    }
}
