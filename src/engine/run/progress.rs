//! Progress of all runs of a worker, written together: the latest counts of each, at most once per run
//! and interval, and the last of them also when the job does not ask again. Not here: final counts,
//! which are written with the ending, exactly.

use super::Claim;
use super::tally::Tally;
use crate::deadline::{STATEMENT, within};
use crate::error::EngineError;
use serde_json::{Value, json};
use sqlx::PgPool;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The shortest time between two progress writes of one run.
pub(crate) const EVERY: Duration = Duration::from_millis(500);
/// Runs shown with one statement at most.
const MOST: usize = 512;

/// What a run shares with the writer of its progress.
pub(crate) struct Shown {
    tally: Mutex<Tally>,
    pace: Mutex<Pace>,
}

#[derive(Default)]
struct Pace {
    written: Option<Instant>,
    /// The writer comes back to it by itself.
    promised: bool,
}

impl Shown {
    pub(super) fn new(tally: Tally) -> Self {
        Self {
            tally: Mutex::new(tally),
            pace: Mutex::default(),
        }
    }

    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody else has just written the counts.
    pub(super) fn was_written(&self) {
        self.pace().written = Some(Instant::now());
    }
}

struct Request {
    claim: Claim,
    shown: Weak<Shown>,
    /// Cancelled where the claim turns out to be lost.
    stop: CancellationToken,
    due: Instant,
    tell: Option<oneshot::Sender<bool>>,
}

/// Where runs of one worker ask for their progress to be shown. The writer ends with the last clone.
#[derive(Clone)]
pub(crate) struct Progress {
    sender: mpsc::UnboundedSender<Request>,
}

impl Progress {
    /// Starts the writer of `worker`.
    pub(crate) fn start(pool: PgPool, worker: Uuid) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(write_when_due(pool, worker, receiver));
        Self { sender }
    }

    /// Shows it now, or sees to it that it is shown once the interval is over. False: the claim is
    /// lost. A database that is away costs nothing but this progress.
    pub(super) async fn show(
        &self,
        claim: Claim,
        shown: &Arc<Shown>,
        stop: &CancellationToken,
    ) -> bool {
        let now = Instant::now();
        let due = {
            let mut pace = shown.pace();
            if pace.promised {
                return true;
            }
            let due = pace.written.map_or(now, |at| at + EVERY).max(now);
            if due > now {
                pace.promised = true;
            } else {
                pace.written = Some(now);
            }
            due
        };
        let (tell, told) = oneshot::channel();
        let request = Request {
            claim,
            shown: Arc::downgrade(shown),
            stop: stop.clone(),
            due,
            tell: (due == now).then_some(tell),
        };
        if self.sender.send(request).is_err() || due > now {
            return true;
        }
        told.await.unwrap_or(true)
    }
}

async fn write_when_due(
    pool: PgPool,
    worker: Uuid,
    mut receiver: mpsc::UnboundedReceiver<Request>,
) {
    let mut waiting: Vec<Request> = Vec::new();
    loop {
        let next = waiting.iter().map(|request| request.due).min();
        tokio::select! {
            received = receiver.recv_many(&mut waiting, MOST) => if received == 0 { return },
            () = tokio::time::sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
        }
        let now = Instant::now();
        let due: Vec<_> = waiting
            .extract_if(.., |request| request.due <= now)
            .collect();
        for page in due.chunks(MOST) {
            if let Err(error) = write(&pool, worker, page).await {
                tracing::debug!(%error, "progress not written");
            }
        }
        for request in due {
            let lost = request.stop.is_cancelled();
            if let Some(tell) = request.tell {
                // The job may be gone.
                let _ = tell.send(!lost);
            }
        }
    }
}

async fn write(pool: &PgPool, worker: Uuid, requests: &[Request]) -> Result<(), EngineError> {
    let (mut runs, mut claims, mut counts) = (Vec::new(), Vec::new(), Vec::<Value>::new());
    for request in requests {
        // A run that ended has written its counts already.
        let Some(shown) = request.shown.upgrade() else {
            continue;
        };
        let mut pace = shown.pace();
        if request.tell.is_none() {
            pace.promised = false;
            pace.written = Some(Instant::now());
        }
        drop(pace);
        runs.push(request.claim.run.0);
        claims.push(request.claim.claim_no);
        counts.push(json!(shown.tally().counts()));
    }
    if runs.is_empty() {
        return Ok(());
    }
    let call =
        sqlx::query_scalar("select show_progress from opsroom.show_progress($1, $2, $3, $4)")
            .bind(worker)
            .bind(runs)
            .bind(claims)
            .bind(counts)
            .fetch_all(pool);
    let lost: HashSet<i64> = within(STATEMENT, call).await?.into_iter().collect();
    for request in requests
        .iter()
        .filter(|one| lost.contains(&one.claim.run.0))
    {
        request.stop.cancel();
    }
    Ok(())
}
