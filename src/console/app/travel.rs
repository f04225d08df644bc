//! Time travel: the last forms of the list, as many as fit a budget, and which of them is shown.
//! Rows that did not change are shared between them, so that an hour of them costs little.

use chrono::{DateTime, Utc};
use opsroom_read::{Headline, RunPage};
use std::collections::VecDeque;
use std::sync::Arc;

/// Moments kept, at most.
const MOMENTS: usize = 300;
/// What they may take in memory, by a count that errs on the high side, in bytes.
const BUDGET: usize = 8 * 1024 * 1024;
/// A row with its texts.
const ROW: usize = 640;
/// A reference to a row that another moment holds, too.
const SHARED: usize = 16;

/// The list at one moment.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The rows, and the database's time.
    pub page: RunPage,
    /// What stood above them.
    pub headline: Option<Headline>,
    cost: usize,
}

/// The last moments.
#[derive(Debug, Clone, Default)]
pub struct Travel {
    moments: VecDeque<Moment>,
    cost: usize,
    /// The counts as of now, whatever is shown.
    counts: Option<Headline>,
    /// Which of them is shown; `None`: how things stand now.
    at: Option<usize>,
}

impl Travel {
    /// Takes the counts above the list: those of the last moment, until another follows.
    pub fn count(&mut self, headline: &Headline) {
        self.counts = Some(headline.clone());
        if let Some(last) = self.moments.back_mut() {
            last.headline.get_or_insert_with(|| headline.clone());
        }
    }

    /// The counts as of now, where they were learnt since the list is asked for as it is.
    #[must_use]
    pub fn counts(&self) -> Option<&Headline> {
        self.counts.as_ref()
    }

    /// Keeps `page`, where it differs from the last one kept.
    pub fn keep(&mut self, page: &RunPage) {
        let last = self.moments.back();
        if last.is_some_and(|last| last.page.rows == page.rows) {
            return;
        }
        let held = |row: &Arc<_>| {
            last.is_some_and(|last| last.page.rows.iter().any(|known| Arc::ptr_eq(known, row)))
        };
        let fresh = match last {
            // Sharing is found by looking, which pays only where the lists are alike.
            Some(_) => page.rows.iter().filter(|row| !held(row)).count(),
            None => page.rows.len(),
        };
        let cost = fresh * ROW + page.rows.len() * SHARED;
        self.cost += cost;
        self.moments.push_back(Moment {
            page: page.clone(),
            headline: self.counts.clone(),
            cost,
        });
        while self.moments.len() > MOMENTS || (self.cost > BUDGET && self.moments.len() > 1) {
            if let Some(oldest) = self.moments.pop_front() {
                self.cost -= oldest.cost;
                self.at = self.at.map(|at| at.saturating_sub(1));
            }
        }
    }

    /// Forgets all: another filter was asked for.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The moment that is shown, where it is not now.
    #[must_use]
    pub fn shown(&self) -> Option<&Moment> {
        self.moments.get(self.at?)
    }

    /// Its time by the database.
    #[must_use]
    pub fn shown_at(&self) -> Option<DateTime<Utc>> {
        self.shown().map(|moment| moment.page.as_of)
    }

    /// Which of how many moments is shown, from 1.
    #[must_use]
    pub fn place(&self) -> Option<(usize, usize)> {
        Some((self.at? + 1, self.moments.len()))
    }

    /// One moment back. False where there is none.
    pub fn back(&mut self) -> bool {
        let from = self.at.unwrap_or(self.moments.len().saturating_sub(1));
        let moves = from > 0;
        if moves {
            self.at = Some(from - 1);
        }
        moves
    }

    /// One moment on; after the last kept one comes now. False where it was now.
    pub fn forward(&mut self) -> bool {
        let Some(at) = self.at else {
            return false;
        };
        let next = at + 1;
        self.at = (next + 1 < self.moments.len()).then_some(next);
        true
    }

    /// Back to now.
    pub fn end(&mut self) -> bool {
        self.at.take().is_some()
    }

    /// The last moment kept.
    #[must_use]
    pub fn newest(&self) -> Option<&Moment> {
        self.moments.back()
    }

    /// What it all takes, by its own count, in bytes.
    #[must_use]
    pub fn cost(&self) -> usize {
        self.cost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use opsroom_model::RunId;
    use opsroom_read::RunRow;

    fn page(second: i64, ids: std::ops::Range<i64>) -> RunPage {
        let as_of = DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
        let row = |id| Arc::new(RunRow::queued(RunId(id), "a.b", "t", as_of));
        RunPage {
            rows: ids.map(row).collect(),
            as_of,
            ..RunPage::default()
        }
    }

    #[test]
    fn it_goes_back_to_the_first_moment_and_forward_to_now() {
        let mut travel = Travel::default();
        assert!(!travel.back() && !travel.forward());
        for n in 1..=3 {
            travel.keep(&page(n, 0..n));
            travel.keep(&page(n, 0..n));
        }
        assert!(travel.back() && travel.back());
        assert!(!travel.back(), "there is nothing before the first");
        assert_eq!(travel.place(), Some((1, 3)));
        assert_eq!(travel.shown().map(|moment| moment.page.rows.len()), Some(1));
        assert!(travel.forward() && travel.forward());
        assert!(travel.shown().is_none() && !travel.forward());
    }

    #[test]
    fn memory_is_bounded_and_what_is_shown_stays() {
        let mut travel = Travel::default();
        for n in 0..1000 {
            travel.keep(&page(n, n * 500..(n + 1) * 500));
            assert!(travel.cost() <= BUDGET);
        }
        let count = travel.moments.len();
        assert!((10..MOMENTS).contains(&count), "{count}");
        travel.back();
        let shown = travel.shown_at();
        travel.keep(&page(5000, 0..500));
        assert_eq!(travel.shown_at(), shown);
    }
}
