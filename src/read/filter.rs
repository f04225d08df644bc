//! Arms as SQL: for each, a select in the order of the list with its own limit. Values are bound,
//! never pasted. Many tenants become a LATERAL over their ids, of keys alone: rows are fetched for
//! those that made it into the page.

use crate::arm::{Arm, Fact, Place, arms};
use crate::condition::{push_codes, push_row_filter, state_is};
use crate::driver::{
    FAILURE, Whose, is_asked_of_failure, is_asked_of_run, numbers, push_any, push_ask, push_bounds,
    push_driver, push_since, push_tail,
};
use crate::merge::{push_each, push_merged, push_newest_keys, push_types};
use crate::row::{COLUMNS, Cursor};
use crate::scope::Scope;
use crate::slice::{each_slice, slice};
use sqlx::{Postgres, QueryBuilder};

/// Nothing but the keys of the list's order, as columns of [`Take`].
pub(crate) const KEYS: &str = "r.id, r.created_at";

/// What is selected from the arms, and how far.
#[derive(Clone, Copy)]
pub(crate) struct Take<'a> {
    /// Columns of `r`, all but `*`: rights are granted column by column. In any order `r.id` alone.
    pub columns: &'a str,
    /// Rows at most.
    pub limit: i64,
    /// Only rows older than this one.
    pub before: Option<Cursor>,
    /// Only rows as new as this expression of ours.
    pub since: Option<&'a str>,
    /// Newest first, or in any order.
    pub order: Order,
    /// How many rows are looked at, where each must be to be judged.
    pub search: Search,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    NewestFirst,
    Any,
}

/// See [`Take::search`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Search {
    /// A slice, so that an answer comes at once.
    Slice,
    /// So many, newest first.
    Newest(i64),
    /// All there are.
    Whole,
}

/// Pushes a parenthesised select of the scopes' rows, ready to stand after `from`; its columns have
/// `id` and, where an order is asked for, `created_at`. In no order where none is.
pub(crate) fn push_rows(sql: &mut QueryBuilder<Postgres>, scopes: &[Scope], take: Take<'_>) {
    let several = scopes.len() > 1 || scopes.iter().any(may_repeat);
    sql.push(match (several, take.order) {
        (false, _) => "(select u.* from (",
        (true, Order::NewestFirst) => "(select distinct on (u.created_at, u.id) u.* from (",
        (true, Order::Any) => "(select distinct u.id from (",
    });
    let mut between = "(";
    for scope in scopes {
        for arm in &arms(scope) {
            sql.push(between);
            push_arm(sql, scope, arm, take);
            sql.push(")");
            between = " union all (";
        }
    }
    if between == "(" {
        sql.push(format_args!(
            "select {} from opsroom.operation_runs r where r.id = any('{{}}'::int8[])",
            take.columns
        ));
    }
    sql.push(") u");
    push_tail(sql, "u", "id", take);
    sql.push(")");
}

/// Pushes what every active row of the scopes must fulfil, its state aside, as ` and …` over `r`.
pub(crate) fn push_any_where(sql: &mut QueryBuilder<Postgres>, scopes: &[Scope]) {
    if let [one] = scopes {
        return push_where(sql, one);
    }
    sql.push(" and (false");
    for scope in scopes {
        sql.push(" or (true");
        push_where(sql, scope);
        sql.push(")");
    }
    sql.push(")");
}

/// True where a run may be in two arms.
pub(crate) fn may_repeat(scope: &Scope) -> bool {
    scope.codes.as_ref().is_some_and(|codes| codes.len() > 1)
}

fn push_where(sql: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if let Some(tenants) = &scope.tenants {
        push_any(sql, "r.tenant_id", tenants.clone());
    }
    if let Some(types) = &scope.types {
        sql.push(" and (r.type = any(")
            .push_bind(types.clone())
            .push(")");
        if !scope.foreign_types.is_empty() {
            sql.push(" or r.type like any(")
                .push_bind(scope.foreign_types.clone())
                .push(")");
        }
        sql.push(")");
    }
    if let Some(names) = &scope.names {
        push_any(sql, "r.initiator_name", names.clone());
    }
    if let Some(codes) = &scope.codes {
        sql.push(" and ");
        push_codes(sql, codes.clone(), Vec::new());
    }
    if let Some(ids) = &scope.ids {
        push_any(sql, "r.id", numbers(ids));
    }
    push_bounds(sql, scope, "r");
    for filter in &scope.rows {
        push_row_filter(sql, filter);
    }
}

/// Pushes the select of one arm.
pub(crate) fn push_arm(
    sql: &mut QueryBuilder<Postgres>,
    scope: &Scope,
    arm: &Arm<'_>,
    take: Take<'_>,
) {
    if arm.code.is_some() && scope.ids.is_none() {
        return push_by_code(sql, scope, arm, take);
    }
    match arm.place {
        Place::All | Place::One(_) | Place::Among(_) => {
            push_scans(sql, scope, arm, take, Whose::of(arm.place));
        }
        Place::Each(many) if take.order == Order::Any => {
            sql.push("select x.* from ");
            push_each(sql, many);
            push_scans(sql, scope, arm, take, Whose::Outer);
            sql.push(") x");
            push_tail(sql, "x", "id", take);
        }
        Place::Each(many) if take.columns == KEYS && !arm.is_sliced() => {
            push_newest_keys(sql, scope, many, &[arm], take);
        }
        Place::Each(many) => {
            debug_assert!(!arm.is_sliced(), "a slice of many tenants is kept");
            sql.push(format_args!("select {} from (", take.columns));
            push_newest_keys(sql, scope, many, &[arm], take);
            sql.push(") k");
            push_run_of(sql, "k.id");
            push_tail(sql, "r", "id", take);
        }
    }
}

/// A scan of an arm, or one for each of its types.
fn push_scans(
    sql: &mut QueryBuilder<Postgres>,
    scope: &Scope,
    arm: &Arm<'_>,
    take: Take<'_>,
    whose: Whose<'_>,
) {
    push_types(sql, arm, |sql| push_scan(sql, scope, arm, take, whose));
    if arm.each_type().is_some() {
        push_tail(sql, "z", "id", take);
    }
}

/// One scan of runs, with what is asked of them.
fn push_scan(
    sql: &mut QueryBuilder<Postgres>,
    scope: &Scope,
    arm: &Arm<'_>,
    take: Take<'_>,
    whose: Whose<'_>,
) {
    sql.push(format_args!("select {} from ", take.columns));
    let slice = slice(arm, take).filter(|_| scope.ids.is_none());
    if let Some(slice) = slice.map(|slice| each_slice(arm, slice)) {
        // All that a list or a condition may ask for.
        sql.push(format_args!("(select {COLUMNS} from "));
        push_driver(sql, scope, arm, take.before, whose);
        sql.push(" order by r.created_at desc, r.id desc limit ")
            .push_bind(slice)
            .push(") r where true");
    } else {
        push_driver(sql, scope, arm, take.before, whose);
        push_since(sql, "r", take.since);
    }
    for ask in &arm.asks {
        push_ask(sql, ask, "r");
    }
    if take.order == Order::Any && !arm.is_sliced() && !is_of_active(arm) {
        // The order of the index costs nothing, and without it the planner may read the table from its
        // beginning, which is the oldest there is, until it has found enough.
        sql.push(" order by r.created_at desc, r.id desc");
    }
    push_tail(sql, "r", "id", take);
}

/// True where an arm finds active runs: those of a tenant are sorted, see [`crate::condition`].
fn is_of_active(arm: &Arm<'_>) -> bool {
    let is_active =
        |fact: &Fact<'_>| matches!(fact, Fact::Bucket(bucket) if bucket.state().is_active());
    arm.facts.iter().any(is_active)
}

/// True where a run that a failure finds must be looked at before it is known to be one.
pub(crate) fn is_judged(arm: &Arm<'_>) -> bool {
    arm.asks.iter().any(is_asked_of_run) || is_of_active(arm)
}

/// Runs by a failure code: found, and as far as possible judged, in `run_failures`.
fn push_by_code(sql: &mut QueryBuilder<Postgres>, scope: &Scope, arm: &Arm<'_>, take: Take<'_>) {
    let of_run = || arm.asks.iter().filter(|ask| is_asked_of_run(ask));
    let is_judged = is_judged(arm);
    // Who sees a failure sees its run: runs that are only counted or placed are not fetched.
    let found = match take.order {
        Order::Any if !is_judged => "k.run_id as id",
        Order::NewestFirst if !is_judged && take.columns == KEYS => "k.run_id as id, k.created_at",
        _ => take.columns,
    };
    sql.push(format_args!("select {found} from ("));
    let keys = |sql: &mut QueryBuilder<Postgres>, take: Take<'_>| {
        // A run may have the same code twice.
        sql.push("select distinct f.created_at, f.run_id from ");
        if let Some(slice) = slice(arm, take).map(|slice| each_slice(arm, slice)) {
            sql.push(format_args!("(select {FAILURE} from "));
            push_driver(sql, scope, arm, take.before, Whose::of(arm.place));
            sql.push(" order by f.created_at desc, f.run_id desc limit ")
                .push_bind(slice)
                .push(") f where true");
        } else {
            push_driver(sql, scope, arm, take.before, Whose::of(arm.place));
            push_since(sql, "f", take.since);
        }
        for ask in arm.asks.iter().filter(|ask| is_asked_of_failure(ask)) {
            push_ask(sql, ask, "f");
        }
        if !is_judged {
            push_tail(sql, "f", "run_id", take);
        }
    };
    match arm.place {
        Place::Each(many) if !arm.is_sliced() => push_merged(sql, many, 1, "run_id", take, &keys),
        Place::Each(many) => {
            sql.push("select x.created_at, x.run_id from ");
            push_each(sql, many);
            keys(sql, take);
            sql.push(") x");
        }
        Place::All | Place::One(_) | Place::Among(_) => keys(sql, take),
    }
    sql.push(") k");
    if found != take.columns || (take.order == Order::Any && !is_judged) {
        return push_tail(sql, "k", "run_id", take);
    }
    push_run_of(sql, "k.run_id");
    sql.push(" where true");
    for fact in &arm.facts {
        if let Fact::Bucket(bucket) = fact {
            sql.push(format_args!(" and {}", state_is(*bucket)));
        }
    }
    for ask in of_run() {
        push_ask(sql, ask, "r");
    }
    push_tail(sql, "r", "id", take);
}

/// Pushes the run of a key, as `r`. One row each: a plain join may read every run there is.
pub(crate) fn push_run_of(sql: &mut QueryBuilder<Postgres>, id: &str) {
    sql.push(format_args!(
        " cross join lateral (select {COLUMNS} from opsroom.operation_runs r where r.id = {id} limit 1) r"
    ));
}
