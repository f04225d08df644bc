//! Whether a worker is fit to be given work, for whoever asks from outside: an orchestrator, a person.

use super::outage::Outage;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Asks a worker how it is. Cheap to clone, never waits, asks no database.
#[derive(Clone, Default)]
pub struct Vitals(Arc<Shared>);

#[derive(Default)]
struct Shared {
    registered: AtomicBool,
    stopping: AtomicBool,
    outage: Outage,
}

/// How a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fitness {
    /// It claims and executes.
    Ready,
    /// It has not registered yet.
    Starting,
    /// Its last call to the database failed; it tries again by itself.
    DatabaseAway,
    /// It was told to stop, and finishes what it holds.
    Stopping,
}

impl Fitness {
    /// One or two words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Starting => "starting",
            Self::DatabaseAway => "database away",
            Self::Stopping => "stopping",
        }
    }
}

impl Vitals {
    /// How the worker is now.
    #[must_use]
    pub fn fitness(&self) -> Fitness {
        if self.0.stopping.load(Ordering::Relaxed) {
            Fitness::Stopping
        } else if self.0.outage.is_on() {
            Fitness::DatabaseAway
        } else if self.0.registered.load(Ordering::Relaxed) {
            Fitness::Ready
        } else {
            Fitness::Starting
        }
    }

    pub(super) fn outage(&self) -> &Outage {
        &self.0.outage
    }

    pub(super) fn registered(&self) {
        self.0.registered.store(true, Ordering::Relaxed);
    }

    pub(super) fn stopping(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }
}
