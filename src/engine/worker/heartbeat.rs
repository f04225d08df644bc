//! One heartbeat a process. A worker that cannot beat fences itself before its lease ends: others may
//! take its runs from then on, and its jobs must have stopped by that time.

use super::connection::OwnConnection;
use super::outage::Outage;
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
        outage: Outage,
    ) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(beat_until(
            pool,
            worker,
            lease,
            fenced,
            stop.clone(),
            outage,
        ));
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
    outage: Outage,
) {
    let every = lease / 6;
    let patience = lease * 2 / 3;
    // The lease counts from when the beat was written, at the latest when it was sent.
    let mut confirmed = Instant::now();
    let mut pulse = Pulse {
        own: OwnConnection::of(pool),
        worker,
    };
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
        match pulse.beat(left.min(every)).await {
            Ok(true) => {
                confirmed = sent;
                outage.answered();
            }
            Ok(false) => {
                tracing::error!(%worker, "declared dead by another worker; stopping this worker's jobs");
                return fenced.cancel();
            }
            Err(error) => outage.failed("beating", &error),
        }
        if fenced.is_cancelled() {
            return;
        }
    }
}

/// Jobs that hold all of the pool's connections must not cost the worker its life.
struct Pulse {
    own: OwnConnection,
    worker: Uuid,
}

impl Pulse {
    /// False: declared dead.
    async fn beat(&mut self, limit: Duration) -> Result<bool, EngineError> {
        let call = async {
            let mut connection = self.own.take_unasked().await?;
            let alive = sqlx::query_scalar("select opsroom.beat($1)")
                .bind(self.worker)
                .fetch_one(&mut connection)
                .await?;
            self.own.keep(connection);
            Ok::<_, EngineError>(alive)
        };
        within(limit, call).await
    }
}
