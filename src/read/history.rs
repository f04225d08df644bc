//! The runs before one: of the same identity, and of the same type and tenant. What the history strip
//! draws, and what "longer than usual" is said from.

use crate::error::ReadError;
use crate::moment;
use crate::row;
use chrono::{DateTime, Utc};
use opsroom_model::{RunId, RunState, TenantId};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};

/// Runs of each list, at most.
pub const MAX_HISTORY: u32 = 100;

/// A run of a history: how it ended and how long it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastRun {
    /// The run.
    pub id: RunId,
    /// Where it stands.
    pub state: RunState,
    /// When it was recorded.
    pub created_at: Option<DateTime<Utc>>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
}

/// Both newest first; the run itself is among them where it is among the last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Runs of the same identity. Empty where the login lacks the capability of the type.
    pub same: Vec<PastRun>,
    /// Runs of the same type and tenant.
    pub kind: Vec<PastRun>,
}

pub(crate) fn query(
    id: RunId,
    tenant: TenantId,
    run_type: &str,
    limit: u32,
) -> QueryBuilder<Postgres> {
    let limit = limit.clamp(1, MAX_HISTORY) as i32;
    let mut sql = QueryBuilder::new(
        "select true as same, h.id, h.status, h.outcome, h.created_at, h.started_at, h.completed_at \
         from opsroom.run_history(",
    );
    sql.push_bind(id.0).push(", ").push_bind(limit).push(
        ") h union all (select false, r.id, r.status, r.outcome, r.created_at, r.started_at, r.completed_at \
             from opsroom.operation_runs r where r.tenant_id = ",
    );
    sql.push_bind(tenant.0)
        .push(" and r.type = ")
        .push_bind(run_type.to_owned())
        .push(" order by r.created_at desc, r.id desc limit ")
        .push_bind(limit)
        .push(") order by same desc, created_at desc, id desc");
    sql
}

pub(crate) fn decode(rows: &[PgRow]) -> Result<History, ReadError> {
    let one = |row: &PgRow| -> Result<(bool, PastRun), sqlx::Error> {
        let run = PastRun {
            id: RunId(row.try_get("id")?),
            state: row::state(row.try_get("status")?, row.try_get("outcome")?)?,
            created_at: moment::optional(row, "created_at")?,
            started_at: moment::optional(row, "started_at")?,
            completed_at: moment::optional(row, "completed_at")?,
        };
        Ok((row.try_get("same")?, run))
    };
    let mut history = History::default();
    for row in rows {
        let (same, run) = one(row).map_err(ReadError::malformed)?;
        if same {
            history.same.push(run);
        } else {
            history.kind.push(run);
        }
    }
    Ok(history)
}
