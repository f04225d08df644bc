//! The failures of a window, grouped by code. Counted from the rollups in whole UTC hours (windows up to
//! two days over all tenants) or whole UTC days, and what ended since the last tick; the answer says from
//! when. Tenants, types and time of a query narrow it; other conditions do not, and the answer says so.

use crate::error::ReadError;
use crate::headline::Capped;
use crate::rollup;
use crate::scope::Scope;
use chrono::{DateTime, TimeDelta, Utc};
use opsroom_model::Clean;
use serde::Deserialize;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Postgres, QueryBuilder, Row};

/// Windows up to so many seconds are counted by the hour, where hours are kept.
const HOURLY_S: i64 = 2 * 86_400;
/// Codes shown, at most.
const CODES: i64 = 250;
/// Where all tenants are asked for, those of a code are counted up to so many.
pub const TENANTS: i64 = 1_000;

/// One failure code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeGroup {
    /// The code.
    pub code: Clean,
    /// Completed runs that carry it, each once.
    pub runs: u64,
    /// Tenants that have such a run; of all tenants, counted up to [`TENANTS`].
    pub tenants: Capped,
    /// How often it was reported: the failures' counts, summed up.
    pub items: u64,
    /// When the first such run of the window was created.
    pub first_seen: DateTime<Utc>,
    /// When the last one was.
    pub last_seen: DateTime<Utc>,
    /// Runs a [`FailureBoard::step`], oldest first, from [`FailureBoard::covers_from`] until now.
    pub trend: Vec<u64>,
}

/// What failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureBoard {
    /// The code of most runs first; 250 at most.
    pub codes: Vec<CodeGroup>,
    /// Runs created from here on are counted: the hour or UTC day the window begins in.
    pub covers_from: DateTime<Utc>,
    /// The length of a point of the trends: an hour or a day.
    pub step: TimeDelta,
    /// False where the query asks for more than tenants, types and time: that was not applied.
    pub narrowed: bool,
    /// The database's time.
    pub as_of: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Step(i64, i64);

pub(crate) fn query(scope: &Scope) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("");
    let (unit, of_run) = match hourly(scope) {
        true => ("hour", "date_trunc('hour', r.created_at, 'UTC')"),
        false => ("day", "(r.created_at at time zone 'UTC')::date"),
    };
    rollup::push_state(&mut sql, scope, rollup::window(scope));
    // The failures of each run of the tail are looked up: joined, the planner reads all there are.
    sql.push(format_args!(
        ", f as materialized (select date_trunc('{unit}', s.since, 'UTC') as at from s), fresh as materialized (\
         select x.code, r.tenant_id, {of_run} as at, sum(x.n) as items, r.created_at from "
    ));
    rollup::push_tail(&mut sql, scope);
    sql.push(
        " r cross join lateral (select x.code, x.n from opsroom.run_failures x \
            where x.tenant_id = r.tenant_id and x.run_id = r.id offset 0) x \
          where r.created_at >= (select f.at from f) group by x.code, r.id, r.tenant_id, r.created_at), part as (",
    );
    push_folded(&mut sql, scope);
    sql.push(
        " group by 1, 2 union all \
         select e.code, e.at, count(*), sum(e.items), min(e.created_at), max(e.created_at) from fresh e group by 1, 2), \
         steps as (select p.code, p.at, sum(p.runs) as runs, sum(p.items) as items, min(p.first_at) as first_at, \
            max(p.last_at) as last_at from part p group by p.code, p.at), \
         grouped as (select p.code, sum(p.runs) as runs, sum(p.items) as items, min(p.first_at) as first_at, \
            max(p.last_at) as last_at, json_agg(json_build_array(extract(epoch from p.at)::int8, p.runs)) as trend \
            from steps p group by p.code order by 2 desc, 1 limit ",
    )
    .push_bind(CODES)
    .push(") select f.at as covers_from, now() as as_of, s.ready, g.code, g.runs::int8 as runs, g.items::int8 as items, \
            g.first_at, g.last_at, g.trend, coalesce(n.tenants, 0) as tenants from s cross join f left join grouped g on true");
    push_tenants_of_code(&mut sql, scope);
    sql.push(" order by g.runs desc, g.code");
    sql
}

/// Pushes a select of what is counted already, by code and step, without its grouping.
fn push_folded(sql: &mut QueryBuilder<Postgres>, scope: &Scope) {
    let at = if hourly(scope) { "hour" } else { "day" };
    sql.push(format_args!(
        "select x.code, x.{at} as at, sum(x.runs) as runs, sum(x.items) as items, min(x.first_at) as first_at, \
           max(x.last_at) as last_at from "
    ));
    if hourly(scope) {
        sql.push("opsroom.rollup_code_hours x where x.hour >= (select f.at from f)");
        rollup::push_each_type(sql, "x", scope);
    } else {
        // One range of the primary key a tenant, whatever the planner thinks of the window.
        sql.push("unnest(")
            .push_bind(scope.tenants.clone().unwrap_or_else(|| vec![0]))
            .push(
                "::int8[]) w (id) cross join lateral (select x.code, x.day, x.runs, x.items, x.first_at, x.last_at \
                   from opsroom.rollup_code_days x where x.tenant_id = w.id and x.day >= (select s.first_day from s)",
            );
        rollup::push_each_type(sql, "x", scope);
        sql.push(" offset 0) x");
    }
}

/// Pushes the join of how many tenants have the code of `g`: windows end now, and where a code was last
/// seen is kept for each tenant and type.
fn push_tenants_of_code(sql: &mut QueryBuilder<Postgres>, scope: &Scope) {
    match scope.tenants.as_deref() {
        Some([] | [_]) => {
            sql.push(" cross join (select 1::int8 as tenants) n");
        }
        // A few rows of each tenant: read once for all codes.
        Some(_) => {
            sql.push(" left join (select u.code, count(distinct u.tenant_id) as tenants from (select t.code, t.tenant_id ");
            push_seen(sql, scope);
            rollup::push_tenants(sql, "t", scope);
            sql.push(" union all select e.code, e.tenant_id from fresh e) u group by u.code) n on n.code = g.code");
        }
        None => {
            // A tenant has a row for each type.
            let types = scope
                .types
                .as_ref()
                .map_or(1, |types| types.len().max(1) as i64);
            sql.push(" cross join lateral (select count(distinct u.tenant_id) as tenants from ((select t.tenant_id ");
            push_seen(sql, scope);
            sql.push(" and t.code = g.code limit ")
                .push_bind(TENANTS * types + 1)
                .push(") union all select e.tenant_id from fresh e where e.code = g.code) u) n");
        }
    }
}

/// Pushes `from …`: where a code was seen in the window.
fn push_seen(sql: &mut QueryBuilder<Postgres>, scope: &Scope) {
    sql.push("from opsroom.rollup_tenant_codes t where t.last_at >= (select f.at from f)");
    match scope.types.as_deref() {
        Some([one]) => {
            sql.push(" and t.type = ").push_bind(one.clone());
        }
        _ => rollup::push_types(sql, "t", scope),
    }
}

fn hourly(scope: &Scope) -> bool {
    scope.tenants.is_none() && rollup::window(scope) <= HOURLY_S
}

/// `None` where the rollups cannot answer yet.
pub(crate) fn decode(rows: &[PgRow], scope: &Scope) -> Result<Option<FailureBoard>, ReadError> {
    let step = if hourly(scope) {
        TimeDelta::hours(1)
    } else {
        TimeDelta::days(1)
    };
    let cap = match scope.tenants {
        None => TENANTS,
        Some(_) => i64::MAX,
    };
    let read = || -> Result<Option<FailureBoard>, sqlx::Error> {
        let Some(first) = rows.first() else {
            return Ok(None);
        };
        if first.try_get::<Option<bool>, _>("ready")? != Some(true) {
            return Ok(None);
        }
        let mut board = FailureBoard {
            codes: Vec::new(),
            covers_from: first.try_get("covers_from")?,
            step,
            narrowed: rollup::covers(scope),
            as_of: first.try_get("as_of")?,
        };
        for row in rows {
            if let Some(code) = row.try_get::<Option<&str>, _>("code")? {
                let group = group(row, code, &board, cap)?;
                board.codes.push(group);
            }
        }
        Ok(Some(board))
    };
    read().map_err(ReadError::malformed)
}

fn group(
    row: &PgRow,
    code: &str,
    board: &FailureBoard,
    cap: i64,
) -> Result<CodeGroup, sqlx::Error> {
    let number = |name: &str| row.try_get::<i64, _>(name).map(|n| n.max(0).unsigned_abs());
    let steps: Json<Vec<Step>> = row.try_get("trend")?;
    let place = |at: i64| (at - board.covers_from.timestamp()) / board.step.num_seconds();
    let length = usize::try_from(place(board.as_of.timestamp()) + 1).unwrap_or(1);
    let mut trend = vec![0; length];
    for Step(at, runs) in steps.0 {
        let point = usize::try_from(place(at)).ok();
        if let Some(point) = point.and_then(|at| trend.get_mut(at)) {
            *point = runs.max(0).unsigned_abs();
        }
    }
    Ok(CodeGroup {
        code: Clean::new(code),
        runs: number("runs")?,
        tenants: Capped::of(row.try_get("tenants")?, cap),
        items: number("items")?,
        first_seen: row.try_get("first_at")?,
        last_seen: row.try_get("last_at")?,
        trend,
    })
}
