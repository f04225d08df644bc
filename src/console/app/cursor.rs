//! Which row of a list is selected, and which is the first on the screen. The selection is of an
//! item, not of a place: rows that come and go above it do not move it.

use crate::keymap::Step;

/// The selection in a list of items called by an `Id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor<Id> {
    /// The first row on the screen.
    pub top: usize,
    selected: Option<Id>,
    at: usize,
}

impl<Id> Default for Cursor<Id> {
    fn default() -> Self {
        Self {
            top: 0,
            selected: None,
            at: 0,
        }
    }
}

impl<Id: Clone + PartialEq> Cursor<Id> {
    /// The place of the selected row.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// The item that was selected last; it may have left the list.
    #[must_use]
    pub fn item(&self) -> Option<Id> {
        self.selected.clone()
    }

    /// The same item at the top of a list that begins anew.
    #[must_use]
    pub fn restarted(&self) -> Self {
        Self {
            selected: self.selected.clone(),
            ..Self::default()
        }
    }

    /// Selects the row at `at`, or the last one of `ids`.
    pub fn select(&mut self, at: usize, ids: impl ExactSizeIterator<Item = Id>) {
        self.at = at.min(ids.len().saturating_sub(1));
        let mut ids = ids;
        if let Some(id) = ids.nth(self.at) {
            self.selected = Some(id);
        }
    }

    /// After the list changed: stays on its item, which keeps its row on the screen; where that is
    /// gone, on its place.
    pub fn keep(&mut self, ids: impl ExactSizeIterator<Item = Id> + Clone) {
        let offset = self.at.saturating_sub(self.top);
        match ids
            .clone()
            .position(|id| Some(&id) == self.selected.as_ref())
        {
            Some(at) => {
                self.at = at;
                if self.top > 0 {
                    self.top = at.saturating_sub(offset);
                }
            }
            None => self.select(self.at, ids),
        }
    }

    /// Moves by `step` in a list shown `height` rows at a time.
    pub fn step(&mut self, step: Step, height: usize, ids: impl ExactSizeIterator<Item = Id>) {
        let last = ids.len().saturating_sub(1);
        self.select(step.from(self.at, height.max(1), last), ids);
    }

    /// Scrolls as little as shows the selected row of `len` among `height`.
    pub fn keep_in_view(&mut self, height: usize, len: usize) {
        let height = height.max(1);
        self.top = self.top.min(self.at);
        if self.at >= self.top + height {
            self.top = self.at + 1 - height;
        }
        self.top = self.top.min(len.saturating_sub(height));
    }
}
