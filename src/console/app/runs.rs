//! The list: its rows, which run is selected, and which row is the first on the screen.

use crate::pace::Cost;
use opsroom_model::{Bucket, RunId};
use opsroom_read::{RunPage, RunRow, Stuck, list::MAX_PAGE};
use std::collections::HashMap;
use std::sync::Arc;

/// Rows asked for at first.
const FIRST: u32 = 250;

/// Up or down the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To newer rows.
    Up,
    /// To older rows.
    Down,
}

/// The list.
#[derive(Debug, Clone)]
pub struct Runs {
    /// Newest first.
    pub rows: Vec<Arc<RunRow>>,
    /// Why some of them do not move.
    pub stuck: HashMap<RunId, Stuck>,
    /// True where older rows exist.
    pub more: bool,
    /// True where a text was searched in the newest rows only.
    pub within_budget: bool,
    /// True until the first answer to the filter.
    pub loading: bool,
    /// The row at the top of the screen.
    pub top: usize,
    /// Rows to ask for.
    pub wanted: u32,
    /// How long answers take.
    pub cost: Cost,
    /// True while the newest run is the selected one, whichever that is.
    pub follow: bool,
    selected: Option<RunId>,
    at: usize,
}

impl Default for Runs {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            stuck: HashMap::new(),
            more: false,
            within_budget: false,
            loading: true,
            top: 0,
            wanted: FIRST,
            cost: Cost::default(),
            follow: true,
            selected: None,
            at: 0,
        }
    }
}

impl Runs {
    /// Takes an answer. The selection stays on its run; where that left the list, on its place.
    pub fn take(&mut self, page: RunPage) {
        let offset = self.at.saturating_sub(self.top);
        self.rows = page.rows;
        self.stuck = page.stuck;
        self.more = page.more;
        self.within_budget = page.within_budget;
        self.cost.note(page.took);
        self.loading = false;
        if self.follow {
            self.top = 0;
            self.select(0);
            return;
        }
        match self
            .rows
            .iter()
            .position(|row| Some(row.id) == self.selected)
        {
            Some(at) => {
                self.at = at;
                if self.top > 0 {
                    self.top = at.saturating_sub(offset);
                }
            }
            None => self.select(self.at),
        }
    }

    /// Forgets the rows: another filter was asked for. The selected run is kept, should it match.
    pub fn clear(&mut self) {
        *self = Self {
            selected: self.selected,
            follow: self.follow,
            ..Self::default()
        };
    }

    /// The selected run.
    #[must_use]
    pub fn selected(&self) -> Option<RunId> {
        self.rows.get(self.at).map(|row| row.id)
    }

    /// The selected row.
    #[must_use]
    pub fn selected_row(&self) -> Option<&Arc<RunRow>> {
        self.rows.get(self.at)
    }

    /// The selected row's place.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Selects the row at `at`, or the last one. Near the end, more rows are asked for.
    pub fn select(&mut self, at: usize) {
        self.at = at.min(self.rows.len().saturating_sub(1));
        self.selected = self.rows.get(self.at).map(|row| row.id).or(self.selected);
        if self.more && self.at + 20 >= self.rows.len() {
            self.wanted = MAX_PAGE;
        }
    }

    /// Selects the next failed or partially succeeded run, where there is one.
    pub fn select_failed(&mut self, way: Way) {
        let bad =
            |row: &Arc<RunRow>| matches!(row.state.bucket(), Bucket::Failed | Bucket::Partial);
        let found = match way {
            Way::Down => {
                let after = self.at + 1;
                let rest = self.rows.iter().skip(after);
                rest.into_iter().position(bad).map(|ahead| after + ahead)
            }
            Way::Up => self.rows[..self.at.min(self.rows.len())]
                .iter()
                .rposition(bad),
        };
        if let Some(at) = found {
            self.follow = false;
            self.select(at);
        }
    }

    /// Scrolls as little as shows the selected row among `height`.
    pub fn keep_in_view(&mut self, height: usize) {
        let height = height.max(1);
        self.top = self.top.min(self.at);
        if self.at >= self.top + height {
            self.top = self.at + 1 - height;
        }
        self.top = self.top.min(self.rows.len().saturating_sub(height));
    }
}
