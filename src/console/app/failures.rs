//! The screen of failures: one row a code, and what was counted.

use super::board::{Board, Named};
use chrono::{DateTime, TimeDelta, Utc};
use opsroom_model::Clean;
use opsroom_read::{CodeGroup, FailureBoard};

impl Named for CodeGroup {
    type Id = Clean;

    fn id(&self) -> Clean {
        self.code.clone()
    }
}

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Runs created from here on.
    pub from: DateTime<Utc>,
    /// What one point of a trend stands for.
    pub step: TimeDelta,
    /// False where part of the filter was not applied.
    pub narrowed: bool,
}

/// The codes, that of most runs first.
pub type Failures = Board<CodeGroup, Counted>;

impl Failures {
    /// Takes an answer.
    pub(super) fn take_board(&mut self, board: FailureBoard) {
        let counted = Counted {
            from: board.covers_from,
            step: board.step,
            narrowed: board.narrowed,
        };
        self.take(board.codes, counted);
    }
}
