//! Exact counts of completed runs from the rollups, and the sparkline. Of the window's first hour or day
//! what it has is counted from the runs by indexes alone, or what it has not, whichever is shorter; whole
//! days and hours come from the rollups, what ended since the last tick is added: one statement, so one
//! state of the database.

use crate::error::ReadError;
use crate::headline::Capped;
use crate::rollup::{self, TAIL};
use crate::scope::Scope;
use chrono::{DateTime, TimeDelta, Utc};
use opsroom_model::Bucket;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};

/// A tenant has 30 rows of days: up to so many tenants, these cost less than planning to read another
/// table.
const FEW_TENANTS: usize = 8;

/// Hours of a sparkline.
pub const HOURS: i32 = 24;

/// One hour of a sparkline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// When the hour began, UTC.
    pub hour: DateTime<Utc>,
    /// Runs created in it that have ended.
    pub ended: u64,
    /// Those of them that failed; partial ones not.
    pub failed: u64,
}

const OUTCOMES: [(Bucket, &str); 4] = [
    (Bucket::Succeeded, "succeeded"),
    (Bucket::Partial, "partially_succeeded"),
    (Bucket::Failed, "failed"),
    (Bucket::Cancelled, "cancelled"),
];

/// Counts of completed runs; `ready` false where the rollups have not caught up.
pub(crate) fn query(scope: &Scope) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("");
    rollup::push_state(&mut sql, scope, rollup::window(scope));
    // Hours of single tenants are kept for two days; before them what the window has of its first day is
    // counted live, or what it has not, whichever is shorter.
    let hourly = if scope.tenants.is_none() {
        "true"
    } else {
        "s.since >= s.hours_from"
    };
    sql.push(format_args!(
        ", edge as materialized (select s.since, s.first_day, s.first_day::timestamp at time zone 'UTC' as day_from, \
             (s.first_day + 1)::timestamp at time zone 'UTC' as day_to, {hourly} as hourly from s), \
         b as materialized (select x.since, x.day_from, x.day_to, x.less, \
             case when x.hourly then date_trunc('hour', x.since, 'UTC') + interval '1 hour' else x.day_to end as hours_from, \
             case when x.less then x.first_day else x.first_day + 1 end as first_day \
             from (select e.*, not e.hourly and e.since - e.day_from < interval '12 hours' as less from edge e) x), part as (\
         select sum(d.succeeded) as succeeded, sum(d.partially_succeeded) as partially_succeeded, sum(d.failed) as failed, \
                sum(d.cancelled) as cancelled, 0::int8 as tail \
           from opsroom.rollup_days d where d.day >= (select b.first_day from b)",
    ));
    let is_many = |many: &Vec<i64>| many.len() > FEW_TENANTS;
    let has_sum = scope.tenants.as_ref().is_some_and(is_many);
    if has_sum {
        sql.push(format_args!(
            " and d.day <= (select case when {IS_KEPT} then s.first_day else 'infinity' end from s)"
        ));
    }
    rollup::push_tenants(&mut sql, "d", scope);
    rollup::push_types(&mut sql, "d", scope);
    if has_sum {
        push_recent(&mut sql, scope);
    }
    sql.push(
        " union all select sum(h.succeeded), sum(h.partially_succeeded), sum(h.failed), sum(h.cancelled), 0 \
           from opsroom.rollup_hours h where h.hour >= (select b.hours_from from b) and h.hour < (select b.day_to from b)",
    );
    rollup::push_tenants(&mut sql, "h", scope);
    rollup::push_each_type(&mut sql, "h", scope);
    push_live(&mut sql, scope);
    sql.push(
        " union all select count(*) filter (where r.outcome = 'succeeded'), \
           count(*) filter (where r.outcome = 'partially_succeeded'), count(*) filter (where r.outcome = 'failed'), \
           count(*) filter (where r.outcome = 'cancelled'), (select count(*) from tail) from ",
    );
    rollup::push_tail(&mut sql, scope);
    sql.push(" r where r.created_at >= (select case when b.less then b.day_from else b.hours_from end from b))");
    sql.push(
        " select (select s.ready from s) as ready, coalesce(sum(p.tail), 0)::int8 as tail, \
           coalesce(sum(p.succeeded), 0)::int8 as succeeded, coalesce(sum(p.partially_succeeded), 0)::int8 as partially_succeeded, \
           coalesce(sum(p.failed), 0)::int8 as failed, coalesce(sum(p.cancelled), 0)::int8 as cancelled from part p",
    );
    sql
}

/// True where the window's whole days are those whose sum is kept, as those of the default one are once it
/// was summed up today.
const IS_KEPT: &str = "s.recent_from = s.first_day + 1";

/// Pushes what is kept of many tenants: the row of each that has the sum stands for its days.
fn push_recent(sql: &mut QueryBuilder<Postgres>, scope: &Scope) {
    sql.push(format_args!(
        " union all select sum(n.succeeded), sum(n.partially_succeeded), sum(n.failed), sum(n.cancelled), 0 \
           from opsroom.rollup_recent n where (select {IS_KEPT} from s)"
    ));
    rollup::push_tenants(sql, "n", scope);
    rollup::push_types(sql, "n", scope);
}

/// Few runs did not succeed and an index holds them; the rest is what is left of all. Outcomes are
/// listed, since by `<>` the index could not be entered at the window.
fn push_live(sql: &mut QueryBuilder<Postgres>, scope: &Scope) {
    let range = " r.created_at >= (select case when b.less then b.day_from else b.since end from b) \
         and r.created_at < (select case when b.less then b.since else b.hours_from end from b)";
    sql.push(" union all select y.sign * y.succeeded, y.sign * y.partially_succeeded, y.sign * y.failed, y.sign * y.cancelled, 0 \
         from (select (select case when b.less then -1 else 1 end from b) as sign, \
           (select count(*) from opsroom.operation_runs r where")
        .push(range);
    rollup::push_runs(sql, scope);
    sql.push(
        ") - x.others as succeeded, x.partially_succeeded, x.failed, x.cancelled from (\
           select count(*) as others, count(*) filter (where r.outcome = 'partially_succeeded') as partially_succeeded, \
             count(*) filter (where r.outcome = 'failed') as failed, count(*) filter (where r.outcome = 'cancelled') as cancelled \
             from opsroom.operation_runs r \
             where r.outcome in ('pending', 'partially_succeeded', 'failed', 'cancelled') and",
    )
    .push(range);
    rollup::push_runs(sql, scope);
    sql.push(") x) y");
}

/// `None` where the rollups cannot answer yet.
pub(crate) fn decode(row: &PgRow) -> Result<Option<Vec<(Bucket, Capped)>>, ReadError> {
    let read = || -> Result<_, sqlx::Error> {
        if row.try_get::<Option<bool>, _>("ready")? != Some(true) {
            return Ok(None);
        }
        let more = row.try_get::<i64, _>("tail")? > TAIL;
        let of = |(bucket, name): (Bucket, &str)| -> Result<_, sqlx::Error> {
            let n = row.try_get::<i64, _>(name)?.max(0).unsigned_abs();
            Ok((bucket, Capped { n, more }))
        };
        OUTCOMES
            .into_iter()
            .map(of)
            .collect::<Result<_, _>>()
            .map(Some)
    };
    read().map_err(ReadError::malformed)
}

/// One row an hour that has any, with the beginning of the current one.
pub(crate) fn sparkline(scope: &Scope) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("");
    rollup::push_state(&mut sql, scope, 3600 * i64::from(HOURS - 1));
    sql.push(
        ", f as materialized (select date_trunc('hour', s.since, 'UTC') as hour from s), part as (\
         select h.hour, sum(h.succeeded + h.partially_succeeded + h.failed + h.cancelled) as ended, sum(h.failed) as failed \
           from opsroom.rollup_hours h where ",
    );
    match scope.tenants {
        // Compared as a row, so that the index on hours, where every tenant has its own, is out of the question.
        None => {
            sql.push("(h.tenant_id, h.hour) >= (0, (select f.hour from f)) and h.tenant_id <= 0");
        }
        Some(_) => {
            sql.push("h.hour >= (select f.hour from f)");
            rollup::push_tenants(&mut sql, "h", scope);
        }
    }
    rollup::push_each_type(&mut sql, "h", scope);
    sql.push(
        " group by h.hour union all select date_trunc('hour', r.created_at, 'UTC'), count(*), \
           count(*) filter (where r.outcome = 'failed') from ",
    );
    rollup::push_tail(&mut sql, scope);
    sql.push(
        " r where r.created_at >= (select f.hour from f) group by 1) \
         select g.hour, s.ready, coalesce(sum(p.ended), 0)::int8 as ended, coalesce(sum(p.failed), 0)::int8 as failed \
           from s cross join f cross join lateral generate_series(f.hour, f.hour + make_interval(hours => ",
    )
    .push_bind(HOURS - 1)
    .push(
        "), interval '1 hour') g (hour) left join part p on p.hour = g.hour group by g.hour, s.ready order by g.hour",
    );
    sql
}

/// `None` where the rollups cannot answer yet.
pub(crate) fn decode_sparkline(rows: &[PgRow]) -> Result<Option<Vec<Point>>, ReadError> {
    let point = |row: &PgRow| -> Result<Option<Point>, sqlx::Error> {
        let ready: bool = row.try_get("ready")?;
        Ok(ready.then_some(Point {
            hour: row.try_get("hour")?,
            ended: row.try_get::<i64, _>("ended")?.unsigned_abs(),
            failed: row.try_get::<i64, _>("failed")?.unsigned_abs(),
        }))
    };
    let points = rows.iter().map(point).collect::<Result<_, _>>();
    points.map_err(ReadError::malformed)
}

/// The length of one point.
pub const STEP: TimeDelta = TimeDelta::hours(1);
