//! The screen of workers: the pattern of a list that is asked for as a whole.

use super::cursor::Cursor;
use super::listing::Listing;
use super::message::WorkersAnswer;
use crate::keymap::Step;
use opsroom_read::{RunRow, Worker};
use std::sync::Arc;
use uuid::Uuid;

/// One worker, and what it has in hand.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The worker.
    pub worker: Worker,
    /// Its runs, as far as the login may see them.
    pub runs: Vec<Arc<RunRow>>,
}

/// The workers.
#[derive(Debug, Clone, Default)]
pub struct Workers {
    /// What was answered: the living first, then by name.
    pub listing: Listing<Row>,
    /// Which is selected.
    pub cursor: Cursor<Uuid>,
}

impl Workers {
    /// Takes an answer.
    pub fn take(&mut self, answer: WorkersAnswer) {
        let rows = answer.workers.into_iter().map(|worker| {
            let has = |run: &&Arc<RunRow>| run.worker_id == Some(worker.id);
            let runs = answer.running.iter().filter(has).cloned().collect();
            Row { worker, runs }
        });
        self.listing.take(rows.collect());
        self.cursor
            .keep(self.listing.rows.iter().map(|row| row.worker.id));
    }

    /// The selected row.
    #[must_use]
    pub fn selected(&self) -> Option<&Row> {
        self.listing.rows.get(self.cursor.at())
    }

    /// Moves the selection.
    pub fn step(&mut self, step: Step, height: usize) {
        let ids = self.listing.rows.iter().map(|row| row.worker.id);
        self.cursor.step(step, height, ids);
    }

    /// Selects the row at `at`.
    pub fn select(&mut self, at: usize) {
        let ids = self.listing.rows.iter().map(|row| row.worker.id);
        self.cursor.select(at, ids);
    }

    /// Scrolls as little as shows the selected row among `height`.
    pub fn keep_in_view(&mut self, height: usize) {
        self.cursor.keep_in_view(height, self.listing.rows.len());
    }
}
