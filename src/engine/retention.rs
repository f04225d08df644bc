//! Retention: completed runs are kept 90 days, or as long as their type says, then removed in small
//! batches. Each batch is one transaction with its line in the audit trail, so a prune may be stopped
//! and taken up again at any point, and two at once take turns. Never removed: active runs, runs that
//! ended lately, runs the rollups have not counted, `schedule_fires`. What may go is decided in the
//! database (`migrations/0015_retention.sql`).

use crate::deadline::{STATEMENT, within};
use crate::error::EngineError;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Row as _};
use std::time::Duration;

/// The name of the default among the types.
pub const DEFAULT: &str = "*";
/// Longest time for one batch, or for counting what a prune would remove.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the runs of one type are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The type; [`DEFAULT`] for all without an entry of their own.
    pub run_type: String,
    /// Days, 1 to 3650.
    pub days: i32,
}

/// What a prune would remove of one type now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prunable {
    /// The type.
    pub run_type: String,
    /// How many days its runs are kept.
    pub days: i32,
    /// Runs created and ended before this moment go.
    pub before: DateTime<Utc>,
    /// How many there are.
    pub runs: u64,
}

/// What one batch came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pruned {
    /// Somebody else prunes at this moment.
    Busy,
    /// So many runs of one type are gone.
    Batch {
        /// The type.
        run_type: String,
        /// How many.
        runs: u64,
    },
    /// Nothing is old enough.
    Done,
}

/// The default and every type with an entry of its own.
///
/// # Errors
/// The database fails.
pub async fn list(connection: &mut PgConnection) -> Result<Vec<Kept>, EngineError> {
    let rows =
        sqlx::query("select type, days from opsroom.retention order by type").fetch_all(connection);
    let rows = within(STATEMENT, rows).await?;
    Ok(rows
        .iter()
        .map(|row| Kept {
            run_type: row.get(0),
            days: row.get(1),
        })
        .collect())
}

/// Whether `run_type` is one: runs of it exist, or a program registered it. `None`: it is. Otherwise the
/// registered ones.
///
/// # Errors
/// The database fails or refuses.
pub async fn unknown_type(
    connection: &mut PgConnection,
    run_type: &str,
) -> Result<Option<Vec<String>>, EngineError> {
    let known = sqlx::query_scalar(
        "select exists (select from opsroom.operation_types where type = $1)
             or exists (select from opsroom.operation_runs where type = $1)",
    )
    .bind(run_type)
    .fetch_one(&mut *connection);
    if within(STATEMENT, known).await? {
        return Ok(None);
    }
    let types = sqlx::query_scalar("select type from opsroom.operation_types order by type");
    Ok(Some(within(STATEMENT, types.fetch_all(connection)).await?))
}

/// Keeps runs of `run_type` for `days` from now on; for the owner. Idempotent, and written to the audit
/// trail where it changes something.
///
/// # Errors
/// SQLSTATE 23514 where the type cannot be one or the days are out of range; the database fails.
pub async fn set(
    connection: &mut PgConnection,
    run_type: &str,
    days: i32,
) -> Result<(), EngineError> {
    let set = sqlx::query(
        "insert into opsroom.retention as r values ($1, $2)
         on conflict (type) do update set days = excluded.days where r.days <> excluded.days",
    )
    .bind(run_type)
    .bind(days)
    .execute(connection);
    within(STATEMENT, set).await.map(drop)
}

/// Takes the entry of `run_type` away, so that the default holds; for the owner. False where there was none.
///
/// # Errors
/// SQLSTATE 23514 for the default itself; the database fails.
pub async fn reset(connection: &mut PgConnection, run_type: &str) -> Result<bool, EngineError> {
    let reset = sqlx::query("delete from opsroom.retention where type = $1")
        .bind(run_type)
        .execute(connection);
    Ok(within(STATEMENT, reset).await?.rows_affected() > 0)
}

/// What a prune would remove; `default` stands in for the stored default.
///
/// # Errors
/// The database fails, or takes longer than a minute.
pub async fn prunable(
    connection: &mut PgConnection,
    default: Option<i32>,
) -> Result<Vec<Prunable>, EngineError> {
    let rows = sqlx::query("select run_type, days, before, runs from opsroom.prunable($1)")
        .bind(default)
        .fetch_all(connection);
    let rows = within(PATIENCE, rows).await?;
    Ok(rows
        .iter()
        .map(|row| Prunable {
            run_type: row.get(0),
            days: row.get(1),
            before: row.get(2),
            runs: row.get::<i64, _>(3).unsigned_abs(),
        })
        .collect())
}

/// Removes up to `limit` runs of one type. `default` stands in for the stored default and takes the
/// owner's login; without it a worker's will do. Call it until it says [`Pruned::Done`].
///
/// # Errors
/// The database fails, refuses the login, or takes longer than a minute: nothing was removed then.
pub async fn prune(
    connection: &mut PgConnection,
    limit: i32,
    default: Option<i32>,
) -> Result<Pruned, EngineError> {
    let query = match default {
        None => sqlx::query("select state, run_type, runs from opsroom.prune_runs($1)").bind(limit),
        Some(days) => {
            sqlx::query("select state, run_type, runs from opsroom.prune_runs_after($1, $2)")
                .bind(limit)
                .bind(days)
        }
    };
    let row = within(PATIENCE, query.fetch_one(connection)).await?;
    Ok(match row.get::<&str, _>("state") {
        "busy" => Pruned::Busy,
        "pruned" => Pruned::Batch {
            run_type: row.get("run_type"),
            runs: row.get::<i64, _>("runs").unsigned_abs(),
        },
        _ => Pruned::Done,
    })
}
