//! Counting days anew from their runs, and comparing them. Both go day by day, each day in a
//! transaction of its own and as of the last tick, so workers go on ticking in between.

use super::{PATIENCE, catch_up};
use crate::deadline::within;
use crate::error::EngineError;
use chrono::NaiveDate;
use sqlx::{PgConnection, Row as _};

/// A day that was counted anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuilt {
    /// The UTC day.
    pub day: NaiveDate,
    /// The runs it counts now, those of types aside whose runs of that day may be pruned.
    pub runs: u64,
}

/// A day whose rollups are not what its runs say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The UTC day.
    pub day: NaiveDate,
    /// Which of its rollups.
    pub what: String,
}

/// What a comparison came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// What differs, oldest day first; empty where all is well.
    pub differing: Vec<Difference>,
    /// Days that runs may have been pruned of: their other types were compared, those were not.
    pub pruned: Vec<NaiveDate>,
}

/// What the database calls a day of which nothing can be said.
const PRUNED: &str = "not comparable: pruned";

/// Counts every day anew, oldest first, then what is derived from days. `progress` is told of each
/// day, with its place and how many there are. Idempotent; cancelled, the days done stay done.
/// Types whose runs of a day may be pruned keep the counts they have of it.
///
/// # Errors
/// The database fails, or takes longer than a minute for one day.
pub async fn rebuild(
    connection: &mut PgConnection,
    mut progress: impl FnMut(Rebuilt, usize, usize),
) -> Result<usize, EngineError> {
    catch_up(connection).await?;
    let days = span(connection).await?;
    for (at, day) in days.iter().enumerate() {
        if let Some(rebuilt) = one(connection, Some(*day)).await? {
            progress(rebuilt, at + 1, days.len());
        }
    }
    loop {
        let refresh =
            sqlx::query_scalar("select opsroom.rollup_refresh(true)").fetch_one(&mut *connection);
        if within(PATIENCE, refresh).await? {
            return Ok(days.len());
        }
        // A redaction or a restart has made days wait meanwhile.
        catch_up(connection).await?;
    }
}

/// Compares every day with its runs, as of the last tick, and changes nothing. `progress` is told of
/// each day before it is looked at, with its place and how many there are.
///
/// # Errors
/// The database fails, or takes longer than a minute for one day.
pub async fn check(
    connection: &mut PgConnection,
    mut progress: impl FnMut(NaiveDate, usize, usize),
) -> Result<Checked, EngineError> {
    let days = span(connection).await?;
    let mut checked = Checked::default();
    for (at, day) in days.iter().enumerate() {
        progress(*day, at + 1, days.len());
        let differs = sqlx::query_scalar("select differs from opsroom.rollup_check($1)")
            .bind(day)
            .fetch_all(&mut *connection);
        let differs: Vec<String> = within(PATIENCE, differs).await?;
        for what in differs {
            if what == PRUNED {
                checked.pruned.push(*day);
            } else {
                checked.differing.push(Difference { day: *day, what });
            }
        }
    }
    Ok(checked)
}

/// `None` for `day`: the newest pending one.
pub(super) async fn one(
    connection: &mut PgConnection,
    day: Option<NaiveDate>,
) -> Result<Option<Rebuilt>, EngineError> {
    let row = sqlx::query("select day, coalesce(runs, 0) as runs from opsroom.rollup_rebuild($1)")
        .bind(day)
        .fetch_one(connection);
    let row = within(PATIENCE, row).await?;
    let day: Option<NaiveDate> = row.get("day");
    Ok(day.map(|day| Rebuilt {
        day,
        runs: row.get::<i64, _>("runs").unsigned_abs(),
    }))
}

async fn span(connection: &mut PgConnection) -> Result<Vec<NaiveDate>, EngineError> {
    let days =
        sqlx::query_scalar("select rollup_span from opsroom.rollup_span()").fetch_all(connection);
    within(PATIENCE, days).await
}
