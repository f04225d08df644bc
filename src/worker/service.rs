//! What the service manager is told where there is one (systemd, `Type=notify`): ready, stopping, and,
//! where it watches, that this process still turns. A database that is away is no reason to be
//! restarted: the watchdog asks for the process, the console shows the worker.

use sd_notify::NotifyState;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Tells of `ready` and `stop` as they are cancelled, and beats in between; while draining, too. Ends
/// with the worker, which aborts it.
pub(crate) async fn tell(ready: CancellationToken, stop: CancellationToken) {
    let beating = async {
        match sd_notify::watchdog_enabled() {
            // Twice as often as asked for, as its documentation wants it.
            Some(limit) => beat_every((limit / 2).max(Duration::from_millis(1))).await,
            None => std::future::pending().await,
        }
    };
    let states = async {
        ready.cancelled().await;
        say(&[NotifyState::Ready]);
        stop.cancelled().await;
        say(&[NotifyState::Stopping]);
    };
    tokio::join!(beating, states);
}

async fn beat_every(pause: Duration) {
    let mut beats = tokio::time::interval(pause);
    loop {
        beats.tick().await;
        say(&[NotifyState::Watchdog]);
    }
}

/// Does nothing where no service manager asked to be told.
fn say(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(kind = %error.kind(), "the service manager cannot be told");
    }
}
