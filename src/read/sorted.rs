//! Runs in the order of another column. No index has that order over a filter, so it is the order of
//! the newest [`COVERED`] runs, and the answer says so.

use crate::directory::Directory;
use crate::error::ReadError;
use crate::filter::{Search, Take};
use crate::list::{self, MAX_PAGE, RunPage, push_page, push_payload, slice_of};
use crate::moment;
use crate::scope::Scope;
use chrono::{DateTime, Utc};
use opsroom_model::query::Query;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};

/// Runs that are put in order, at most.
pub const COVERED: u32 = 400;

/// Runs looked at for those, where each must be to be judged: a list goes on with older ones, an order
/// does not.
const SEARCHED: i64 = 4_000;

/// By what runs are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortBy {
    /// `resource.action`.
    Type,
    /// The tenant's name, whatever its case.
    Tenant,
    /// The initiator's name, whatever its case.
    Initiator,
    /// As the headline has them: queued, running, succeeded, partial, failed, cancelled.
    State,
    /// How long it ran, or has been running; what never began comes last.
    Took,
    /// How many items failed; what counts none comes last.
    Failed,
}

/// From which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The least first.
    Ascending,
    /// The greatest first.
    Descending,
}

/// Which runs, in which order.
#[derive(Debug, Clone, PartialEq)]
pub struct SortRequest {
    /// Which runs.
    pub query: Query,
    /// Their order; equals are newest first.
    pub by: SortBy,
    /// From which end.
    pub direction: Direction,
    /// Rows wanted, from 1 to [`MAX_PAGE`].
    pub limit: u32,
}

/// The first of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SortedPage {
    /// The rows, and the rest of what a page says, in the order asked for. `more`, `within_budget` and
    /// `searched_to` are those of the runs that were put in order.
    pub page: RunPage,
    /// How many runs were put in order: the newest that the query finds.
    pub covered: usize,
    /// When the oldest of them was recorded.
    pub since: Option<DateTime<Utc>>,
}

impl SortedPage {
    /// True where older runs exist that the order leaves out.
    #[must_use]
    pub fn leaves_out(&self) -> bool {
        self.page.more
    }
}

impl SortBy {
    /// The expression over `p`, a run, and `n`, its tenant.
    const fn expression(self) -> &'static str {
        match self {
            Self::Type => "p.type",
            Self::Tenant => "lower(n.name)",
            Self::Initiator => "lower(p.initiator_name)",
            Self::State => {
                "array_position(array['queued','running','pending','succeeded','partially_succeeded','failed'], \
                 case p.outcome when 'pending' then p.status else p.outcome end)"
            }
            Self::Took => "coalesce(p.completed_at, now()) - p.started_at",
            Self::Failed => {
                "case jsonb_typeof(p.summary_counts -> 'failed') when 'number' \
                 then (p.summary_counts ->> 'failed')::numeric end"
            }
        }
    }
}

pub(crate) fn query(
    scopes: &[Scope],
    request: &SortRequest,
    begin: &str,
) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new(begin);
    sql.push("with ");
    let take = Take {
        search: Search::Newest(SEARCHED),
        ..slice_of(i64::from(COVERED), None)
    };
    push_page(&mut sql, scopes, take);
    let direction = match request.direction {
        Direction::Ascending => "asc",
        Direction::Descending => "desc",
    };
    let tenant = match request.by {
        SortBy::Tenant => {
            " left join (select n.id, n.name from opsroom.tenants n where n.id = any(array( \
               select distinct p.tenant_id from page p))) n on n.id = p.tenant_id"
        }
        _ => "",
    };
    sql.push(format_args!(
        ", sorted as materialized (select p.*, row_number() over (order by {} {direction} nulls last, \
           p.created_at desc, p.id desc) as place from page p{tenant} order by place limit ",
        request.by.expression()
    ))
    .push_bind(i64::from(request.limit.clamp(1, MAX_PAGE)))
    .push(")");
    let more = ", (select count(*) from page) as covered, (select min(page.created_at) from page) as since";
    push_payload(&mut sql, "sorted", &[], more);
    sql.push(" order by p.place");
    sql
}

pub(crate) fn decode(rows: &[PgRow], directory: &Directory) -> Result<SortedPage, ReadError> {
    let page = list::decode(rows, usize::MAX, &[], directory)?;
    let mut sorted = SortedPage {
        page,
        ..SortedPage::default()
    };
    if let Some(row) = rows.first() {
        let covered: i64 = row.try_get("covered").map_err(ReadError::malformed)?;
        sorted.covered = usize::try_from(covered).unwrap_or(usize::MAX);
        sorted.since = moment::optional(row, "since").map_err(ReadError::malformed)?;
        sorted.page.more |= covered > i64::from(COVERED);
    }
    Ok(sorted)
}
