//! What the runs before one say of it, in a strip and in words.

use super::record::Sheet;
use crate::app::comparison::Pair;
use crate::app::history::{Failing, Known, before, failing, times, took, usual};
use crate::glyphs::role_of;
use crate::lapse;
use crate::screen::at_least;
use crate::theme::Role;
use crate::widget::Line;
use crate::widget::spark::spark;
use opsroom_model::Bucket;
use opsroom_read::PastRun;
use serde_json::Value;

/// Runs of a strip, at most, and at least where something stands beside it.
const STRIP: usize = 20;
const STRIP_LEAST: usize = 8;
/// Columns of a strip beside its two columns a run: its name and three gaps.
const STRIP_FIXED: usize = 13;
/// From so many times the usual on, it is worth a colour.
const LONG: f64 = 2.0;
/// What in a context names something else, and what that is called.
const LINKS: &[(&str, &str)] = &[
    ("retry_of", "retry of run"),
    ("restore_run_id", "restore run"),
    ("backup_set_id", "backup set"),
    ("schedule_id", "schedule"),
];

impl Sheet<'_> {
    /// The strips, and what follows from them.
    pub(super) fn history(&self, known: Option<&Known>, lines: &mut Vec<Line>) {
        let known = known.filter(|known| known.id == self.run.id);
        let Some(known) = known else {
            return;
        };
        let (same, kind) = (&known.history.same, &known.history.kind);
        let mut strips = Vec::new();
        for (name, runs) in [("same", same), ("alike", kind)] {
            // Where all of a type are of one identity, the second strip says nothing more.
            if runs.len() > 1 && !(name == "alike" && runs == same) {
                strips.push((name, runs));
            }
        }
        let words = self.words(known);
        if strips.is_empty() && words.is_empty() {
            return;
        }
        self.gap(lines);
        lines.push(self.section("before"));
        let of_habit = if usual(self.earlier(same)).is_some() {
            "same"
        } else {
            "alike"
        };
        let habit = strips.iter().find(|(name, _)| *name == of_habit);
        let habit = habit.map_or_else(Line::blank, |(_, runs)| self.habit(runs));
        // The strips give way to what is said of them; where they cannot, it stands below.
        let room = self.width.saturating_sub(STRIP_FIXED + habit.width()) / 2;
        let beside = room >= STRIP_LEAST;
        let room = match beside {
            true => room.min(STRIP),
            false => (self.width.saturating_sub(STRIP_FIXED) / 2).clamp(STRIP_LEAST, STRIP),
        };
        for (name, runs) in strips {
            let line = self.strip(name, runs, room);
            match name == of_habit && beside {
                true => lines.push(line.joined(habit.clone())),
                false => lines.push(line),
            }
        }
        if !beside && habit.width() > 0 {
            lines.push(Line::of("  ", Role::Screen).joined(habit));
        }
        for line in words {
            lines.push(Line::of("  ", Role::Screen).joined(line));
        }
    }

    fn earlier<'r>(&self, runs: &'r [PastRun]) -> impl Iterator<Item = &'r PastRun> {
        before(runs, self.run.id, self.run.created_at)
    }

    /// The oldest first, this run among them with weight: how each ended, and how long it took.
    fn strip(&self, name: &'static str, runs: &[PastRun], room: usize) -> Line {
        let at = runs.iter().position(|run| run.id == self.run.id);
        // This run stays in sight, however many came after it.
        let from = at.map_or(0, |at| (at + 1).saturating_sub(room));
        let shown: Vec<_> = runs.iter().skip(from).take(room).rev().collect();
        let mut line = Line::of(format!("  {name:<7}"), Role::Muted);
        for run in &shown {
            let bucket = run.state.bucket();
            let role = match (run.id == self.run.id, bucket) {
                (true, _) => Role::Strong,
                (false, Bucket::Succeeded) => Role::Muted,
                (false, bucket) => role_of(bucket),
            };
            line = line.and(self.glyphs.of(bucket), role);
        }
        let times: Vec<u64> = shown
            .iter()
            .map(|run| took(run).map_or(0, |took| took.num_milliseconds().max(1).unsigned_abs()))
            .collect();
        line.and(" ".repeat(room - shown.len() + 2), Role::Screen)
            .and(spark(&times, times.len(), self.glyphs), Role::Muted)
            .and("  ", Role::Screen)
    }

    /// How long such runs take, and how this one compares.
    fn habit(&self, runs: &[PastRun]) -> Line {
        let Some(usual) = usual(self.earlier(runs)) else {
            return Line::blank();
        };
        let line = Line::of(
            format!("usually {}", lapse::words(usual.median)),
            Role::Muted,
        );
        let run = self.run;
        let took = match (run.started_at, run.completed_at) {
            (Some(from), Some(till)) => till - from,
            (Some(from), None) => self.clock.db_now() - from,
            _ => return line,
        };
        // Under way, only what is longer already says anything.
        match times(took, usual) {
            Some(times) if run.completed_at.is_some() || times >= 1.0 => {
                let role = if times >= LONG {
                    Role::Partial
                } else {
                    Role::Muted
                };
                match times < 0.1 {
                    true => line.and(", this a tenth at most", role),
                    false => line.and(format!(", this {times:.1}×"), role),
                }
            }
            _ => line,
        }
    }

    fn words(&self, known: &Known) -> Vec<Line> {
        let mut lines = Vec::new();
        if matches!(self.run.state.bucket(), Bucket::Failed | Bucket::Partial) {
            let of = |runs| failing(self.earlier(runs));
            let failing = of(&known.history.same).or_else(|| of(&known.history.kind));
            lines.extend(failing.map(|failing| self.failing(failing)));
            lines.extend(known.success.as_ref().map(|(id, pairs)| {
                Line::of(format!("last success #{id} "), Role::Muted).joined(differs(pairs))
            }));
        }
        lines
    }

    fn failing(&self, failing: Failing) -> Line {
        match failing {
            Failing::FirstSince(at) => Line::of(
                format!("first failure since {}", self.clock.stamp(at)),
                Role::Screen,
            ),
            Failing::FirstOf(runs) => Line::of(
                format!("first failure, none of the {runs} before failed"),
                Role::Screen,
            ),
            Failing::InARow(times, since) => Line::of(
                format!(
                    "{times} runs in a row with failures, since {}",
                    self.clock.stamp(since)
                ),
                Role::Failed,
            ),
        }
    }

    /// How many runs of how many tenants carry the code of late.
    pub(super) fn spread(&self, known: Option<&Known>, code: &str) -> Option<String> {
        let known = known.filter(|known| known.id == self.run.id)?;
        let group = known
            .codes
            .iter()
            .find(|group| group.code.as_str() == code)?;
        // Of one run alone there is nothing to tell.
        if group.runs < 2 {
            return None;
        }
        let dot = self.glyphs.dot;
        let tenants = match group.tenants.n {
            1 => "1 tenant".to_owned(),
            _ => format!("{} tenants", at_least(self.glyphs, group.tenants)),
        };
        let runs = lapse::grouped(group.runs);
        let since = self.clock.stamp(group.first_seen);
        Some(format!("{runs} runs {dot} {tenants} {dot} since {since}"))
    }

    /// What else the context names, by its number.
    pub(super) fn links(&self, lines: &mut Vec<Line>) {
        let Some(context) = &self.run.context else {
            return;
        };
        let named = |key: &str| {
            let found = [Some(context), context.get("input")];
            found
                .into_iter()
                .flatten()
                .find_map(|part| match part.get(key) {
                    Some(Value::Number(n)) => n.as_u64(),
                    _ => None,
                })
        };
        let links = LINKS
            .iter()
            .filter_map(|(key, words)| Some((*words, named(key)?)));
        let links: Vec<_> = links.map(|(words, n)| format!("{words} {n}")).collect();
        if !links.is_empty() {
            let dot = format!(" {} ", self.glyphs.dot);
            lines.push(Line::of(links.join(&dot), Role::Accent));
        }
    }
}

/// Where what it was asked to do differs, the first of it.
fn differs(pairs: &[Pair]) -> Line {
    let Some(first) = pairs.first() else {
        return Line::of("was asked to do the same", Role::Muted);
    };
    let or = |text: &opsroom_model::Clean| match text.is_empty() {
        true => "nothing".to_owned(),
        false => text.to_string(),
    };
    let line = Line::of("differs in ", Role::Muted)
        .and(&first.name, Role::Screen)
        .and(format!(": {} ", or(&first.other)), Role::Screen)
        .and("→", Role::Muted)
        .and(format!(" {}", or(&first.this)), Role::Screen);
    match pairs.len() - 1 {
        0 => line,
        more => line.and(format!(", and {more} more"), Role::Muted),
    }
}
