//! The list: its rows, which run is selected, and which row is the first on the screen.

use super::cursor::Cursor;
use super::sort::Sort;
use crate::pace::Cost;
use chrono::{DateTime, Utc};
use opsroom_model::{Bucket, RunId};
use opsroom_read::sorted::COVERED;
use opsroom_read::{Cursor as PageEnd, RunPage, RunRow, SortedPage, Stuck, list::MAX_PAGE};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Rows asked for at first.
const FIRST: u32 = 250;

/// What an order covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Covers {
    /// The newest so many runs.
    pub runs: usize,
    /// The oldest of them was recorded then.
    pub since: Option<DateTime<Utc>>,
    /// True where older ones are left out.
    pub leaves_out: bool,
}

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
    /// Where the search for older rows goes on; `None` where it is at its end.
    pub next: Option<PageEnd>,
    /// Of a list in another order than its own: what that order covers.
    pub covers: Option<Covers>,
    /// True until the first answer to the filter.
    pub loading: bool,
    /// Rows to ask for.
    pub wanted: u32,
    /// How long answers take.
    pub cost: Cost,
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
            next: None,
            covers: None,
            loading: true,
            wanted: FIRST,
            cost: Cost::default(),
            follow: true,
            marked: None,
            sort: Sort::default(),
            cursor: Cursor::default(),
        }
    }
}

impl Runs {
    /// Takes an answer. The selection stays on its run; where that left the list, on its place. Rows
    /// that were searched out beyond where this page stopped stay, too.
    pub fn take(&mut self, page: &RunPage) {
        self.cost.note(page.took);
        let beyond = |row: &Arc<RunRow>| {
            page.searched_to
                .is_some_and(|to| row.cursor().is_before(to))
        };
        let mut kept = Vec::new();
        let mut next = page.next();
        if let (true, Some(known)) = (self.within_budget && page.within_budget, page.searched_to) {
            let rows = self.rows.iter().filter(|row| beyond(row));
            kept = rows.take(self.wanted as usize).cloned().collect();
            match self.next {
                Some(further) if further.is_before(known) => next = self.next,
                None => next = None,
                _ => {}
            }
        }
        self.show_with(page, kept);
        self.next = next.filter(|_| page.within_budget);
    }

    /// Takes rows further down, searched from `before` on.
    pub fn take_older(&mut self, before: PageEnd, page: &RunPage) {
        if self.next != Some(before) {
            return;
        }
        let known: HashSet<_> = self.rows.iter().map(|row| row.id).collect();
        let fresh = page.rows.iter().filter(|row| !known.contains(&row.id));
        self.rows.extend(fresh.cloned());
        self.stuck
            .extend(page.stuck.iter().map(|(id, stuck)| (*id, *stuck)));
        self.more = page.more;
        self.next = page.next().filter(|_| page.within_budget);
    }

    /// Takes a list in another order.
    pub fn take_sorted(&mut self, sorted: &SortedPage) {
        self.cost.note(sorted.page.took);
        self.show(&sorted.page);
        self.covers = Some(Covers {
            // One more is read to know whether there are more.
            runs: sorted.covered.min(COVERED as usize),
            since: sorted.since,
            leaves_out: sorted.leaves_out(),
        });
    }

    /// Where to search for older rows: while there are fewer than are wanted.
    #[must_use]
    pub fn searching(&self) -> Option<PageEnd> {
        self.next.filter(|_| self.rows.len() < self.wanted as usize)
    }

    /// Shows `page`, which may be of an earlier moment.
    pub fn show(&mut self, page: &RunPage) {
        self.show_with(page, Vec::new());
    }

    fn show_with(&mut self, page: &RunPage, older: Vec<Arc<RunRow>>) {
        self.rows.clone_from(&page.rows);
        self.rows.extend(older);
        self.next = None;
        self.covers = None;
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

    /// Puts the list in another order, from its first row on.
    pub fn order(&mut self, sort: Sort) {
        if sort != self.sort {
            self.clear();
            self.sort = sort;
            self.cursor = Cursor::default();
        }
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
