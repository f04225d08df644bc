//! What stands above a list: counts per bucket for the filter and its window whatever states it
//! names, the oldest queued run, and how many active runs are stuck. Where a filter asks for tenants,
//! types and time alone, completed runs are counted by the rollups, exactly; other counts are exact up
//! to [`CAP`], those of a failure code up to [`CODE_CAP`], and say so beyond.

use crate::arm::arms;
use crate::error::ReadError;
use crate::filter::{Order, Search, Take, push_any_where, push_rows};
use crate::moment;
use crate::row;
use crate::scope::Scope;
use crate::slice::push_end;
use crate::stuck::{Facts, Waits};
use crate::workers::Worker;
use chrono::{DateTime, Utc};
use opsroom_model::{Bucket, RunId, Status};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use uuid::Uuid;

/// Counting stops here.
pub const CAP: i64 = 10_000;
/// And here where a failure code is asked for: no index has code, tenant and outcome.
pub const CODE_CAP: i64 = 1_000;
/// Rows looked at, newest first, where a text is counted.
const SEARCH_BUDGET: i64 = 20_000;
/// Active runs looked at for the diagnosis, at most.
const CANDIDATES: i64 = 1_000;

/// A count that may have stopped early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capped {
    /// At least so many.
    pub n: u64,
    /// True where there are more than that.
    pub more: bool,
}

/// What stands above a list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Headline {
    /// In the order of [`Bucket::ALL`].
    pub counts: Vec<(Bucket, Capped)>,
    /// When the queued run that waits longest was recorded; those that wait for a confirmation or
    /// for a later moment do not count.
    pub oldest_queued: Option<DateTime<Utc>>,
    /// Active runs that do not move.
    pub stuck: Capped,
    /// Workers that are alive.
    pub live_workers: usize,
    /// The database's time.
    pub as_of: DateTime<Utc>,
}

impl Headline {
    /// The count of `bucket`.
    #[must_use]
    pub fn count(&self, bucket: Bucket) -> Capped {
        let found = self.counts.iter().find(|(known, _)| *known == bucket);
        found.map(|(_, count)| *count).unwrap_or_default()
    }

    /// False where certainly no run is active.
    pub(crate) fn may_have_active(&self) -> bool {
        let is_active = |(bucket, count): &(Bucket, Capped)| {
            bucket.state().is_active() && (count.n > 0 || count.more)
        };
        self.counts.iter().any(is_active)
    }
}

/// `active_only` where completed runs are counted already.
pub(crate) fn query(scopes: &[Scope], active_only: bool) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("select now() as as_of");
    let cap = cap(scopes);
    for bucket in Bucket::ALL {
        if active_only && !bucket.state().is_active() {
            continue;
        }
        let mut of_bucket = scopes.to_vec();
        for scope in &mut of_bucket {
            scope.buckets = Some(vec![*bucket]);
        }
        sql.push(", (select count(*) from ");
        let take = Take {
            columns: "r.id",
            limit: cap + 1,
            before: None,
            since: None,
            order: Order::Any,
            search: if scopes.iter().any(Scope::is_searched) {
                Search::Newest(SEARCH_BUDGET)
            } else {
                Search::Whole
            },
        };
        push_rows(&mut sql, &of_bucket, take);
        sql.push(format_args!(" n) as {}, (false", bucket.as_str()));
        // More than were looked at.
        for scope in of_bucket.iter().filter(|scope| scope.ids.is_none()) {
            for arm in arms(scope).iter().filter(|arm| arm.is_sliced()) {
                sql.push(" or exists (");
                push_end(&mut sql, scope, arm, take);
                sql.push(")");
            }
        }
        sql.push(format_args!(") as {}_cut", bucket.as_str()));
    }
    sql.push(
        ", (select min(r.created_at) from opsroom.operation_runs r where r.outcome = 'pending' and r.status = 'queued' \
         and coalesce(r.available_at <= now(), true) and r.created_at >= '1900-01-01'",
    );
    push_any_where(&mut sql, scopes);
    sql.push(") as oldest_queued");
    sql
}

/// Where the counts of `scopes` stop.
pub(crate) fn cap(scopes: &[Scope]) -> i64 {
    match scopes.iter().any(|scope| scope.codes.is_some()) {
        true => CODE_CAP,
        false => CAP,
    }
}

/// `cap` as of [`cap`].
pub(crate) fn decode(
    row: &PgRow,
    ended: Vec<(Bucket, Capped)>,
    cap: i64,
) -> Result<Headline, ReadError> {
    let read = || -> Result<Headline, sqlx::Error> {
        let mut headline = Headline {
            as_of: row.try_get("as_of")?,
            oldest_queued: moment::optional(row, "oldest_queued")?,
            ..Headline::default()
        };
        for bucket in Bucket::ALL {
            let counted = ended.iter().find(|(known, _)| known == bucket);
            let count = match counted {
                Some((_, count)) => *count,
                None => {
                    let count = capped(row.try_get(bucket.as_str())?, cap);
                    let cut: bool = row.try_get(format!("{}_cut", bucket.as_str()).as_str())?;
                    Capped {
                        more: count.more || cut,
                        ..count
                    }
                }
            };
            headline.counts.push((*bucket, count));
        }
        Ok(headline)
    };
    read().map_err(ReadError::malformed)
}

fn capped(n: i64, cap: i64) -> Capped {
    Capped {
        n: n.clamp(0, cap).unsigned_abs(),
        more: n > cap,
    }
}

/// Active runs that may be stuck, with the database's time: those whose worker is not alive, those that wait though nobody
/// takes their type, those that have been running for ten minutes.
pub(crate) fn suspects(scopes: &[Scope], workers: &[Worker]) -> QueryBuilder<Postgres> {
    let alive = workers.iter().filter(|worker| worker.alive);
    let takers = workers
        .iter()
        .filter(|worker| worker.alive && !worker.stopping);
    let ids: Vec<Uuid> = alive.map(|worker| worker.id).collect();
    let types: Vec<String> = takers.flat_map(|worker| worker.types.clone()).collect();
    let mut sql = QueryBuilder::new(
        "select now() as as_of, r.id, r.type, r.status, r.worker_id, r.started_at, r.available_at is null as elsewhere, \
         coalesce(r.available_at = 'infinity', false) as held_back, \
         case when isfinite(r.available_at) and r.available_at > now() then r.available_at end as due_at \
         from opsroom.operation_runs r where r.outcome = 'pending' and (r.worker_id <> all(",
    );
    sql.push_bind(ids)
        .push("::uuid[]) or (r.worker_id is null and r.available_at <= now() and r.type <> all(")
        .push_bind(types)
        .push("::text[])) or (r.status = 'running' and r.started_at < now() - interval '10 minutes'))");
    push_any_where(&mut sql, scopes);
    sql.push(" limit ").push_bind(CANDIDATES + 1);
    sql
}

/// A suspect of [`suspects`].
pub(crate) struct Suspect {
    pub id: RunId,
    pub as_of: DateTime<Utc>,
    pub run_type: String,
    status: Status,
    worker_id: Option<Uuid>,
    waits: Waits,
    pub started_at: Option<DateTime<Utc>>,
}

impl Suspect {
    pub(crate) fn decode(row: &PgRow) -> Result<Self, ReadError> {
        let read = || -> Result<Self, sqlx::Error> {
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
        };
        read().map_err(ReadError::malformed)
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

/// How many of `found` suspects were judged stuck, with what the limit hid.
pub(crate) fn stuck_count(stuck: usize, found: usize) -> Capped {
    Capped {
        n: stuck as u64,
        more: found as i64 > CANDIDATES,
    }
}
