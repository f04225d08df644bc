//! The list: its rows, which run is selected, and which row is the first on the screen.

use super::cursor::Cursor;
use super::sort::Sort;
use opsroom_model::{Bucket, RunId};
use opsroom_read::{RunPage, RunRow, Stuck, list::MAX_PAGE};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Rows asked for at first.
const FIRST: u32 = 250;

/// Up or down the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the rows above.
    Up,
    /// To the rows below.
    Down,
}

/// The list.
#[derive(Debug, Clone)]
pub struct Runs {
    /// In the order of [`Runs::sort`].
    pub rows: Vec<Arc<RunRow>>,
    /// Why some of them do not move.
    pub stuck: HashMap<RunId, Stuck>,
    /// True where older rows exist.
    pub more: bool,
    /// True where a text was searched in the newest rows only.
    pub within_budget: bool,
    /// True until the first answer to the filter.
    pub loading: bool,
    /// Rows to ask for.
    pub wanted: u32,
    /// How long answers take: the shorter of the last two, since one that met a frozen server says
    /// nothing of the next.
    pub took: Duration,
    last_took: Duration,
    /// True while the newest run is the selected one, whichever that is.
    pub follow: bool,
    /// The run to compare others with.
    pub marked: Option<RunId>,
    /// The order.
    pub sort: Sort,
    cursor: Cursor<RunId>,
}

impl Default for Runs {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            stuck: HashMap::new(),
            more: false,
            within_budget: false,
            loading: true,
            wanted: FIRST,
            took: Duration::ZERO,
            last_took: Duration::ZERO,
            follow: true,
            marked: None,
            sort: Sort::default(),
            cursor: Cursor::default(),
        }
    }
}

impl Runs {
    /// Takes an answer. The selection stays on its run; where that left the list, on its place.
    pub fn take(&mut self, page: &RunPage) {
        self.took = page.took.min(self.last_took);
        self.last_took = page.took;
        self.show(page);
    }

    /// Shows `page`, which may be of an earlier moment.
    pub fn show(&mut self, page: &RunPage) {
        self.rows.clone_from(&page.rows);
        self.stuck.clone_from(&page.stuck);
        self.more = page.more;
        self.within_budget = page.within_budget;
        self.loading = false;
        if self.follow {
            self.cursor.top = 0;
            self.select(0);
        } else {
            self.cursor.keep(self.rows.iter().map(|row| row.id));
        }
    }

    /// Forgets the rows: another filter was asked for. The selected run is kept, should it match.
    pub fn clear(&mut self) {
        *self = Self {
            cursor: self.cursor.restarted(),
            follow: self.follow,
            marked: self.marked,
            sort: self.sort,
            ..Self::default()
        };
    }

    /// The selected run.
    #[must_use]
    pub fn selected(&self) -> Option<RunId> {
        self.selected_row().map(|row| row.id)
    }

    /// The selected row.
    #[must_use]
    pub fn selected_row(&self) -> Option<&Arc<RunRow>> {
        self.rows.get(self.cursor.at())
    }

    /// The selected row's place.
    #[must_use]
    pub fn at(&self) -> usize {
        self.cursor.at()
    }

    /// The first row on the screen.
    #[must_use]
    pub fn top(&self) -> usize {
        self.cursor.top
    }

    /// Selects the row at `at`, or the last one. Near the end, more rows are asked for.
    pub fn select(&mut self, at: usize) {
        self.cursor.select(at, self.rows.iter().map(|row| row.id));
        if self.more && self.cursor.at() + 20 >= self.rows.len() {
            self.wanted = MAX_PAGE;
        }
    }

    /// Selects the next failed or partially succeeded run, where there is one.
    pub fn select_failed(&mut self, way: Way) {
        let bad =
            |row: &Arc<RunRow>| matches!(row.state.bucket(), Bucket::Failed | Bucket::Partial);
        let found = match way {
            Way::Down => {
                let after = self.at() + 1;
                let rest = self.rows.iter().skip(after);
                rest.into_iter().position(bad).map(|ahead| after + ahead)
            }
            Way::Up => self.rows[..self.at().min(self.rows.len())]
                .iter()
                .rposition(bad),
        };
        if let Some(at) = found {
            self.follow = false;
            self.select(at);
        }
    }

    /// Marks the selected run, or takes its mark away.
    pub fn toggle_mark(&mut self) {
        let selected = self.selected();
        self.marked = if self.marked == selected {
            None
        } else {
            selected
        };
    }

    /// Scrolls as little as shows the selected row among `height`.
    pub fn keep_in_view(&mut self, height: usize) {
        self.cursor.keep_in_view(height, self.rows.len());
    }
}
