//! One heartbeat a process. A worker that cannot beat fences itself before its lease ends: others may
//! take its runs from then on, and its jobs must have stopped by that time.

use crate::deadline::within;
use crate::error::EngineError;
use sqlx::PgPool;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The running heartbeat of one incarnation.
pub(super) struct Heartbeat {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Heartbeat {
    /// Beats until stopped; cancels `fenced` when the worker was declared dead or two thirds of the
    /// lease passed without a confirmed beat.
    pub(super) fn start(
        pool: PgPool,
        worker: Uuid,
        lease: Duration,
        fenced: CancellationToken,
    ) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(beat_until(pool, worker, lease, fenced, stop.clone()));
        Self { stop, task }
    }

    /// The last beat is over when this returns.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        // A heartbeat that panicked has nothing left to stop.
        let _ = self.task.await;
    }
}

async fn beat_until(
    pool: PgPool,
    worker: Uuid,
    lease: Duration,
    fenced: CancellationToken,
    stop: CancellationToken,
) {
    let every = lease / 6;
    let patience = lease * 2 / 3;
    // The lease counts from when the beat was written, at the latest when it was sent.
    let mut confirmed = Instant::now();
    loop {
        let pause = every.min(patience.saturating_sub(confirmed.elapsed()));
        tokio::select! {
            () = stop.cancelled() => return,
            () = fenced.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
        let sent = Instant::now();
        let left = patience.saturating_sub(sent.duration_since(confirmed));
        if left.is_zero() {
            tracing::error!(%worker, "no beat for two thirds of the lease; stopping this worker's jobs");
            return fenced.cancel();
        }
        match beat(&pool, worker, left.min(every)).await {
            Ok(true) => confirmed = sent,
            Ok(false) => {
                tracing::error!(%worker, "declared dead by another worker; stopping this worker's jobs");
                return fenced.cancel();
            }
            Err(error) => tracing::warn!(%worker, %error, "beat failed"),
        }
        if fenced.is_cancelled() {
            return;
        }
    }
}

async fn beat(pool: &PgPool, worker: Uuid, limit: Duration) -> Result<bool, EngineError> {
    let call = sqlx::query_scalar("select opsroom.beat($1)")
        .bind(worker)
        .fetch_one(pool);
    within(limit, call).await
}
