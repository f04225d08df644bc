//! How tenants and types fare: the last 30 UTC days from the rollups as of the last tick, and what is
//! running and queued now. Tenants and types of a query narrow it; nothing else of it does.

use crate::error::ReadError;
use crate::histogram::{Histogram, Percentiles};
use crate::rollup;
use crate::scope::Scope;
use chrono::{DateTime, Utc};
use opsroom_model::{Clean, TenantId};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};

/// Rows shown, at most.
pub const ROWS: i64 = 250;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// One row a tenant.
    Tenant,
    /// One row a type.
    Type,
}

/// One tenant or one type.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// The tenant, where tenants are looked at.
    pub tenant: Option<TenantId>,
    /// The tenant's name, or the type.
    pub name: Clean,
    /// Runs that are executed now.
    pub running: u64,
    /// Runs that wait now, for whatever.
    pub queued: u64,
    /// Runs that ended so, created since [`HealthBoard::covers_from`].
    pub succeeded: u64,
    /// The same.
    pub partial: u64,
    /// The same.
    pub failed: u64,
    /// The same.
    pub cancelled: u64,
    /// From start to end.
    pub duration: Option<Percentiles>,
    /// From when it could start to when it did.
    pub wait: Option<Percentiles>,
    /// When a run last succeeded, among those counted.
    pub last_success: Option<DateTime<Utc>>,
}

impl Health {
    /// Failed runs of all that ended, 0 to 1; `None` where none did.
    #[must_use]
    pub fn failure_rate(&self) -> Option<f64> {
        let ended = self.succeeded + self.partial + self.failed + self.cancelled;
        (ended > 0).then(|| self.failed as f64 / ended as f64)
    }
}

/// Tenants or types, the worst first.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthBoard {
    /// By failed / (ended + 10), so that one failed of one does not lead; [`ROWS`] at most.
    pub rows: Vec<Health>,
    /// True where there are more.
    pub more: bool,
    /// Runs created from this UTC day on are counted.
    pub covers_from: DateTime<Utc>,
    /// Runs that ended until here are counted: the last tick.
    pub counted_until: DateTime<Utc>,
    /// The database's time.
    pub as_of: DateTime<Utc>,
}

pub(crate) fn query(by: By, scope: &Scope) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("");
    rollup::push_state(&mut sql, scope, 0);
    let key = key(by);
    sql.push(format_args!(
        ", active as materialized (select r.{key} as key, count(*) filter (where r.status = 'running') as running, \
           count(*) filter (where r.status = 'queued') as queued from opsroom.operation_runs r where r.outcome = 'pending'"
    ));
    rollup::push_runs(&mut sql, scope);
    sql.push(format_args!(
        " group by 1), recent as materialized (select t.{key} as key, t.succeeded, t.partially_succeeded, t.failed, \
           t.cancelled, t.last_success_at, t.durations, t.waits from opsroom.rollup_recent t where true"
    ));
    let worst = one_row_each(by, scope);
    match worst {
        Some(run_type) => {
            sql.push(" and t.type = ")
                .push_bind(run_type.to_owned())
                .push(" and t.tenant_id <> 0 order by t.badness desc, t.tenant_id limit ")
                .push_bind(ROWS + 1);
        }
        None => push_recent(&mut sql, by, scope),
    }
    sql.push(
        "), past as (select t.key, sum(t.succeeded) as succeeded, sum(t.partially_succeeded) as partially_succeeded, \
           sum(t.failed) as failed, sum(t.cancelled) as cancelled, max(t.last_success_at) as last_success_at \
           from recent t group by t.key), \
         page as (select coalesce(p.key, a.key) as key, coalesce(a.running, 0) as running, coalesce(a.queued, 0) as queued, \
           coalesce(p.succeeded, 0)::int8 as succeeded, coalesce(p.partially_succeeded, 0)::int8 as partially_succeeded, \
           coalesce(p.failed, 0)::int8 as failed, coalesce(p.cancelled, 0)::int8 as cancelled, p.last_success_at, \
           coalesce(p.failed::float8 / (p.succeeded + p.partially_succeeded + p.failed + p.cancelled + 10), 0) as badness \
           from past p full join active a on a.key = p.key",
    );
    if let Some(run_type) = worst {
        // Whoever is active and better than the worst has a past that was not read: it is not on the page.
        sql.push(
            " where p.key is not null or not exists (select from opsroom.rollup_recent t \
               where t.tenant_id = a.key and t.type = ",
        )
        .push_bind(run_type.to_owned())
        .push(")");
    }
    sql.push(" order by badness desc, 1 limit ")
        .push_bind(ROWS + 1)
        .push(format_args!(
            ") select s.valid_from, s.ticked_at, now() as as_of, p.*, {} as name, t.durations, t.waits \
               from (select s.ticked_at, s.recent_from::timestamp at time zone 'UTC' as valid_from from s where s.ready) s \
               left join page p on true left join recent t on t.key = p.key order by p.badness desc, p.key",
            match by {
                By::Tenant => "(select n.name from opsroom.tenants n where n.id = p.key)",
                By::Type => "null::text",
            }
        ));
    sql
}

/// The type whose rows are the tenants' own, one each, where every tenant is asked for: an index has
/// the worst of them first.
fn one_row_each(by: By, scope: &Scope) -> Option<&str> {
    match (by, &scope.tenants, scope.types.as_deref()) {
        (By::Tenant, None, None) => Some(""),
        (By::Tenant, None, Some([one])) => Some(one),
        _ => None,
    }
}

const fn key(by: By) -> &'static str {
    match by {
        By::Tenant => "tenant_id",
        By::Type => "type",
    }
}

fn push_recent(sql: &mut QueryBuilder<Postgres>, by: By, scope: &Scope) {
    match by {
        By::Tenant => {
            rollup::push_types(sql, "t", scope);
            match &scope.tenants {
                Some(_) => rollup::push_tenants(sql, "t", scope),
                None => {
                    sql.push(" and t.tenant_id <> 0");
                }
            }
        }
        By::Type => {
            rollup::push_tenants(sql, "t", scope);
            match &scope.types {
                Some(_) => rollup::push_types(sql, "t", scope),
                None => {
                    sql.push(" and t.type <> ''");
                }
            }
        }
    }
}

/// `None` where the rollups cannot answer yet.
pub(crate) fn decode(rows: &[PgRow], by: By) -> Result<Option<HealthBoard>, ReadError> {
    let read = || -> Result<Option<HealthBoard>, sqlx::Error> {
        let Some(first) = rows.first() else {
            return Ok(None);
        };
        let Some(covers_from) = first.try_get("valid_from")? else {
            return Ok(None);
        };
        let mut board = HealthBoard {
            rows: Vec::new(),
            more: false,
            covers_from,
            counted_until: first.try_get("ticked_at")?,
            as_of: first.try_get("as_of")?,
        };
        let mut at = 0;
        while let Some(row) = rows.get(at) {
            let same = rows[at..]
                .iter()
                .take_while(|other| same_key(row, other, by));
            let group: Vec<_> = same.collect();
            at += group.len().max(1);
            if let Some(health) = one(row, &group, by)? {
                board.rows.push(health);
            }
        }
        board.more = board.rows.len() > ROWS as usize;
        board.rows.truncate(ROWS as usize);
        Ok(Some(board))
    };
    read().map_err(ReadError::malformed)
}

fn same_key(row: &PgRow, other: &PgRow, by: By) -> bool {
    match by {
        By::Tenant => row.try_get::<Option<i64>, _>("key").ok() == other.try_get("key").ok(),
        By::Type => row.try_get::<Option<&str>, _>("key").ok() == other.try_get("key").ok(),
    }
}

fn one(row: &PgRow, group: &[&PgRow], by: By) -> Result<Option<Health>, sqlx::Error> {
    let number = |name: &str| row.try_get::<i64, _>(name).map(|n| n.max(0).unsigned_abs());
    let (tenant, name) = match by {
        By::Tenant => {
            let id: Option<i64> = row.try_get("key")?;
            let name: Option<&str> = row.try_get("name")?;
            (id.map(TenantId), id.map(|_| name.unwrap_or_default()))
        }
        By::Type => (None, row.try_get("key")?),
    };
    let Some(name) = name else {
        return Ok(None);
    };
    let mut histograms = [Histogram::default(), Histogram::default()];
    for row in group {
        for (histogram, column) in histograms.iter_mut().zip(["durations", "waits"]) {
            histogram.add(row.try_get::<Option<Vec<i64>>, _>(column)?.as_deref());
        }
    }
    Ok(Some(Health {
        tenant,
        name: Clean::limited(name, 120),
        running: number("running")?,
        queued: number("queued")?,
        succeeded: number("succeeded")?,
        partial: number("partially_succeeded")?,
        failed: number("failed")?,
        cancelled: number("cancelled")?,
        duration: histograms[0].percentiles(),
        wait: histograms[1].percentiles(),
        last_success: row.try_get("last_success_at")?,
    }))
}

/// The durations of one type in the last 30 days, as far as the scope's tenants have any.
pub(crate) fn durations(scope: &Scope) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new(
        "select t.durations from opsroom.rollup_state s join opsroom.rollup_recent t \
           on s.valid and s.recent_from is not null where t.durations is not null",
    );
    rollup::push_tenants(&mut sql, "t", scope);
    rollup::push_types(&mut sql, "t", scope);
    sql
}

pub(crate) fn decode_durations(rows: &[PgRow]) -> Result<Option<Percentiles>, ReadError> {
    let mut histogram = Histogram::default();
    for row in rows {
        let stored: Vec<i64> = row.try_get("durations").map_err(ReadError::malformed)?;
        histogram.add(Some(&stored));
    }
    Ok(histogram.percentiles())
}
