//! A list that is asked for as a whole: its rows, which of them is selected, and what the answer says
//! beside them. Every screen but the runs is one.

use super::cursor::Cursor;
use super::listing::{Listing, Standing, Trouble};
use crate::keymap::Step;

/// A row that is called by an `Id`, whichever place it has.
pub trait Named {
    /// What it is called by.
    type Id: Clone + PartialEq;

    /// Its name.
    fn id(&self) -> Self::Id;
}

/// A list, and `F`: what its answer says beside the rows.
#[derive(Debug, Clone)]
pub struct Board<T: Named, F = ()> {
    /// What was answered.
    pub listing: Listing<T>,
    /// Which is selected.
    pub cursor: Cursor<T::Id>,
    /// What the answer says beside the rows; `None` before the first.
    pub facts: Option<F>,
}

impl<T: Named, F> Default for Board<T, F> {
    fn default() -> Self {
        Self {
            listing: Listing::default(),
            cursor: Cursor::default(),
            facts: None,
        }
    }
}

impl<T: Named, F> Board<T, F> {
    /// Takes an answer.
    pub fn take(&mut self, rows: Vec<T>, facts: F) {
        self.listing.take(rows);
        self.facts = Some(facts);
        self.cursor.keep(self.listing.rows.iter().map(Named::id));
    }

    /// The selected row.
    #[must_use]
    pub fn selected(&self) -> Option<&T> {
        self.listing.rows.get(self.cursor.at())
    }
}

/// What moving about needs to know of a list, whatever its rows are.
pub trait Moves {
    /// How many rows there are.
    fn len(&self) -> usize;
    /// True where there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The first row on the screen.
    fn top(&self) -> usize;
    /// The selected one.
    fn at(&self) -> usize;
    /// Selects the row at `at`.
    fn select(&mut self, at: usize);
    /// Moves the selection on pages of `height`.
    fn step(&mut self, step: Step, height: usize);
    /// Scrolls as little as shows the selected row among `height`.
    fn keep_in_view(&mut self, height: usize);
    /// Takes an error about this question.
    fn fail(&mut self, trouble: Trouble);
    /// The answer was that it cannot be told yet.
    fn behind(&mut self);
    /// Forgets the rows: another question is asked.
    fn clear(&mut self);
}

impl<T: Named, F> Moves for Board<T, F> {
    fn len(&self) -> usize {
        self.listing.rows.len()
    }

    fn top(&self) -> usize {
        self.cursor.top
    }

    fn at(&self) -> usize {
        self.cursor.at()
    }

    fn select(&mut self, at: usize) {
        self.cursor
            .select(at, self.listing.rows.iter().map(Named::id));
    }

    fn step(&mut self, step: Step, height: usize) {
        self.cursor
            .step(step, height, self.listing.rows.iter().map(Named::id));
    }

    fn keep_in_view(&mut self, height: usize) {
        self.cursor.keep_in_view(height, self.listing.rows.len());
    }

    fn fail(&mut self, trouble: Trouble) {
        self.listing.fail(trouble);
    }

    fn behind(&mut self) {
        self.listing.rows.clear();
        self.listing.standing = Standing::Behind;
    }

    fn clear(&mut self) {
        self.listing = Listing::default();
        self.cursor = self.cursor.restarted();
        self.facts = None;
    }
}
