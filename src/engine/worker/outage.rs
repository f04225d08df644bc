//! What a worker says while the database is away: one line every five seconds for all that fails, and one
//! when it answers again. Each claim, beat and ending that fails would otherwise have a line of its own.

use crate::error::EngineError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The shortest time between two lines.
const EVERY: Duration = Duration::from_secs(5);

/// Whether the database answers, as all parts of one worker see it. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Outage(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    failed: Notify,
}

#[derive(Default)]
struct State {
    /// Since when nothing has succeeded.
    since: Option<Instant>,
    said: Option<Instant>,
    unsaid: u64,
}

impl Outage {
    /// `what` failed and is tried again.
    pub(super) fn failed(&self, what: &'static str, error: &EngineError) {
        if let Some(unsaid) = self.may_speak(Instant::now()) {
            tracing::warn!(what, %error, unsaid, "the database failed; trying again");
        }
        self.0.failed.notify_one();
    }

    /// A call succeeded.
    pub(super) fn answered(&self) {
        let since = {
            let mut state = self.lock();
            state.unsaid = 0;
            state.since.take()
        };
        if let Some(since) = since {
            let seconds = (since.elapsed().as_secs_f64() * 10.0).round() / 10.0;
            tracing::info!(seconds, "the database answers again");
        }
        ::metrics::gauge!(super::meters::DATABASE_UP).set(1.0);
    }

    /// Whether the last call failed.
    pub(super) fn is_on(&self) -> bool {
        self.lock().since.is_some()
    }

    /// Resolves when a call failed.
    pub(super) async fn next_failure(&self) {
        self.0.failed.notified().await;
    }

    /// How many failures went unsaid since the last line, where one may be written at `now`.
    fn may_speak(&self, now: Instant) -> Option<u64> {
        ::metrics::gauge!(super::meters::DATABASE_UP).set(0.0);
        let mut state = self.lock();
        state.since.get_or_insert(now);
        if state
            .said
            .is_some_and(|said| now.duration_since(said) < EVERY)
        {
            state.unsaid += 1;
            return None;
        }
        state.said = Some(now);
        Some(std::mem::take(&mut state.unsaid))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_failures_are_one_line_every_five_seconds() {
        let outage = Outage::default();
        let begun = Instant::now();
        let spoken: Vec<_> = (0..120)
            .map(|n| outage.may_speak(begun + Duration::from_millis(100 * n)))
            .collect();
        let lines: Vec<_> = spoken.iter().flatten().collect();
        assert_eq!(lines, [&0, &49, &49], "at 0, 5 and 10 s");
        outage.answered();
        let late = begun + Duration::from_millis(12_500);
        assert_eq!(outage.may_speak(late), None, "also when it flaps");
    }
}
