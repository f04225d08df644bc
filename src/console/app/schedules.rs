//! The screen of schedules: those that cannot fire first, then by what fires next.

use super::board::{Board, Named};
use opsroom_read::ScheduleRow;

impl Named for ScheduleRow {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }
}

/// The schedules, and whether there are more than are shown.
pub type Schedules = Board<ScheduleRow, bool>;
