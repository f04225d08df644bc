//! What should be asked of the database, as it follows from the state.

use super::{App, Health, Pane};
use crate::pace;
use chrono::TimeDelta;
use opsroom_model::RunId;
use opsroom_read::PageRequest;
use std::time::Duration;

/// The usual interval of polling.
const PACE: Duration = Duration::from_secs(2);
/// The interval while nobody looks.
const SLOW_PACE: Duration = Duration::from_secs(5);
/// Without a key for so long, nobody looks.
const IDLE: TimeDelta = TimeDelta::minutes(5);

/// Everything the screen needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Wants {
    /// Rises with every change of the filter.
    pub generation: u64,
    /// The page of the list.
    pub request: PageRequest,
    /// The run in the detail.
    pub detail: Option<DetailWant>,
    /// Rises when everything should be asked for at once.
    pub nudge: u64,
    /// How often.
    pub pace: Duration,
    /// True while nothing should be asked for by itself.
    pub paused: bool,
}

/// Which run, and how many of its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DetailWant {
    /// The run.
    pub id: RunId,
    /// Items at most.
    pub items: u32,
}

impl App {
    /// What should be asked of the database now.
    #[must_use]
    pub fn wants(&self) -> Wants {
        let detail = self.detail.wanted().map(|id| DetailWant {
            id,
            items: if self.detail.pane == Pane::Full {
                self.detail.items_wanted
            } else {
                50
            },
        });
        Wants {
            generation: self.filter.generation(),
            request: PageRequest {
                query: self.filter.query().clone(),
                limit: self.runs.wanted,
                before: None,
            },
            detail,
            nudge: self.nudge,
            pace: self.pace(),
            paused: self.paused,
        }
    }

    /// How often to poll: less often while nobody looks or answers are slow.
    #[must_use]
    pub fn pace(&self) -> Duration {
        let idle = self.clock.now - self.last_key_at > IDLE;
        let base = if self.focused && !idle {
            PACE
        } else {
            SLOW_PACE
        };
        match self.health {
            Health::Live => pace::interval(base, self.runs.cost.lasting()),
            _ => base,
        }
    }
}
