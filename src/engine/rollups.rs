//! Rollups: completed runs counted by the UTC hour and day they were created in, per tenant, type and
//! failure code, with histograms of duration and queue wait. What a tick, a recount and a comparison
//! do is in the database (`migrations/0014_rollups.sql`); here is who calls them, in which order and
//! for how long. Not here: reading them (`opsroom-read`).
//!
//! Every function works on the login of a worker or of the owner, and may run beside others: one
//! ticks, the rest skip. Dropping a future abandons the call; the server finishes or undoes it whole.

mod rebuild;

pub use rebuild::{Checked, Difference, Rebuilt, check, rebuild};

use crate::deadline::within;
use crate::error::EngineError;
use sqlx::{PgConnection, Row as _};
use std::time::Duration;

/// Longest time for one tick, one day counted anew, or one comparison: the largest of them read a
/// day of runs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a tick came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    /// Somebody else ticks at this moment.
    Busy,
    /// Somebody ticked within the rest.
    Rested,
    /// So many runs were counted.
    Folded(u64),
    /// The database was restored from a dump and its runs carry transaction numbers of another
    /// server; so many were given a neutral one. Tick again.
    Restamped(u64),
    /// The backlog was too large or the server is another one: all days are counted anew.
    Restarted,
}

/// A tick, and what is left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticked {
    /// What happened.
    pub tick: Tick,
    /// Days that wait for [`rebuild_pending`].
    pub pending: u64,
    /// True where [`refresh`] is due.
    pub stale: bool,
}

/// Folds what was completed since the last tick, unless somebody did within `rest` (zero: always).
/// Bounded: about 50,000 runs, more only where one transaction wrote them. No run is counted twice,
/// whoever ticks how often.
///
/// # Errors
/// The database fails, or takes longer than a minute.
pub async fn tick(connection: &mut PgConnection, rest: Duration) -> Result<Ticked, EngineError> {
    let row = sqlx::query(
        "select t.state, t.runs, coalesce(t.pending, 0) as pending, coalesce(t.stale, false) as stale
           from opsroom.rollup_tick(p_rest => make_interval(secs => $1)) t",
    )
    .bind(rest.as_secs_f64())
    .fetch_one(connection);
    let row = within(PATIENCE, row).await?;
    let runs = row.get::<i64, _>("runs").unsigned_abs();
    let tick = match row.get::<&str, _>("state") {
        "busy" => Tick::Busy,
        "rested" => Tick::Rested,
        "restamped" => Tick::Restamped(runs),
        "restarted" => Tick::Restarted,
        _ => Tick::Folded(runs),
    };
    Ok(Ticked {
        tick,
        pending: row.get::<i64, _>("pending").unsigned_abs(),
        stale: row.get("stale"),
    })
}

/// Counts the newest pending day from its runs. `None` where no day is pending.
///
/// # Errors
/// The database fails, or takes longer than a minute.
pub async fn rebuild_pending(
    connection: &mut PgConnection,
) -> Result<Option<Rebuilt>, EngineError> {
    rebuild::one(connection, None).await
}

/// Sums up the last 30 days anew. Wanted once a day and after days were counted anew; false while days
/// are pending.
///
/// # Errors
/// The database fails, or takes longer than a minute.
pub async fn refresh(connection: &mut PgConnection) -> Result<bool, EngineError> {
    let done = sqlx::query_scalar("select opsroom.rollup_refresh()").fetch_one(connection);
    within(PATIENCE, done).await
}

/// Ticks until every run completed before the call is counted, whatever that takes: pending days and
/// the last 30 days included. Where others tick, it waits for them.
///
/// # Errors
/// The database fails.
pub async fn catch_up(connection: &mut PgConnection) -> Result<(), EngineError> {
    loop {
        let ticked = tick(connection, Duration::ZERO).await?;
        match ticked.tick {
            Tick::Busy => tokio::time::sleep(Duration::from_millis(20)).await,
            // A slice was cut off where there were more.
            Tick::Folded(runs) if runs >= SLICE => {}
            Tick::Folded(_) | Tick::Rested => {
                while rebuild_pending(connection).await?.is_some() {}
                if ticked.stale || ticked.pending > 0 {
                    refresh(connection).await?;
                }
                return Ok(());
            }
            Tick::Restamped(_) | Tick::Restarted => {}
        }
    }
}

/// Runs a tick folds before it leaves the rest to the next one.
const SLICE: u64 = 50_000;
