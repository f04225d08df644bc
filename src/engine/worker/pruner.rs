//! Forgets old notifications, a few at a time. Every worker does it; what one deleted the next does not
//! find. How long they stay is the database's setting. Not here: the retention of runs.

use crate::deadline::{STATEMENT, within};
use crate::error::EngineError;
use sqlx::PgPool;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Rows deleted with one statement.
const PAGE: i32 = 1000;
const EVERY: Duration = Duration::from_secs(600);

pub(super) async fn prune_until(pool: PgPool, stop: CancellationToken) {
    loop {
        if let Err(error) = prune(&pool, &stop).await {
            tracing::debug!(%error, "pruning notifications failed; trying again later");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY.mul_f64(0.75 + 0.5 * super::finish::spread())) => {}
        }
    }
}

async fn prune(pool: &PgPool, stop: &CancellationToken) -> Result<(), EngineError> {
    loop {
        let page = sqlx::query_scalar("select opsroom.prune_notifications($1)")
            .bind(PAGE)
            .fetch_one(pool);
        let gone: i64 = within(STATEMENT, page).await?;
        if gone > 0 {
            tracing::info!(gone, "notifications pruned");
        }
        if gone < i64::from(PAGE) || stop.is_cancelled() {
            return Ok(());
        }
    }
}
