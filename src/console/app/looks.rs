//! What changed since the person last looked. A look ends when the window loses the focus, when no
//! key came for a while, and at the end of the program; when it ended is kept on the person's
//! machine. While a look lasts, nothing new is marked: what changes before one's eyes needs no mark.

use chrono::{DateTime, Utc};
use opsroom_model::{Bucket, RunId};
use opsroom_read::RunRow;
use std::collections::HashMap;

/// Runs remembered as seen, at most.
const MAX_SEEN: usize = 4096;

/// What was looked at. All times are the database's.
#[derive(Debug, Clone, Default)]
pub struct Looks {
    /// When the last look ended; `None` where there was none: then nothing is marked.
    last_ended: Option<DateTime<Utc>>,
    /// When this one began; `None` while nobody looks.
    began: Option<DateTime<Utc>>,
    seen: HashMap<RunId, Bucket>,
}

impl Looks {
    /// After a look that ended then.
    #[must_use]
    pub fn after(last_ended: Option<DateTime<Utc>>) -> Self {
        Self {
            last_ended,
            ..Self::default()
        }
    }

    /// A look begins, where none lasts.
    pub fn begin(&mut self, now: DateTime<Utc>) {
        if self.began.is_none() {
            self.began = Some(now);
        }
    }

    /// The look ends, where one lasts. True where there was one.
    pub fn end(&mut self, now: DateTime<Utc>) -> bool {
        let lasted = self.began.take().is_some();
        if lasted {
            self.last_ended = Some(now);
            self.seen.clear();
        }
        lasted
    }

    /// The person looked at `row` itself.
    pub fn see(&mut self, row: &RunRow) {
        if self.seen.len() < MAX_SEEN {
            self.seen.insert(row.id, row.state.bucket());
        }
    }

    /// True where `row` began, was started or ended since the last look.
    #[must_use]
    pub fn is_changed(&self, row: &RunRow) -> bool {
        let Some(last) = self.last_ended else {
            return false;
        };
        let moved = row
            .completed_at
            .or(row.started_at)
            .unwrap_or(row.created_at);
        let seen = self.seen.get(&row.id) == Some(&row.state.bucket());
        moved > last && self.began.is_none_or(|began| moved <= began) && !seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn what_moved_between_two_looks_is_marked_until_it_is_looked_at() {
        let at = |second| DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
        let row = |id, second| RunRow::queued(RunId(id), "a.b", "t", at(second));
        let mut looks = Looks::after(Some(at(100)));
        looks.begin(at(200));
        let (old, between, now) = (row(1, 99), row(2, 150), row(3, 201));
        assert!(!looks.is_changed(&old) && looks.is_changed(&between) && !looks.is_changed(&now));
        looks.see(&between);
        assert!(!looks.is_changed(&between));
        assert!(looks.end(at(300)) && !looks.end(at(301)));
        assert!(
            looks.is_changed(&row(4, 350)),
            "what changes while nobody looks is marked"
        );
        let never = Looks::after(None);
        assert!(!never.is_changed(&between));
    }
}
