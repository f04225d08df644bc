//! One page of runs.
//!
//! Where an index finds what is asked for, a page is whole. Where rows must be looked at one by one,
//! it is what a slice of the newest held, says how far it looked, and where to go on.
//!
//! A page that is asked for again costs only what changed: rows the client holds
//! come back without their payload where `(changed_xid, updated_at)` is still the same. Both are set
//! by a trigger on every change, so an equal pair means an equal row; a tenant's new name waits until the
//! directory is read again.

use crate::arm::{Arm, Place, arms};
use crate::directory::Directory;
use crate::error::ReadError;
use crate::filter::{KEYS, Order, Search, Take, is_judged, may_repeat, push_arm};
use crate::merge::push_newest_keys;
use crate::moment::Moment;
use crate::row::{self, COLUMNS, Cursor, MAY_HAVE_FAILED, PAYLOAD, RunRow};
use crate::scope::Scope;
use crate::slice::{Kept, push_end};
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
    /// True where rows had to be looked at one by one and the search stopped before the oldest:
    /// whoever wants more asks again from [`RunPage::next`]. An empty page may have more to come.
    pub within_budget: bool,
    /// Where the search stopped: everything newer was looked at. `None` where it did not stop.
    pub searched_to: Option<Cursor>,
    /// The database's time.
    pub as_of: DateTime<Utc>,
    /// From asking to having, in total.
    pub took: Duration,
}

impl RunPage {
    /// Where the next page begins; `None` where this one is the last.
    #[must_use]
    pub fn next(&self) -> Option<Cursor> {
        let last = self
            .rows
            .last()
            .filter(|_| self.more)
            .map(|row| row.cursor());
        if self.within_budget {
            self.searched_to.or(last)
        } else {
            last
        }
    }
}

pub(crate) fn query(
    scopes: &[Scope],
    limit: i64,
    before: Option<Cursor>,
    held: &Held,
    begin: &str,
) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new(begin);
    sql.push("with ");
    push_page(&mut sql, scopes, slice_of(limit, before));
    push_payload(&mut sql, "page", held, "");
    sql.push(" order by p.created_at desc, p.id desc");
    sql
}

/// The newest, a row more than asked for.
pub(crate) fn slice_of(limit: i64, before: Option<Cursor>) -> Take<'static> {
    Take {
        columns: COLUMNS,
        limit: limit + 1,
        before,
        since: None,
        order: Order::NewestFirst,
        search: Search::Slice,
    }
}

/// Pushes, after the table `table` of a page's rows and `ends`, the select of an answer but for its
/// order: `p` is a row; of those in `held` only the key comes, and `same`. `more` is selected besides.
pub(crate) fn push_payload(sql: &mut QueryBuilder<Postgres>, table: &str, held: &Held, more: &str) {
    let is_known = !held.is_empty();
    if is_known {
        push_marked(sql, table, held);
    }
    let (table, sent) = match is_known {
        true => ("marked", "not p.same and "),
        false => (table, ""),
    };
    sql.push(format_args!(
        ", f as materialized (select f.tenant_id, f.run_id, f.code, f.n from opsroom.run_failures f \
           where f.ord = 1 and f.run_id = any(array(select p.id from {table} p where {sent}{MAY_HAVE_FAILED}))) \
         select c.as_of, c.end_created_at, c.end_id, p.id{more}"
    ));
    if is_known {
        sql.push(", p.same");
    }
    for (name, value) in PAYLOAD {
        match is_known {
            true => sql.push(format_args!(
                ", case when not p.same then {value} end as {name}"
            )),
            false => sql.push(format_args!(", {value} as {name}")),
        };
    }
    sql.push(format_args!(
        " from (select now() as as_of, e.created_at as end_created_at, e.id as end_id \
            from (values (0)) one left join ends e on true) c left join {table} p on true \
          left join f on f.run_id = p.id and f.tenant_id = p.tenant_id"
    ));
}

/// Pushes the table `marked`: the rows of `table`, and whether each is still as in `held`.
fn push_marked(sql: &mut QueryBuilder<Postgres>, table: &str, held: &Held) {
    let ids: Vec<_> = held.iter().map(|row| row.id.0).collect();
    let xids: Vec<_> = held.iter().map(|row| row.xid).collect();
    let updated: Vec<_> = held.iter().map(|row| row.updated).collect();
    sql.push(format_args!(
        ", marked as materialized (select p.*, h.id is not null as same from {table} p left join unnest("
    ))
    .push_bind(ids)
    .push("::int8[], ")
    .push_bind(xids)
    .push("::int8[], ")
    .push_bind(updated)
    .push(
        "::timestamptz[]) as h(id, xid, updated_at) on h.id = p.id \
           and h.xid = p.changed_xid::text::int8 and h.updated_at = p.updated_at)",
    );
}

/// Pushes the tables `page`, its rows, and `ends`, the place where a slice ended before the page was
/// full: the newest of them, since below it an arm was not looked at.
pub(crate) fn push_page(sql: &mut QueryBuilder<Postgres>, scopes: &[Scope], take: Take<'_>) {
    let of_scope = |scope| arms(scope).into_iter().map(move |arm| (scope, arm));
    let arms: Vec<(&Scope, _)> = scopes.iter().flat_map(of_scope).collect();
    // Of several arms that may each fill the page, and of scans that give more than a page, find whose a
    // run is in the index or are of failures, only the keys; then the rows of those that made it.
    let full = |(_, arm): &&(_, Arm<'_>)| !arm.is_of_few();
    let is_many_scans = |one: &(&Scope, Arm<'_>)| {
        let (_, arm) = one;
        let finds_failures = arm.code.is_some() && !is_judged(arm);
        arm.is_merged() || arm.asks_only_whose() || arm.each_type().is_some() || finds_failures
    };
    let by_keys =
        arms.iter().filter(full).count() > 1 || scopes.len() == 1 && arms.iter().any(is_many_scans);
    let columns = if by_keys { KEYS } else { take.columns };
    let of_arm = Take { columns, ..take };
    let together = |(scope, arm): &(&Scope, Arm<'_>)| {
        by_keys && scopes.len() == 1 && arm.is_merged() && scope.ids.is_none()
    };
    let mut names = Vec::new();
    for (at, (scope, arm)) in arms.iter().enumerate() {
        if !together(&arms[at]) {
            if let Some(kept) = Kept::of(scope, arm, of_arm) {
                sql.push(format_args!("slice{at} as materialized ("));
                kept.push(sql, scope, arm, of_arm);
                sql.push(format_args!("), arm{at} as materialized ("));
                kept.push_rows(sql, arm, of_arm, &format!("slice{at}"));
            } else {
                sql.push(format_args!("arm{at} as materialized ("));
                push_arm(sql, scope, arm, of_arm);
            }
            sql.push("), ");
            names.push(format!("arm{at}"));
        }
    }
    let merged: Vec<&Arm<'_>> = arms
        .iter()
        .filter(|one| together(one))
        .map(|(_, arm)| arm)
        .collect();
    if let Some(Place::Each(tenants)) = merged.first().map(|arm| arm.place) {
        sql.push("merged as materialized (");
        push_newest_keys(sql, &scopes[0], tenants, &merged, of_arm);
        sql.push("), ");
        names.push("merged".to_owned());
    }
    sql.push("page as materialized (select ");
    if by_keys {
        // By an array: a join of one row each costs a scan more for every row.
        sql.push(format_args!(
            "{COLUMNS} from opsroom.operation_runs r where r.id = any(array(select k.id from (select "
        ));
    }
    if scopes.len() > 1 || scopes.iter().any(may_repeat) {
        sql.push("distinct on (u.created_at, u.id) ");
    }
    sql.push("u.* from (");
    for (at, name) in names.iter().enumerate() {
        sql.push(if at == 0 { "" } else { " union all " });
        let columns = if by_keys { "id, created_at" } else { "*" };
        sql.push(format_args!("select {columns} from {name}"));
    }
    if arms.is_empty() {
        sql.push(format_args!(
            "select {COLUMNS} from opsroom.operation_runs r where r.id = any('{{}}'::int8[])"
        ));
    }
    sql.push(") u order by u.created_at desc, u.id desc limit ")
        .push_bind(take.limit);
    if by_keys {
        sql.push(") k))");
    }
    sql.push("), ends as materialized (select x.created_at, x.id from (");
    sql.push("select null::timestamptz as created_at, null::int8 as id where false");
    // Named runs are all looked at.
    let sliced =
        |(_, (scope, arm)): &(usize, &(&Scope, Arm<'_>))| arm.is_sliced() && scope.ids.is_none();
    for (at, (scope, arm)) in arms.iter().enumerate().filter(sliced) {
        sql.push(" union all (select q.created_at, q.id from (");
        match Kept::of(scope, arm, take) {
            Some(kept) => kept.push_end(sql, &format!("slice{at}")),
            None => push_end(sql, scope, arm, take),
        }
        sql.push(format_args!(") q where (select count(*) from arm{at}) < "))
            .push_bind(take.limit)
            .push(")");
    }
    sql.push(") x order by x.created_at desc, x.id desc limit 1)");
}

pub(crate) fn decode(
    rows: &[PgRow],
    limit: usize,
    held: &Held,
    directory: &Directory,
) -> Result<RunPage, ReadError> {
    let known: HashMap<RunId, &Arc<RunRow>> = held.iter().map(|row| (row.id, row)).collect();
    let mut page = RunPage::default();
    for row in rows {
        let one = |row: &PgRow| -> Result<Option<Arc<RunRow>>, sqlx::Error> {
            let Some(id) = row.try_get::<Option<i64>, _>("id")? else {
                return Ok(None);
            };
            if !held.is_empty() && row.try_get("same")? {
                return Ok(known
                    .get(&RunId(id))
                    .map(|row| row::renamed(row, directory)));
            }
            row::decode(row, directory).map(|row| Some(Arc::new(row)))
        };
        page.as_of = row.try_get("as_of").map_err(ReadError::malformed)?;
        page.rows.extend(one(row).map_err(ReadError::malformed)?);
    }
    if let Some(row) = rows.first() {
        page.searched_to = ended(row).map_err(ReadError::malformed)?;
    }
    if let Some(end) = page.searched_to {
        page.rows.retain(|row| !row.cursor().is_before(end));
    }
    let full = page.rows.len() > limit;
    page.rows.truncate(limit);
    if full {
        page.searched_to = None;
    }
    page.within_budget = page.searched_to.is_some();
    page.more = full || page.within_budget;
    Ok(page)
}

fn ended(row: &PgRow) -> Result<Option<Cursor>, sqlx::Error> {
    let created: Option<Moment> = row.try_get("end_created_at")?;
    let id: Option<i64> = row.try_get("end_id")?;
    Ok(created.zip(id).map(|(created, id)| Cursor {
        created,
        id: RunId(id),
    }))
}
