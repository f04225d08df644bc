//! One page of runs. A page that is asked for again costs only what changed: rows the client holds
//! come back without their payload where `(changed_xid, updated_at)` is still the same. Both are set
//! by a trigger on every change, so an equal pair means an equal row; only a tenant's new name waits
//! until the row itself changes or the page is asked for anew.

use crate::error::ReadError;
use crate::filter::{Order, Take, push_rows};
use crate::row::{self, COLUMNS, Cursor, PAYLOAD, RunRow};
use crate::scope::Scope;
use crate::stuck::Stuck;
use chrono::{DateTime, Utc};
use opsroom_model::RunId;
use opsroom_model::query::Query;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Rows of a page, at most.
pub const MAX_PAGE: u32 = 500;

/// Which page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PageRequest {
    /// Which runs.
    pub query: Query,
    /// Rows wanted, from 1 to [`MAX_PAGE`].
    pub limit: u32,
    /// Only runs older than this place.
    pub before: Option<Cursor>,
}

/// Rows the client still has of an earlier answer to the same request.
pub type Held = [Arc<RunRow>];

/// One page, newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunPage {
    /// The rows.
    pub rows: Vec<Arc<RunRow>>,
    /// Why some of them do not move.
    pub stuck: HashMap<RunId, Stuck>,
    /// True where older rows exist.
    pub more: bool,
    /// True where a text was searched, and only in the newest rows of the window.
    pub within_budget: bool,
    /// The database's time.
    pub as_of: DateTime<Utc>,
    /// From asking to having, in total.
    pub took: Duration,
}

pub(crate) fn query(
    scope: &Scope,
    limit: i64,
    before: Option<Cursor>,
    held: &Held,
) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("with page as materialized (select * from ");
    let take = Take {
        columns: COLUMNS,
        limit: limit + 1,
        before,
        order: Order::NewestFirst,
    };
    push_rows(&mut sql, scope, take);
    sql.push(" page) select c.as_of, p.id, h.id is not null as same");
    for (name, value) in PAYLOAD {
        sql.push(format_args!(
            ", case when h.id is null then {value} end as {name}"
        ));
    }
    sql.push(" from (select now() as as_of) c left join page p on true left join unnest(")
        .push_bind(held.iter().map(|row| row.id.0).collect::<Vec<_>>())
        .push("::int8[], ")
        .push_bind(held.iter().map(|row| row.xid).collect::<Vec<_>>())
        .push("::int8[], ")
        .push_bind(held.iter().map(|row| row.updated).collect::<Vec<_>>())
        .push(
            "::timestamptz[]) as h(id, xid, updated_at) on h.id = p.id \
             and h.xid = p.changed_xid::text::int8 and h.updated_at = p.updated_at \
             left join opsroom.tenants n on h.id is null and n.id = p.tenant_id \
             left join lateral (select f.code, f.n from opsroom.run_failures f \
                where h.id is null and f.tenant_id = p.tenant_id and f.run_id = p.id and f.ord = 1 \
                limit 1) f on true \
             order by p.created_at desc, p.id desc",
        );
    sql
}

pub(crate) fn decode(rows: &[PgRow], limit: usize, held: &Held) -> Result<RunPage, ReadError> {
    let known: HashMap<RunId, &Arc<RunRow>> = held.iter().map(|row| (row.id, row)).collect();
    let mut page = RunPage::default();
    for row in rows {
        let one = |row: &PgRow| -> Result<Option<Arc<RunRow>>, sqlx::Error> {
            let Some(id) = row.try_get::<Option<i64>, _>("id")? else {
                return Ok(None);
            };
            if row.try_get("same")? {
                return Ok(known.get(&RunId(id)).map(|row| Arc::clone(row)));
            }
            row::decode(row).map(|row| Some(Arc::new(row)))
        };
        page.as_of = row.try_get("as_of").map_err(ReadError::malformed)?;
        page.rows.extend(one(row).map_err(ReadError::malformed)?);
    }
    page.more = page.rows.len() > limit;
    page.rows.truncate(limit);
    Ok(page)
}
