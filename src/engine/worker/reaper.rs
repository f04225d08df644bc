//! Takes from dead workers what they held. Every worker does it; the database lets one of them act.
//! Two steps in transactions of their own: first the worker is declared dead, once and for ever, then
//! its runs are released in pages. One statement doing both would let a live worker lose its run.

use crate::deadline::{STATEMENT, within};
use crate::error::EngineError;
use opsroom_model::FailureKind;
use sqlx::{PgPool, Row};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

const PAGE: i32 = 200;
/// The longest wait between two looks: a worker with a shorter lease than all others may come.
const LONGEST: Duration = Duration::from_secs(10);

/// Looks whenever the next lease would run out if nobody beat any more: a worker that died is found at
/// once after its lease, and one that beats costs one look a lease. `poll` spreads the looks of many.
/// `over` is told once runs were ended here.
pub(super) async fn reap_until(
    pool: PgPool,
    lease: Duration,
    poll: Duration,
    over: Arc<Notify>,
    stop: CancellationToken,
) {
    let longest = lease.min(LONGEST);
    loop {
        let next = match reap(&pool, &over).await {
            Ok(next) => next.unwrap_or(longest).min(longest),
            Err(error) => {
                tracing::debug!(%error, "reaping failed; trying again");
                poll.max(Duration::from_secs(1)).min(longest)
            }
        };
        let wait = next
            + poll
                .mul_f64(0.5 * super::finish::spread())
                .min(LONGEST / 10);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Says when the next lease runs out, where there is any. One statement where nobody died.
async fn reap(pool: &PgPool, over: &Notify) -> Result<Option<Duration>, EngineError> {
    let (due, next) = look(pool).await?;
    if !due {
        return Ok(next);
    }
    let dead = sqlx::query("select declare_dead from opsroom.declare_dead()").fetch_all(pool);
    for row in within(STATEMENT, dead).await? {
        let worker: uuid::Uuid = row.get(0);
        tracing::warn!(%worker, "declared dead: its lease ran out");
    }
    let lost = FailureKind::WorkerLost.failure();
    loop {
        let page = sqlx::query("select run_id, ended from opsroom.release_dead($1, $2)")
            .bind(PAGE)
            .bind(lost.message.as_str())
            .fetch_all(pool);
        let page = within(STATEMENT, page).await?;
        if !page.is_empty() {
            let ended = page.iter().filter(|row| row.get::<bool, _>(1)).count();
            tracing::warn!(runs = page.len(), ended, "taken from dead workers");
            if ended > 0 {
                over.notify_one();
            }
            // Idle workers look rarely where nobody tells them.
            let wake = sqlx::query("select pg_notify('opsroom_runs', '')").execute(pool);
            within(STATEMENT, wake).await?;
        }
        for row in &page {
            tracing::debug!(run_id = row.get::<i64, _>(0), "taken from a dead worker");
        }
        if page.len() < PAGE as usize {
            break;
        }
    }
    Ok(look(pool).await?.1)
}

/// Whether a lease has run out or a dead worker still holds runs, and when the next lease runs out.
async fn look(pool: &PgPool) -> Result<(bool, Option<Duration>), EngineError> {
    let looked = sqlx::query_as(
        "select coalesce(bool_or(w.dead_at is null and w.beat_at + w.lease < clock_timestamp()), false)
                or exists (select from opsroom.operation_runs r join opsroom.workers d on d.id = r.worker_id
                            where r.status = 'running' and r.worker_id is not null and r.available_at is not null
                              and d.dead_at is not null),
                extract(epoch from min(w.beat_at + w.lease) filter (where w.dead_at is null) - clock_timestamp())::float8
           from opsroom.workers w",
    )
    .fetch_one(pool);
    let (due, next): (bool, Option<f64>) = within(STATEMENT, looked).await?;
    let next = next.map(|seconds| Duration::from_secs_f64(seconds.max(0.0)));
    Ok((due, next))
}
