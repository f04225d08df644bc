//! Schedules as a console shows them: what comes next, what was last, what was missed, what is wrong.
//! All of it is stored by schedulers; no cron expression or time zone is worked out here.

use crate::error::ReadError;
use crate::moment;
use crate::row::state;
use chrono::{DateTime, Utc};
use opsroom_model::{Clean, RunId, RunState, TenantId};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};

/// The most schedules one call returns.
pub const MOST: usize = 1000;

/// The schedules a login sees.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedules {
    /// Those that cannot fire first, then by next fire time; the paused last.
    pub rows: Vec<ScheduleRow>,
    /// True where there are more than [`MOST`].
    pub more: bool,
    /// The database's time of this answer.
    pub as_of: DateTime<Utc>,
}

/// One schedule. Every text is safe to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleRow {
    /// Never used again.
    pub id: i64,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The tenant's name.
    pub tenant: Clean,
    /// Unique within the tenant.
    pub name: Clean,
    /// What it starts.
    pub run_type: Clean,
    /// The expression, as stored.
    pub cron: Clean,
    /// The zone whose clock counts, as stored.
    pub zone: Clean,
    /// `skip`, `fire_once` or `fire_all`.
    pub missed: Clean,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// Since when it is paused.
    pub paused_at: Option<DateTime<Utc>>,
    /// The next fire time; in the past where no worker honours it. `None` while paused, or where it
    /// cannot be worked out.
    pub next_fire_at: Option<DateTime<Utc>>,
    /// The last fire time that got a run.
    pub last_fire_at: Option<DateTime<Utc>>,
    /// That run, and where it stands; no state where it was pruned.
    pub last_run: Option<(RunId, Option<RunState>)>,
    /// Fire times that passed without a run of their own, since it exists.
    pub missed_fires: i64,
    /// The newest of them.
    pub last_missed_at: Option<DateTime<Utc>>,
    /// Why it does not fire: a stable code of the catalogue.
    pub error: Option<Clean>,
}

pub(crate) fn query() -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new(
        "select now() as as_of, s.*, n.name as tenant, r.status, r.outcome \
           from (select 1) once \
           left join (select s.id, s.tenant_id, s.name, s.type, s.cron, s.time_zone, s.missed, s.created_at, s.paused_at, \
                      s.next_fire_at, s.last_fire_at, s.last_run_id, s.missed_fires, s.last_missed_at, s.error_code \
                 from opsroom.schedules s \
                order by s.paused_at is not null, s.error_code is null, s.next_fire_at nulls last, s.id limit ",
    );
    sql.push_bind(MOST as i64 + 1);
    sql.push(
        ") s on true \
           left join opsroom.tenants n on n.id = s.tenant_id \
           left join opsroom.operation_runs r on r.id = s.last_run_id and r.tenant_id = s.tenant_id \
          order by s.paused_at is not null, s.error_code is null, s.next_fire_at nulls last, s.id",
    );
    sql
}

pub(crate) fn decode(rows: &[PgRow]) -> Result<Schedules, ReadError> {
    let all = || -> Result<Schedules, sqlx::Error> {
        let as_of = match rows.first() {
            Some(row) => moment::always(row, "as_of")?,
            None => return Err(sqlx::Error::RowNotFound),
        };
        let mut found = Vec::with_capacity(rows.len().min(MOST));
        for row in rows.iter().take(MOST) {
            if let Some(id) = row.try_get("id")? {
                found.push(schedule(row, id)?);
            }
        }
        Ok(Schedules {
            rows: found,
            more: rows.len() > MOST,
            as_of,
        })
    };
    all().map_err(ReadError::malformed)
}

fn schedule(row: &PgRow, id: i64) -> Result<ScheduleRow, sqlx::Error> {
    let tenant_id: i64 = row.try_get("tenant_id")?;
    let tenant: Option<String> = row.try_get("tenant")?;
    let text = |name: &str, most: usize| -> Result<Clean, sqlx::Error> {
        Ok(Clean::limited(row.try_get(name)?, most))
    };
    let run: Option<i64> = row.try_get("last_run_id")?;
    let run_state = match (row.try_get("status")?, row.try_get("outcome")?) {
        (Some(status), Some(outcome)) => Some(state(status, outcome)?),
        _ => None,
    };
    Ok(ScheduleRow {
        id,
        tenant_id: TenantId(tenant_id),
        tenant: tenant.map_or_else(
            || Clean::new(&format!("#{tenant_id}")),
            |name| Clean::limited(&name, 120),
        ),
        name: text("name", 120)?,
        run_type: text("type", 120)?,
        cron: text("cron", 200)?,
        zone: text("time_zone", 64)?,
        missed: text("missed", 20)?,
        created_at: moment::always(row, "created_at")?,
        paused_at: row
            .try_get::<Option<moment::Moment>, _>("paused_at")?
            .map(moment::Moment::nearest),
        next_fire_at: moment::optional(row, "next_fire_at")?,
        last_fire_at: moment::optional(row, "last_fire_at")?,
        last_run: run.map(|run| (RunId(run), run_state)),
        missed_fires: row.try_get("missed_fires")?,
        last_missed_at: moment::optional(row, "last_missed_at")?,
        error: row
            .try_get::<Option<String>, _>("error_code")?
            .map(|code| Clean::limited(&code, 64)),
    })
}
