//! What schedulers read and write: which schedules are due, their fire times on record, what a turn
//! leaves behind. `given` is another time than the database's, which counts otherwise.

use super::missed::Missed;
use crate::error::EngineError;
use chrono::{DateTime, Utc};
use opsroom_model::{RunId, TenantId};
use serde_json::Value;
use sqlx::{PgConnection, PgPool, Row};
use std::time::Duration;

/// Schedules looked at in one round.
pub(super) const ROUND: i64 = 100;
/// Skipped fire times of one turn that are recorded one by one; more are only counted.
const RECORDED: usize = 100;

/// A due schedule, its row locked.
pub(super) struct Due {
    pub(super) id: i64,
    pub(super) tenant: TenantId,
    pub(super) run_type: String,
    pub(super) cron: String,
    pub(super) zone: String,
    pub(super) input: Value,
    pub(super) missed: Missed,
    pub(super) decided_until: DateTime<Utc>,
    pub(super) next_fire_at: Option<DateTime<Utc>>,
    pub(super) now: DateTime<Utc>,
}

/// The schedules to look at, oldest first, and how long until the next one if these are done. One
/// of a type that is unknown here is left to others, and reported where none of them came.
pub(super) async fn due(
    pool: &PgPool,
    given: Option<DateTime<Utc>>,
    types: &[String],
) -> Result<(Vec<i64>, Option<Duration>), EngineError> {
    let row = sqlx::query(
        "with now as materialized (select coalesce($1, clock_timestamp()) as at)
         select array(
           select s.id from opsroom.schedules s, now
            where s.paused_at is null and (s.next_fire_at is null or s.next_fire_at <= now.at)
              and (s.next_fire_at is null or s.type = any ($2)
                   or (s.error_code is null and s.next_fire_at <= now.at - interval '1 minute'))
              and (s.error_at is null or s.error_at not between now.at - interval '1 minute' and now.at + interval '1 minute')
            order by s.next_fire_at nulls first limit $3),
           (select extract(epoch from min(s.next_fire_at) - (select at from now))::float8 from opsroom.schedules s
             where s.paused_at is null and s.next_fire_at > (select at from now))",
    )
    .bind(given)
    .bind(types)
    .bind(ROUND)
    .fetch_one(pool)
    .await?;
    let seconds: Option<f64> = row.get(1);
    let wait = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    Ok((row.get(0), wait))
}

/// Takes a due schedule; `None` where another scheduler has it, or it is not due any more.
pub(super) async fn lock(
    connection: &mut PgConnection,
    given: Option<DateTime<Utc>>,
    schedule: i64,
) -> Result<Option<Due>, EngineError> {
    let row = sqlx::query(
        "select s.id, s.tenant_id, s.type, s.cron, s.time_zone, s.input, s.missed, s.missed_limit, s.decided_until,
                s.next_fire_at, now.at
           from opsroom.schedules s, (select coalesce($2, clock_timestamp()) as at) now
          where s.id = $1 and s.paused_at is null and (s.next_fire_at is null or s.next_fire_at <= now.at)
            for no key update of s skip locked",
    )
    .bind(schedule)
    .bind(given)
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Due {
        id: row.get(0),
        tenant: TenantId(row.get(1)),
        run_type: row.get(2),
        cron: row.get(3),
        zone: row.get(4),
        input: row.get(5),
        missed: Missed::of_stored(row.get(6), row.get(7)),
        decided_until: row.get(8),
        next_fire_at: row.get(9),
        now: row.get(10),
    }))
}

/// Those that nobody decided yet. There are others only where somebody set `decided_until` back.
pub(super) async fn unrecorded(
    connection: &mut PgConnection,
    due: &Due,
    times: &[DateTime<Utc>],
) -> Result<Vec<DateTime<Utc>>, EngineError> {
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return Ok(Vec::new());
    };
    let recorded: Vec<DateTime<Utc>> = sqlx::query_scalar(
        "select fire_at from opsroom.schedule_fires where schedule_id = $1 and fire_at between $2 and $3 order by 1",
    )
    .bind(due.id)
    .bind(first)
    .bind(last)
    .fetch_all(connection)
    .await?;
    let open = times
        .iter()
        .filter(|at| recorded.binary_search(at).is_err());
    Ok(open.copied().collect())
}

pub(super) async fn record_skipped(
    connection: &mut PgConnection,
    due: &Due,
    skip: &[DateTime<Utc>],
) -> Result<(), EngineError> {
    let newest = &skip[skip.len().saturating_sub(RECORDED)..];
    if !newest.is_empty() {
        sqlx::query(
            "insert into opsroom.schedule_fires (tenant_id, schedule_id, fire_at) select $1, $2, unnest($3::timestamptz[])
             on conflict do nothing",
        )
        .bind(due.tenant.0)
        .bind(due.id)
        .bind(newest)
        .execute(connection)
        .await?;
    }
    Ok(())
}

/// What a turn leaves behind.
pub(super) struct Outcome<'a> {
    pub(super) until: DateTime<Utc>,
    pub(super) next: DateTime<Utc>,
    pub(super) last: Option<(DateTime<Utc>, RunId)>,
    pub(super) skip: &'a [DateTime<Utc>],
}

pub(super) async fn save(
    connection: &mut PgConnection,
    due: &Due,
    outcome: Outcome<'_>,
) -> Result<(), EngineError> {
    sqlx::query(
        "update opsroom.schedules
            set decided_until = $2, next_fire_at = $3,
                last_fire_at = coalesce($4, last_fire_at), last_run_id = coalesce($5, last_run_id),
                missed_fires = missed_fires + $6, last_missed_at = coalesce($7, last_missed_at),
                error_code = null, error_at = null
          where id = $1",
    )
    .bind(due.id)
    .bind(outcome.until)
    .bind(outcome.next)
    .bind(outcome.last.map(|(fire_at, _)| fire_at))
    .bind(outcome.last.map(|(_, run)| run.0))
    .bind(outcome.skip.len() as i64)
    .bind(outcome.skip.last())
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes down why a schedule does not fire, and logs it the first time.
pub(super) async fn mark(
    pool: &PgPool,
    given: Option<DateTime<Utc>>,
    schedule: i64,
    code: &'static str,
) -> Result<(), EngineError> {
    let before: Option<Option<String>> = sqlx::query_scalar(
        "with before as (select id, error_code from opsroom.schedules where id = $1 for no key update skip locked)
         update opsroom.schedules s set error_code = $2, error_at = coalesce($3, clock_timestamp())
           from before where s.id = before.id returning before.error_code",
    )
    .bind(schedule)
    .bind(code)
    .bind(given)
    .fetch_optional(pool)
    .await?;
    if before.is_some_and(|before| before.as_deref() != Some(code)) {
        tracing::warn!(schedule, code, "a schedule cannot fire");
    }
    Ok(())
}
