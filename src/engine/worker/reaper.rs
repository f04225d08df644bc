//! Takes from dead workers what they held. Every worker does it; the database lets one of them act.
//! Two steps in transactions of their own: first the worker is declared dead, once and for ever, then
//! its runs are released in pages. One statement doing both would let a live worker lose its run.

use crate::deadline::{STATEMENT, within};
use crate::error::EngineError;
use opsroom_model::FailureKind;
use sqlx::{PgPool, Row};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const PAGE: i32 = 200;

pub(super) async fn reap_until(pool: PgPool, lease: Duration, stop: CancellationToken) {
    let every = (lease / 3).min(Duration::from_secs(10));
    loop {
        if let Err(error) = reap(&pool).await {
            tracing::debug!(%error, "reaping failed; trying again");
        }
        let wait = every.mul_f64(0.75 + 0.5 * super::finish::spread());
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn reap(pool: &PgPool) -> Result<(), EngineError> {
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
        for row in &page {
            let (run, ended): (i64, bool) = (row.get(0), row.get(1));
            tracing::warn!(run, ended, "taken from a dead worker");
        }
        if page.len() < PAGE as usize {
            return Ok(());
        }
    }
}
