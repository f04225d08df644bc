//! How many jobs are executed at the same time. A slot is taken while a job is executed, not while its
//! ending is written: the next claim and that write go on side by side.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// The slots of one worker.
#[derive(Clone, Default)]
pub(super) struct Slots(Arc<Shared>);

#[derive(Default)]
struct Shared {
    taken: AtomicUsize,
    freed: Notify,
}

impl Slots {
    /// Free again when dropped.
    pub(super) fn take(&self) -> Slot {
        self.0.taken.fetch_add(1, Ordering::Relaxed);
        Slot(self.clone())
    }

    pub(super) fn taken(&self) -> usize {
        self.0.taken.load(Ordering::Relaxed)
    }

    /// Resolves once a slot was freed since the last call.
    pub(super) async fn freed(&self) {
        self.0.freed.notified().await;
    }
}

/// One that is taken.
pub(super) struct Slot(Slots);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.0.taken.fetch_sub(1, Ordering::Relaxed);
        self.0.0.freed.notify_one();
    }
}
