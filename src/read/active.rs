//! The active runs of a query: how many there are, since when the oldest waits, which may be stuck. One
//! look at all of them tells that where they are few, as they are while workers keep up; behind a
//! backlog each is asked for by itself.

use crate::arm::MAX_TENANT_SCANS;
use crate::condition::ACTIVE_OF_TENANT;
use crate::driver::push_any;
use crate::error::ReadError;
use crate::filter::push_any_where;
use crate::headline::{self, Capped};
use crate::merge::push_each;
use crate::moment;
use crate::row::{self, COLUMNS};
use crate::scope::Scope;
use crate::stuck::{Facts, Waits};
use crate::workers::Worker;
use chrono::{DateTime, Utc};
use opsroom_model::{Bucket, RunId, Status};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use uuid::Uuid;

/// Looked at in one look, at most.
const FEW: i64 = 2_000;
/// Suspects, at most.
const SUSPECTS: i64 = 1_000;
/// The queued runs whose age tells how long is waited for a worker.
const IS_WAITING: &str = "r.status = 'queued' and coalesce(r.available_at <= now(), true) and r.created_at >= '1900-01-01'";

/// What is active.
pub(crate) struct Active {
    pub counts: Vec<(Bucket, Capped)>,
    pub oldest_queued: Option<DateTime<Utc>>,
    pub as_of: DateTime<Utc>,
    pub suspects: Vec<Suspect>,
}

/// An active run that may be stuck.
pub(crate) struct Suspect {
    pub id: RunId,
    pub as_of: DateTime<Utc>,
    pub run_type: String,
    status: Status,
    worker_id: Option<Uuid>,
    waits: Waits,
    started_at: Option<DateTime<Utc>>,
}

/// One look at all that is active.
pub(crate) fn query(scopes: &[Scope], workers: &[Worker]) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("with a as materialized (");
    push_looked_at(&mut sql, scopes);
    sql.push(" limit ")
        .push_bind(FEW + 1)
        .push("), b as materialized (select r.* from a r where true");
    push_any_where(&mut sql, scopes);
    sql.push(format_args!(
        ") select now() as as_of, (select count(*) from a) as looked, c.*, s.* from (\
           select count(*) filter (where r.status = 'queued') as queued, count(*) filter (where r.status = 'running') as running, \
             min(r.created_at) filter (where {IS_WAITING}) as oldest_queued from b r) c \
         left join (select "
    ));
    push_facts(&mut sql);
    sql.push(" from b r where ");
    push_may_be_stuck(&mut sql, workers);
    sql.push(" limit ")
        .push_bind(SUSPECTS + 1)
        .push(") s on true");
    sql
}

/// Pushes a select of what is active, of the scopes' tenants where these are not too many: what others have
/// is not looked through. In the order of an index, so that no statistics make the planner read all runs.
fn push_looked_at(sql: &mut QueryBuilder<Postgres>, scopes: &[Scope]) {
    const NEWEST: &str = " order by r.created_at desc, r.id desc";
    match tenants(scopes) {
        Some(tenants) if tenants.len() <= MAX_TENANT_SCANS => {
            sql.push("select r.* from ");
            push_each(sql, &tenants);
            sql.push(format_args!(
                "select {COLUMNS} from opsroom.operation_runs r where r.tenant_id = t.id and {ACTIVE_OF_TENANT}{NEWEST} limit "
            ))
            .push_bind(FEW + 1)
            .push(") r");
        }
        tenants => {
            sql.push(format_args!(
                "select {COLUMNS} from opsroom.operation_runs r where r.outcome = 'pending'"
            ));
            if let Some(tenants) = tenants {
                push_any(sql, "r.tenant_id", tenants);
            }
            sql.push(NEWEST);
        }
    }
}

/// The tenants of all scopes; `None` where one of them asks for any.
fn tenants(scopes: &[Scope]) -> Option<Vec<i64>> {
    let each: Option<Vec<_>> = scopes
        .iter()
        .map(|scope| scope.tenants.as_deref())
        .collect();
    let mut tenants = each?.concat();
    tenants.sort_unstable();
    tenants.dedup();
    Some(tenants)
}

/// `None` where more is active than one look tells.
pub(crate) fn decode(rows: &[PgRow]) -> Result<Option<Active>, ReadError> {
    let first = rows
        .first()
        .ok_or_else(|| ReadError::malformed("a row was expected"))?;
    let read = || -> Result<_, sqlx::Error> {
        if first.try_get::<i64, _>("looked")? > FEW {
            return Ok(None);
        }
        let count = |bucket: Bucket| -> Result<_, sqlx::Error> {
            let n: i64 = first.try_get(bucket.as_str())?;
            let n = n.unsigned_abs();
            Ok((bucket, Capped { n, more: false }))
        };
        let is_suspect = |row: &&PgRow| !matches!(row.try_get("id"), Ok(None::<i64>));
        let suspects = rows.iter().filter(is_suspect).map(Suspect::decode);
        Ok(Some(Active {
            counts: headline::active().map(count).collect::<Result<_, _>>()?,
            oldest_queued: moment::optional(first, "oldest_queued")?,
            as_of: first.try_get("as_of")?,
            suspects: suspects.collect::<Result<_, _>>()?,
        }))
    };
    read().map_err(ReadError::malformed)
}

/// How much is active, and since when, where it is much.
pub(crate) fn backlog(scopes: &[Scope]) -> QueryBuilder<Postgres> {
    let mut sql = headline::query(scopes, headline::active());
    sql.push(format_args!(
        ", (select min(r.created_at) from opsroom.operation_runs r where r.outcome = 'pending' and {IS_WAITING}"
    ));
    push_any_where(&mut sql, scopes);
    sql.push(") as oldest_queued");
    sql
}

/// What [`backlog`] and [`suspects`] found; `cap` as of [`headline::cap`].
pub(crate) fn decode_backlog(
    row: &PgRow,
    cap: i64,
    suspects: Vec<Suspect>,
) -> Result<Active, ReadError> {
    Ok(Active {
        counts: headline::decode(row, headline::active(), cap)?,
        oldest_queued: moment::optional(row, "oldest_queued").map_err(ReadError::malformed)?,
        as_of: row.try_get("as_of").map_err(ReadError::malformed)?,
        suspects,
    })
}

/// The active runs that may be stuck.
pub(crate) fn suspects(scopes: &[Scope], workers: &[Worker]) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("select now() as as_of, ");
    push_facts(&mut sql);
    sql.push(" from opsroom.operation_runs r where r.outcome = 'pending' and ");
    push_may_be_stuck(&mut sql, workers);
    push_any_where(&mut sql, scopes);
    sql.push(" limit ").push_bind(SUSPECTS + 1);
    sql
}

/// Pushes the columns of a suspect; [`Suspect::decode`] reads them.
fn push_facts(sql: &mut QueryBuilder<Postgres>) {
    sql.push("r.id, r.type, r.status, r.worker_id, r.started_at");
    for (name, value) in row::WAITS {
        sql.push(format_args!(", {value} as {name}"));
    }
}

/// Pushes a condition on an active run `r`: its worker is not alive, or it waits though nobody takes its
/// type, or it has been running for ten minutes.
fn push_may_be_stuck(sql: &mut QueryBuilder<Postgres>, workers: &[Worker]) {
    let alive = workers.iter().filter(|worker| worker.alive);
    let takers = alive.clone().filter(|worker| !worker.stopping);
    let ids: Vec<Uuid> = alive.map(|worker| worker.id).collect();
    let types: Vec<String> = takers.flat_map(|worker| worker.types.clone()).collect();
    sql.push("(r.worker_id <> all(").push_bind(ids);
    sql.push("::uuid[]) or (r.worker_id is null and r.available_at <= now() and r.type <> all(")
        .push_bind(types)
        .push("::text[])) or (r.status = 'running' and r.started_at < now() - interval '10 minutes'))");
}

/// How many of `found` suspects were judged stuck, with what the limit hid.
pub(crate) fn stuck_count(stuck: usize, found: usize) -> Capped {
    Capped {
        more: found as i64 > SUSPECTS,
        ..Capped::of(stuck as i64, SUSPECTS)
    }
}

impl Suspect {
    pub(crate) fn decode(row: &PgRow) -> Result<Self, sqlx::Error> {
        let status: &str = row.try_get("status")?;
        Ok(Self {
            id: RunId(row.try_get("id")?),
            as_of: row.try_get("as_of")?,
            run_type: row.try_get("type")?,
            status: if status == "queued" {
                Status::Queued
            } else {
                Status::Running
            },
            worker_id: row.try_get("worker_id")?,
            waits: row::waits(row)?,
            started_at: moment::optional(row, "started_at")?,
        })
    }

    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            status: self.status,
            run_type: &self.run_type,
            worker_id: self.worker_id,
            waits: self.waits,
            started_at: self.started_at,
        }
    }
}
