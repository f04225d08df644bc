//! The screen of notifications: what the login's user was told of, and what of it was read. What was
//! read is kept on the person's machine, since the console writes nothing to the database.

use super::board::{Board, Named};
use opsroom_read::{Notification, Notifications as Answer};
use std::collections::BTreeSet;

/// Notifications remembered as read, at most: as many as an answer has.
const MAX_READ: usize = opsroom_read::notifications::MOST;

impl Named for Notification {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }
}

/// What an answer says beside its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// True where there are older ones.
    pub more: bool,
    /// False where the login is nobody's.
    pub has_user: bool,
}

/// The notifications.
#[derive(Debug, Clone, Default)]
pub struct Notifications {
    /// Newest first.
    pub board: Board<Notification, Told>,
    read: BTreeSet<i64>,
    kept: bool,
}

impl Notifications {
    /// With what was read before.
    #[must_use]
    pub fn after(read: BTreeSet<i64>) -> Self {
        Self {
            read,
            kept: true,
            ..Self::default()
        }
    }

    /// Takes an answer.
    pub fn take(&mut self, answer: Answer) {
        let told = Told {
            more: answer.more,
            has_user: answer.has_user,
        };
        self.board.take(answer.rows, told);
    }

    /// True where the person looked at it.
    #[must_use]
    pub fn is_read(&self, id: i64) -> bool {
        self.read.contains(&id)
    }

    /// How many were not read yet.
    #[must_use]
    pub fn unread(&self) -> usize {
        let rows = self.board.listing.rows.iter();
        rows.filter(|row| !self.is_read(row.id)).count()
    }

    /// The selected one was read.
    pub(super) fn see(&mut self) {
        if let Some(id) = self.board.selected().map(|row| row.id) {
            self.kept &= !self.read.insert(id);
        }
        while self.read.len() > MAX_READ {
            self.read.pop_first();
        }
    }

    /// What was read, where that is not remembered yet.
    pub(super) fn newly_read(&mut self) -> Option<BTreeSet<i64>> {
        let fresh = !std::mem::replace(&mut self.kept, true);
        (fresh && !self.read.is_empty()).then(|| self.read.clone())
    }
}
