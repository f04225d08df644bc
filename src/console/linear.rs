//! The console as lines: what changes is announced, one line each, in words. For screen readers, and
//! for logs of terminals that cannot place text. Nothing that was said is ever drawn over.

use crate::app::Clock;
use crate::lapse;
use opsroom_model::{Bucket, RunId};
use opsroom_read::{Capped, Headline, RunPage, RunRow};
use std::collections::{HashMap, HashSet};

/// What was said already.
#[derive(Debug, Default)]
pub struct Linear {
    known: Option<HashMap<RunId, Bucket>>,
    stuck: HashSet<RunId>,
    summary: Option<String>,
    lost: bool,
}

impl Linear {
    /// What to say of a page: runs that are new, that began, that ended, that stopped moving. Of the
    /// first page nothing is said: what is there already is no change.
    pub fn page(&mut self, page: &RunPage, clock: &Clock) -> Vec<String> {
        let mut lines = Vec::new();
        let now: HashMap<_, _> = page
            .rows
            .iter()
            .map(|row| (row.id, row.state.bucket()))
            .collect();
        if let Some(known) = &self.known {
            // The list shows the newest first; lines are read from above.
            for row in page.rows.iter().rev() {
                match known.get(&row.id) {
                    Some(bucket) if *bucket == row.state.bucket() => {}
                    Some(_) => lines.push(moved(row, clock)),
                    None if self.is_new(row, known) => lines.push(moved(row, clock)),
                    None => {}
                }
                if let Some(stuck) = page
                    .stuck
                    .get(&row.id)
                    .filter(|_| !self.stuck.contains(&row.id))
                {
                    let why = crate::screen::stuck_words(stuck);
                    lines.push(format!("{} {} is stuck: {why}", time(clock), name(row)));
                }
            }
        }
        self.stuck = page.stuck.keys().copied().collect();
        self.known = Some(now);
        lines
    }

    /// A run that only came back into the list is none.
    fn is_new(&self, row: &RunRow, known: &HashMap<RunId, Bucket>) -> bool {
        known.keys().max().is_none_or(|newest| row.id > *newest)
    }

    /// What to say of the counts, where they are not those that were said.
    pub fn headline(&mut self, headline: &Headline, clock: &Clock) -> Option<String> {
        let number = |count: Capped| {
            let at_least = if count.more { "at least " } else { "" };
            format!("{at_least}{}", lapse::grouped(count.n))
        };
        let count = |bucket| format!("{} {bucket}", number(headline.count(bucket)));
        let buckets = [
            Bucket::Running,
            Bucket::Queued,
            Bucket::Succeeded,
            Bucket::Partial,
            Bucket::Failed,
        ];
        let counts: Vec<_> = buckets.into_iter().map(count).collect();
        let stuck = number(headline.stuck);
        let summary = format!("{}, {stuck} stuck", counts.join(", "));
        let is_news = self.summary.is_none();
        self.summary = Some(summary.clone());
        is_news.then(|| format!("{} {summary}", time(clock)))
    }

    /// That the database does not answer; once.
    pub fn lost(&mut self, reason: &str, clock: &Clock) -> Option<String> {
        let was = std::mem::replace(&mut self.lost, true);
        (!was).then(|| format!("{} the database does not answer: {reason}", time(clock)))
    }

    /// That it does again, where that is news.
    pub fn answered(&mut self, clock: &Clock) -> Option<String> {
        let was = std::mem::take(&mut self.lost);
        was.then(|| format!("{} the database answers again", time(clock)))
    }
}

fn time(clock: &Clock) -> String {
    clock.stamp(clock.db_now())
}

fn name(row: &RunRow) -> String {
    format!("run {} {} {}", row.id, row.run_type, row.tenant)
}

fn moved(row: &RunRow, clock: &Clock) -> String {
    let mut line = format!("{} {}: {}", time(clock), name(row), row.state.bucket());
    if let (Some(from), Some(till)) = (row.started_at, row.completed_at) {
        line.push_str(&format!(" after {}", lapse::words(till - from)));
    }
    if let Some(failed) = row.counts.failed.filter(|failed| *failed > 0) {
        line.push_str(&format!(", {} failed", lapse::grouped(failed)));
    }
    if let Some((code, _)) = row.code.as_ref().filter(|_| !row.state.is_active()) {
        line.push_str(&format!(", {code}"));
    }
    line
}
