//! The screen of workers: who lives, and what each has in hand.

use super::board::{Board, Named};
use super::message::WorkersAnswer;
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

impl Named for Row {
    type Id = Uuid;

    fn id(&self) -> Uuid {
        self.worker.id
    }
}

/// The workers: the living first, then by name.
pub type Workers = Board<Row>;

/// The rows of an answer.
pub(super) fn rows(answer: WorkersAnswer) -> Vec<Row> {
    let rows = answer.workers.into_iter().map(|worker| {
        let has = |run: &&Arc<RunRow>| run.worker_id == Some(worker.id);
        let runs = answer.running.iter().filter(has).cloned().collect();
        Row { worker, runs }
    });
    rows.collect()
}
