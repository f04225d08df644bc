//! What every worker does besides executing: keeps the rollups exact and removes what is past its
//! retention, a little at a time. The database lets one of them act; the others skip.

use crate::error::EngineError;
use crate::retention::{self, Pruned};
use crate::rollups::{self, Tick};
use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// From one round to the next.
const EVERY: Duration = Duration::from_secs(3);
/// So many times longer where there is nothing to count, until this worker ends a run.
const CALM: u32 = 3;
/// A tick of somebody else's that is younger will do.
const REST: Duration = Duration::from_secs(2);
/// The same after a calm: a single ending is counted at once.
const SHORT_REST: Duration = Duration::from_millis(250);
/// Runs removed in one round, at most: some 50 million a day.
const BATCH: i32 = 2_000;
/// How long nothing is looked for once nothing was old enough.
const PRUNE_REST: Duration = Duration::from_secs(600);

/// `ended` is told after each commit that ended runs of this worker's or of a dead one's.
pub(super) async fn keep_house_until(pool: PgPool, ended: Arc<Notify>, stop: CancellationToken) {
    let mut prune_at = Instant::now() + EVERY;
    let mut woken = false;
    loop {
        // Asked before the tick: whatever is committed after this is told of again.
        let wanted = woken || std::pin::pin!(ended.notified()).as_mut().enable();
        let rest = if woken { SHORT_REST } else { REST };
        let mut calm = match keep_rollups(&pool, rest).await {
            // What was ended is not among what was counted where somebody else ticked.
            Ok(nothing) => nothing && !wanted,
            Err(error) => {
                tracing::warn!(%error, "the rollups were not brought up to date; trying again");
                false
            }
        };
        if Instant::now() >= prune_at {
            match prune(&pool).await {
                Ok(true) => calm = false,
                Ok(false) => prune_at = Instant::now() + PRUNE_REST,
                Err(error) => {
                    tracing::warn!(%error, "pruning failed; trying again");
                    calm = false;
                }
            }
        }
        let wait = EVERY.mul_f64(0.75 + 0.5 * super::finish::spread());
        let wait = if calm { wait * CALM } else { wait };
        woken = tokio::select! {
            () = stop.cancelled() => return,
            () = ended.notified(), if calm => true,
            () = tokio::time::sleep(wait) => false,
        };
    }
}

/// One tick, and at most one of the longer things that a tick may ask for. True where there was nothing
/// to do.
async fn keep_rollups(pool: &PgPool, rest: Duration) -> Result<bool, EngineError> {
    let mut connection = pool.acquire().await?;
    let ticked = rollups::tick(&mut connection, rest).await?;
    tracing::trace!(?ticked, "rollups");
    if ticked.pending > 0 {
        if let Some(rebuilt) = rollups::rebuild_pending(&mut connection).await? {
            tracing::info!(day = %rebuilt.day, runs = rebuilt.runs, left = ticked.pending - 1, "a day of rollups was counted");
        }
    } else if ticked.stale {
        rollups::refresh(&mut connection).await?;
    }
    let nothing = matches!(ticked.tick, Tick::Folded(0) | Tick::Rested);
    Ok(nothing && ticked.pending == 0 && !ticked.stale)
}

/// True where there may be more.
async fn prune(pool: &PgPool) -> Result<bool, EngineError> {
    let mut connection = pool.acquire().await?;
    match retention::prune(&mut connection, BATCH, None).await? {
        Pruned::Batch { run_type, runs } => {
            tracing::info!(run_type, runs, "runs past their retention were removed");
            Ok(true)
        }
        Pruned::Busy | Pruned::Done => Ok(false),
    }
}
