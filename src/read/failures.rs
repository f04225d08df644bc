//! The failures of a window, grouped by code. Counted from the rollups in whole UTC hours (windows up to
//! two days over all tenants) or whole UTC days, and what ended since the last tick; the answer says from
//! when. Tenants, types and time of a query narrow it; other conditions do not, and the answer says so.

use crate::error::ReadError;
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

/// One failure code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeGroup {
    /// The code.
    pub code: Clean,
    /// Completed runs that carry it, each once.
    pub runs: u64,
    /// Tenants that have such a run.
    pub tenants: u64,
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
    let hourly = hourly(scope);
    let unit = if hourly { "hour" } else { "day" };
    rollup::push_state(&mut sql, scope, rollup::window(scope));
    sql.push(format_args!(
        ", f as materialized (select date_trunc('{unit}', s.since, 'UTC') as at from s), part as (select x.code, "
    ));
    if hourly {
        sql.push(
            "0::int8 as tenant_id, x.hour as at, x.runs, x.items, x.first_at, x.last_at \
             from opsroom.rollup_code_hours x where x.hour >= (select f.at from f)",
        );
    } else {
        sql.push(
            "x.tenant_id, x.day::timestamp at time zone 'UTC' as at, x.runs, x.items, x.first_at, x.last_at \
             from opsroom.rollup_code_days x where x.day >= (select s.first_day from s)",
        );
        rollup::push_tenants(&mut sql, "x", scope);
    }
    rollup::push_each_type(&mut sql, "x", scope);
    sql.push(format_args!(
        " union all select e.code, e.tenant_id, date_trunc('{unit}', e.created_at, 'UTC'), 1, e.items, e.created_at, e.created_at \
          from (select x.code, r.id, r.tenant_id, r.created_at, sum(x.n) as items from "
    ));
    rollup::push_tail(&mut sql, scope);
    sql.push(
        " r join opsroom.run_failures x on x.tenant_id = r.tenant_id and x.run_id = r.id \
          where r.created_at >= (select f.at from f) group by 1, 2, 3, 4) e), \
         steps as (select p.code, p.at, sum(p.runs) as runs, sum(p.items) as items, min(p.first_at) as first_at, \
            max(p.last_at) as last_at from part p group by p.code, p.at), \
         grouped as (select p.code, sum(p.runs) as runs, sum(p.items) as items, min(p.first_at) as first_at, \
            max(p.last_at) as last_at, json_agg(json_build_array(extract(epoch from p.at)::int8, p.runs)) as trend \
            from steps p group by p.code order by 2 desc, 1 limit ",
    )
    .push_bind(CODES)
    .push(") select f.at as covers_from, now() as as_of, s.ready, g.code, g.runs::int8 as runs, g.items::int8 as items, \
            g.first_at, g.last_at, g.trend, ");
    push_tenants_of_code(&mut sql, scope);
    sql.push(
        " as tenants from s cross join f left join grouped g on true order by g.runs desc, g.code",
    );
    sql
}

/// Where a code was last seen is kept: windows end now, so this counts the tenants of any of them.
fn push_tenants_of_code(sql: &mut QueryBuilder<Postgres>, scope: &Scope) {
    sql.push(
        "(select count(*) from (select p.tenant_id from part p where p.code = g.code and p.tenant_id <> 0",
    );
    if scope.tenants.is_none() {
        sql.push(
            " union select t.tenant_id from opsroom.rollup_tenant_codes t \
               where t.code = g.code and t.last_at >= (select f.at from f)",
        );
        rollup::push_types(sql, "t", scope);
    } else {
        sql.push(" group by 1");
    }
    sql.push(") u)");
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
                let group = group(row, code, &board)?;
                board.codes.push(group);
            }
        }
        Ok(Some(board))
    };
    read().map_err(ReadError::malformed)
}

fn group(row: &PgRow, code: &str, board: &FailureBoard) -> Result<CodeGroup, sqlx::Error> {
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
        tenants: number("tenants")?,
        items: number("items")?,
        first_seen: row.try_get("first_at")?,
        last_seen: row.try_get("last_at")?,
        trend,
    })
}
