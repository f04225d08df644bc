//! What stands above a list: counts per bucket for the filter and its window whatever states it
//! names, the oldest queued run, and how many active runs are stuck. Where a filter asks for tenants,
//! types and time alone, completed runs are counted by the rollups, exactly; other counts are exact up
//! to [`CAP`], those of a failure code up to [`CODE_CAP`], and say so beyond. Where each row must be asked,
//! the newest 20,000 of a state are.

use crate::arm::arms;
use crate::error::ReadError;
use crate::filter::{Order, Search, Take, push_rows};
use crate::scope::Scope;
use crate::slice::push_end;
use chrono::{DateTime, Utc};
use opsroom_model::Bucket;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};

/// Counting stops here.
pub const CAP: i64 = 10_000;
/// And here where a failure code is asked for: no index has code, tenant and outcome.
pub const CODE_CAP: i64 = 1_000;
/// Rows of a state looked at, newest first, where each must be to be judged: a window has millions, and
/// the headline is asked for again and again.
const SEARCH_BUDGET: i64 = 20_000;

/// A count that may have stopped early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capped {
    /// At least so many.
    pub n: u64,
    /// True where there are more than that.
    pub more: bool,
}

impl Capped {
    /// A count that stopped after one more than `cap`.
    pub(crate) fn of(n: i64, cap: i64) -> Self {
        Self {
            n: n.clamp(0, cap).unsigned_abs(),
            more: n > cap,
        }
    }
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
}

/// The states of completed runs.
pub(crate) fn ended() -> impl Iterator<Item = Bucket> {
    let all = Bucket::ALL.iter().copied();
    all.filter(|bucket| !bucket.state().is_active())
}

/// Those of active ones.
pub(crate) fn active() -> impl Iterator<Item = Bucket> {
    let all = Bucket::ALL.iter().copied();
    all.filter(|bucket| bucket.state().is_active())
}

/// Counts the runs of `buckets`.
pub(crate) fn query(
    scopes: &[Scope],
    buckets: impl Iterator<Item = Bucket>,
) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("select now() as as_of");
    let cap = cap(scopes);
    for bucket in buckets {
        let mut of_bucket = scopes.to_vec();
        for scope in &mut of_bucket {
            scope.buckets = Some(vec![bucket]);
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
    sql
}

/// Where the counts of `scopes` stop.
pub(crate) fn cap(scopes: &[Scope]) -> i64 {
    match scopes.iter().any(|scope| scope.codes.is_some()) {
        true => CODE_CAP,
        false => CAP,
    }
}

/// What [`query`] counted of `buckets`; `cap` as of [`cap`].
pub(crate) fn decode(
    row: &PgRow,
    buckets: impl Iterator<Item = Bucket>,
    cap: i64,
) -> Result<Vec<(Bucket, Capped)>, ReadError> {
    let count = |bucket: Bucket| -> Result<_, sqlx::Error> {
        let n: i64 = row.try_get(bucket.as_str())?;
        let cut: bool = row.try_get(format!("{}_cut", bucket.as_str()).as_str())?;
        let capped = Capped::of(n, cap);
        let more = capped.more || cut;
        Ok((bucket, Capped { more, ..capped }))
    };
    let counts = buckets.map(count).collect::<Result<_, _>>();
    counts.map_err(ReadError::malformed)
}
