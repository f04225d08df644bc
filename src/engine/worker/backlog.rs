//! How much waits to be executed: for meters, so it looks at no more than a bounded number of rows.

use crate::deadline::within;
use crate::error::EngineError;
use sqlx::PgPool;
use std::time::Duration;

/// Runs counted at most; a number this high means "at least".
pub const COUNTED: i64 = 100_000;
const PATIENCE: Duration = Duration::from_secs(2);

/// What waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Backlog {
    /// Runs that could be claimed now, by type, first and repeated attempts; [`COUNTED`] at most in all.
    pub depths: Vec<(String, i64)>,
    /// How many seconds ago the oldest run was started that has never been claimed and could be.
    pub oldest_seconds: f64,
}

/// Looks once: one statement, 2 s at most.
///
/// # Errors
/// The database is away, or took too long.
pub async fn backlog(pool: &PgPool) -> Result<Backlog, EngineError> {
    let looked = sqlx::query_as::<_, (Option<String>, i64, f64)>(
        "select d.type, d.n, coalesce(extract(epoch from clock_timestamp() - o.oldest), 0)::float8
           from (select min(r.created_at) as oldest from opsroom.operation_runs r
                  where r.outcome = 'pending' and r.status = 'queued' and r.available_at <= now()) o
           left join lateral (
             select q.type, count(*) as n
               from (select r.type from opsroom.operation_runs r
                      where r.worker_id is null and r.available_at is not null and r.status <> 'completed'
                        and r.available_at <= now() limit $1) q
              group by q.type) d on true",
    )
    .bind(COUNTED)
    .fetch_all(pool);
    let rows = within(PATIENCE, looked).await?;
    Ok(Backlog {
        oldest_seconds: rows.first().map_or(0.0, |row| row.2),
        depths: rows
            .into_iter()
            .filter_map(|(run_type, n, _)| Some((run_type?, n)))
            .collect(),
    })
}
