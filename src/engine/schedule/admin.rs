//! Administering schedules, for a worker's or the owner's login. What cannot work is refused before it
//! is stored; the database audits every change in its transaction.

use super::missed::Missed;
use super::timetable::{Timetable, TimetableError};
use crate::access::Change;
use crate::error::{EngineError, StartError};
use crate::registry::Registry;
use chrono::{DateTime, Utc};
use opsroom_model::{RunId, TenantId};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{Acquire as _, PgConnection, Postgres, QueryBuilder, Row};
use thiserror::Error;

/// The most schedules one call returns.
pub const MOST: i64 = 10_000;

/// What a schedule is to be. Tenant and name make it the same one.
#[derive(Debug, Clone)]
pub struct NewSchedule<'a> {
    /// Whose it is.
    pub tenant: TenantId,
    /// 1 to 100 characters, unique within the tenant.
    pub name: &'a str,
    /// A registered type.
    pub run_type: &'a str,
    /// When, on the zone's clock.
    pub cron: &'a str,
    /// The IANA name of the zone.
    pub zone: &'a str,
    /// The operation's input as JSON; `null` stands for an empty object.
    pub input: Value,
    /// What becomes of missed fire times.
    pub missed: Missed,
}

/// A schedule as it is stored.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Never used again.
    pub id: i64,
    /// Whose it is.
    pub tenant: TenantId,
    /// The tenant's name.
    pub tenant_name: String,
    /// Unique within the tenant.
    pub name: String,
    /// What it starts.
    pub run_type: String,
    /// As stored: somebody may have written one by hand that is none.
    pub cron: String,
    /// As stored.
    pub zone: String,
    /// The operation's input as it would write it itself; `None` where this login may not read inputs.
    pub input: Option<Value>,
    /// What becomes of missed fire times.
    pub missed: Missed,
    /// Whether it fires at all.
    pub state: State,
    /// The next fire time; `None` while paused, or while nobody worked it out.
    pub next_fire_at: Option<DateTime<Utc>>,
    /// The last fire time that got a run, and the run, which may be pruned.
    pub last: Option<(DateTime<Utc>, RunId)>,
    /// Fire times without a run of their own, since it exists.
    pub missed_fires: i64,
    /// Why it does not fire: a stable code.
    pub error_code: Option<String>,
    /// Up to here everything is decided: the next fire time is the first one after it.
    pub decided_until: DateTime<Utc>,
}

/// Whether a schedule fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It does.
    Active,
    /// Not until it is resumed.
    Paused,
}

/// Which schedules. Empty: all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Which<'a> {
    /// Only this tenant's.
    pub tenant: Option<TenantId>,
    /// Only of this type.
    pub run_type: Option<&'a str>,
    /// Only of this name.
    pub name: Option<&'a str>,
}

/// What became of a schedule that was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is new.
    Added,
    /// It was there, and is different now.
    Changed,
    /// It was there just so.
    Already,
}

/// Why a schedule was not changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// Expression or zone are none.
    #[error(transparent)]
    Timetable(#[from] TimetableError),
    /// The type is unknown, or does not take the input.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The name is empty, too long, or has control characters.
    #[error("a schedule's name has 1 to 100 characters and no control characters")]
    BadName,
    /// The limit is not one.
    #[error("the limit of missed fire times is 1 to 1000")]
    BadLimit,
    /// There is none.
    #[error("there is no such schedule")]
    NotFound,
    /// The database failed or refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<sqlx::Error> for ScheduleError {
    fn from(error: sqlx::Error) -> Self {
        Self::Engine(error.into())
    }
}

/// Adds a schedule, or changes the tenant's one of that name. Fire times before now are not made up
/// for, neither a new schedule's nor those of a former expression.
///
/// Idempotent. One transaction, or a savepoint in the caller's.
///
/// # Errors
/// [`ScheduleError`]; nothing changed then.
pub async fn put(
    connection: &mut PgConnection,
    registry: &Registry,
    new: &NewSchedule<'_>,
) -> Result<(Schedule, Put), ScheduleError> {
    let timetable = Timetable::new(new.cron, new.zone)?;
    let input = match &new.input {
        Value::Null => serde_json::json!({}),
        input => input.clone(),
    };
    let input = registry.require(new.run_type)?.normalise(input)?;
    let (policy, limit) = new.missed.stored();
    let mut step = connection.begin().await?;
    let row = sqlx::query(
        "select schedule_id, change from opsroom.put_schedule($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(new.tenant.0)
    .bind(new.name)
    .bind(new.run_type)
    .bind(timetable.cron().as_str())
    .bind(timetable.zone().name())
    .bind(input)
    .bind(policy)
    .bind(limit)
    .fetch_one(&mut *step)
    .await
    .map_err(|error| refused(error.into(), new.tenant))?;
    let id = row.get(0);
    let put = match row.get::<&str, _>(1) {
        "added" => Put::Added,
        "changed" => Put::Changed,
        _ => Put::Already,
    };
    let schedule = plan(&mut step, id).await?;
    step.commit().await?;
    Ok((schedule, put))
}

fn refused(error: EngineError, tenant: TenantId) -> ScheduleError {
    let constraint = match &error {
        EngineError::Refused(refusal, _) => refusal.constraint.as_deref(),
        _ => None,
    };
    match constraint {
        Some("schedules_name_check") => ScheduleError::BadName,
        Some("schedules_missed_limit_check") => ScheduleError::BadLimit,
        Some("schedules_tenant_id_fkey") => StartError::UnknownTenant(tenant.to_string()).into(),
        _ => ScheduleError::Engine(error),
    }
}

/// Stops it from firing. What would have fired meanwhile is skipped, and not counted as missed.
///
/// # Errors
/// [`ScheduleError::NotFound`], or the database's.
pub async fn pause(connection: &mut PgConnection, id: i64) -> Result<Change, ScheduleError> {
    let changed: Option<bool> = sqlx::query_scalar("select opsroom.pause_schedule($1)")
        .bind(id)
        .fetch_one(connection)
        .await?;
    change(changed)
}

/// Lets it fire again, from now on.
///
/// # Errors
/// [`ScheduleError::NotFound`], or the database's.
pub async fn resume(connection: &mut PgConnection, id: i64) -> Result<Change, ScheduleError> {
    let mut step = connection.begin().await?;
    let changed: Option<bool> = sqlx::query_scalar("select opsroom.resume_schedule($1)")
        .bind(id)
        .fetch_one(&mut *step)
        .await?;
    if changed == Some(true) {
        plan(&mut step, id).await?;
    }
    step.commit().await?;
    change(changed)
}

/// Removes it, and the record of its fire times; its runs stay.
///
/// # Errors
/// [`ScheduleError::NotFound`], or the database's.
pub async fn remove(connection: &mut PgConnection, id: i64) -> Result<Change, ScheduleError> {
    let changed: Option<bool> = sqlx::query_scalar("select opsroom.remove_schedule($1)")
        .bind(id)
        .fetch_one(connection)
        .await?;
    change(changed)
}

fn change(changed: Option<bool>) -> Result<Change, ScheduleError> {
    match changed {
        Some(true) => Ok(Change::Made),
        Some(false) => Ok(Change::Already),
        None => Err(ScheduleError::NotFound),
    }
}

/// The schedules by tenant and name, [`MOST`] at most.
///
/// # Errors
/// Where the database fails or refuses.
pub async fn schedules(
    connection: &mut PgConnection,
    which: Which<'_>,
) -> Result<Vec<Schedule>, EngineError> {
    // Readers see schedules without what these start.
    let input: bool = sqlx::query_scalar(
        "select pg_catalog.has_column_privilege('opsroom.schedules', 'input', 'select')",
    )
    .fetch_one(&mut *connection)
    .await?;
    let mut query = select(input);
    query.push(" where true");
    if let Some(tenant) = which.tenant {
        query.push(" and s.tenant_id = ").push_bind(tenant.0);
    }
    if let Some(run_type) = which.run_type {
        query.push(" and s.type = ").push_bind(run_type);
    }
    if let Some(name) = which.name {
        query.push(" and s.name = ").push_bind(name);
    }
    query
        .push(" order by t.name, s.name limit ")
        .push_bind(MOST);
    let rows = query.build().fetch_all(connection).await?;
    Ok(rows.iter().map(decode).collect())
}

/// The database's time: what fire times are compared with.
///
/// # Errors
/// Where the database fails.
pub async fn now(connection: &mut PgConnection) -> Result<DateTime<Utc>, EngineError> {
    Ok(sqlx::query_scalar("select clock_timestamp()")
        .fetch_one(connection)
        .await?)
}

/// Notes down the next fire time where none is, so that it is known before any scheduler looks.
async fn plan(connection: &mut PgConnection, id: i64) -> Result<Schedule, EngineError> {
    let mut query = select(true);
    query.push(" where s.id = ").push_bind(id);
    let mut schedule = decode(&query.build().fetch_one(&mut *connection).await?);
    let plain = schedule.state == State::Active && schedule.next_fire_at.is_none();
    if plain && let Ok(timetable) = Timetable::new(&schedule.cron, &schedule.zone) {
        schedule.next_fire_at = timetable.after(schedule.decided_until);
        sqlx::query("update opsroom.schedules set next_fire_at = $2 where id = $1")
            .bind(id)
            .bind(schedule.next_fire_at)
            .execute(connection)
            .await?;
    }
    Ok(schedule)
}

fn select(input: bool) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("select ");
    query.push(if input {
        "s.input"
    } else {
        "null::jsonb as input"
    });
    query.push(
        ", s.id, s.tenant_id, t.name as tenant_name, s.name, s.type, s.cron, s.time_zone, s.missed, s.missed_limit,
                s.paused_at is not null as paused, s.next_fire_at, s.last_fire_at, s.last_run_id, s.missed_fires, s.error_code, s.decided_until
           from opsroom.schedules s join opsroom.tenants t on t.id = s.tenant_id",
    );
    query
}

fn decode(row: &PgRow) -> Schedule {
    let last: (Option<DateTime<Utc>>, Option<i64>) =
        (row.get("last_fire_at"), row.get("last_run_id"));
    Schedule {
        id: row.get("id"),
        tenant: TenantId(row.get("tenant_id")),
        tenant_name: row.get("tenant_name"),
        name: row.get("name"),
        run_type: row.get("type"),
        cron: row.get("cron"),
        zone: row.get("time_zone"),
        input: row.get("input"),
        missed: Missed::of_stored(row.get("missed"), row.get("missed_limit")),
        state: if row.get("paused") {
            State::Paused
        } else {
            State::Active
        },
        next_fire_at: row.get("next_fire_at"),
        last: last.0.zip(last.1.map(RunId)),
        missed_fires: row.get("missed_fires"),
        error_code: row.get("error_code"),
        decided_until: row.get("decided_until"),
    }
}
