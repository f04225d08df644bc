//! Arms as SQL: for each, a select in the order of the list with its own limit. Values are bound,
//! never pasted. Many tenants become a LATERAL over their ids, of keys alone: rows are fetched for
//! those that made it into the page.

use crate::arm::{Age, Arm, Ask, Fact, Place, arms};
use crate::condition::{push_bound, push_codes, push_row_filter, push_within, state_is};
use crate::row::{COLUMNS, Cursor};
use crate::scope::{RowCondition, Scope};
use opsroom_model::RunId;
use sqlx::{Postgres, QueryBuilder};

/// Rows of a slice, all arms' tenants together.
const SLICE: i64 = 5_000;
/// Where each row takes a look into another table.
const DEAR_SLICE: i64 = 2_000;

/// What is selected from the arms, and how far.
#[derive(Clone, Copy)]
pub(crate) struct Take<'a> {
    /// Columns of `r`, all but `*`: rights are granted column by column.
    pub columns: &'a str,
    /// Rows at most.
    pub limit: i64,
    /// Only rows older than this one.
    pub before: Option<Cursor>,
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

/// Where rows come from: aliases, and the keys of the list's order.
#[derive(Clone, Copy)]
struct Source {
    table: &'static str,
    alias: &'static str,
    id: &'static str,
}

const RUNS: Source = Source {
    table: "opsroom.operation_runs",
    alias: "r",
    id: "id",
};
const FAILURES: Source = Source {
    table: "opsroom.run_failures",
    alias: "f",
    id: "run_id",
};
/// What can be asked of a failure without its run.
const FAILURE: &str = "f.created_at, f.run_id, f.tenant_id, f.type, f.initiator_name, f.outcome";

#[derive(Clone, Copy)]
enum Whose {
    All,
    One(i64),
    /// Of the tenant `t.id` around it.
    Outer,
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
            "select {} from opsroom.operation_runs r where false",
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
        Place::All => push_scan(sql, scope, arm, take, Whose::All),
        Place::One(id) => push_scan(sql, scope, arm, take, Whose::One(id)),
        Place::Each(many) if arm.is_sliced() || take.order == Order::Any => {
            sql.push("select x.* from ");
            push_each(sql, many);
            push_scan(sql, scope, arm, take, Whose::Outer);
            sql.push(") x");
            push_tail(sql, "x", "id", take);
        }
        Place::Each(many) => {
            sql.push(format_args!(
                "select {} from (select x.id, x.created_at from ",
                take.columns
            ));
            push_each(sql, many);
            let keys = Take {
                columns: "r.id, r.created_at",
                ..take
            };
            push_scan(sql, scope, arm, keys, Whose::Outer);
            sql.push(") x");
            push_tail(sql, "x", "id", take);
            sql.push(") k join opsroom.operation_runs r on r.id = k.id");
            push_tail(sql, "r", "id", take);
        }
    }
}

/// Pushes a select of the keys of the last row that a sliced arm looks at; no row where it looks at
/// all there are.
pub(crate) fn push_end(
    sql: &mut QueryBuilder<Postgres>,
    scope: &Scope,
    arm: &Arm<'_>,
    take: Take<'_>,
) {
    let source = source(scope, arm);
    let Some(slice) = slice(arm, take.search) else {
        sql.push("select null::timestamptz as created_at, null::int8 as id where false");
        return;
    };
    let each = matches!(arm.place, Place::Each(_));
    if let Place::Each(many) = arm.place {
        sql.push("select x.created_at, x.id from ");
        push_each(sql, many);
    }
    let Source { alias, id, .. } = source;
    sql.push(format_args!(
        "select {alias}.created_at, {alias}.{id} as id from "
    ));
    push_driver(sql, scope, arm, take.before, whose(arm.place));
    sql.push(format_args!(
        " order by {alias}.created_at desc, {alias}.{id} desc limit 1 offset "
    ))
    .push_bind(slice - 1);
    if each {
        sql.push(") x order by x.created_at desc, x.id desc limit 1");
    }
}

fn whose(place: Place<'_>) -> Whose {
    match place {
        Place::All => Whose::All,
        Place::One(id) => Whose::One(id),
        Place::Each(_) => Whose::Outer,
    }
}

fn source(scope: &Scope, arm: &Arm<'_>) -> Source {
    if arm.code.is_some() && scope.ids.is_none() {
        FAILURES
    } else {
        RUNS
    }
}

/// Rows that each scan of the arm looks at, where it has something to ask of them.
fn slice(arm: &Arm<'_>, search: Search) -> Option<i64> {
    if !arm.is_sliced() {
        return None;
    }
    let dear = arm.asks.iter().any(|ask| match ask {
        Ask::Codes(_) => true,
        Ask::Row(filter) => matches!(
            filter.what,
            RowCondition::Text { .. }
                | RowCondition::Codes { .. }
                | RowCondition::Key { .. }
                | RowCondition::Any(_)
        ),
        _ => arm.code.is_some() && is_asked_of_run(ask),
    });
    let rows = match search {
        Search::Whole => return None,
        Search::Newest(rows) => rows,
        Search::Slice if dear => DEAR_SLICE,
        Search::Slice => SLICE,
    };
    let scans = match arm.place {
        Place::Each(many) => many.len().max(1) as i64,
        _ => 1,
    };
    Some((rows / scans).max(1))
}

fn push_each(sql: &mut QueryBuilder<Postgres>, tenants: &[i64]) {
    sql.push("unnest(")
        .push_bind(tenants.to_vec())
        .push("::int8[]) as t(id) cross join lateral (");
}

/// One scan of runs, with what is asked of them.
fn push_scan(
    sql: &mut QueryBuilder<Postgres>,
    scope: &Scope,
    arm: &Arm<'_>,
    take: Take<'_>,
    whose: Whose,
) {
    sql.push(format_args!("select {} from ", take.columns));
    let slice = slice(arm, take.search).filter(|_| scope.ids.is_none());
    if let Some(slice) = slice {
        // All that a list or a condition may ask for.
        sql.push(format_args!("(select {COLUMNS} from "));
        push_driver(sql, scope, arm, take.before, whose);
        sql.push(" order by r.created_at desc, r.id desc limit ")
            .push_bind(slice)
            .push(") r where true");
    } else {
        push_driver(sql, scope, arm, take.before, whose);
    }
    for ask in &arm.asks {
        push_ask(sql, ask, "r");
    }
    push_tail(sql, "r", "id", take);
}

/// Runs by a failure code: found, and as far as possible judged, in `run_failures`.
fn push_by_code(sql: &mut QueryBuilder<Postgres>, scope: &Scope, arm: &Arm<'_>, take: Take<'_>) {
    let of_run = || arm.asks.iter().filter(|ask| is_asked_of_run(ask));
    sql.push(format_args!("select {} from (", take.columns));
    let keys = |sql: &mut QueryBuilder<Postgres>| {
        // A run may have the same code twice.
        sql.push("select distinct f.created_at, f.run_id from ");
        if let Some(slice) = slice(arm, take.search) {
            sql.push(format_args!("(select {FAILURE} from "));
            push_driver(sql, scope, arm, take.before, whose(arm.place));
            sql.push(" order by f.created_at desc, f.run_id desc limit ")
                .push_bind(slice)
                .push(") f where true");
        } else {
            push_driver(sql, scope, arm, take.before, whose(arm.place));
        }
        for ask in arm.asks.iter().filter(|ask| !is_asked_of_run(ask)) {
            push_ask(sql, ask, "f");
        }
        if of_run().next().is_none() {
            push_tail(sql, "f", "run_id", take);
        }
    };
    if let Place::Each(many) = arm.place {
        sql.push("select x.created_at, x.run_id from ");
        push_each(sql, many);
        keys(sql);
        sql.push(") x");
        if of_run().next().is_none() {
            push_tail(sql, "x", "run_id", take);
        }
    } else {
        keys(sql);
    }
    sql.push(") k join opsroom.operation_runs r on r.id = k.run_id where true");
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

/// True where `run_failures` cannot answer it.
fn is_asked_of_run(ask: &Ask<'_>) -> bool {
    match ask {
        Ask::Fact(Fact::Bucket(bucket)) => bucket.state().is_active(),
        Ask::Fact(_) | Ask::Tenants(_) | Ask::Types(_) | Ask::Names(_) => false,
        Ask::Foreign { .. } | Ask::Codes(_) | Ask::Row(_) => true,
    }
}

/// Pushes `TABLE alias where …`: what one index serves.
fn push_driver(
    sql: &mut QueryBuilder<Postgres>,
    scope: &Scope,
    arm: &Arm<'_>,
    before: Option<Cursor>,
    whose: Whose,
) {
    let Source { table, alias, id } = source(scope, arm);
    sql.push(format_args!("{table} {alias} where true"));
    match whose {
        Whose::All => {}
        Whose::One(tenant) => {
            sql.push(format_args!(" and {alias}.tenant_id = "))
                .push_bind(tenant);
        }
        Whose::Outer => {
            sql.push(format_args!(" and {alias}.tenant_id = t.id"));
        }
    }
    if let Some(code) = arm.code {
        if scope.ids.is_some() {
            sql.push(" and ");
            push_codes(sql, vec![code.to_owned()], Vec::new());
        } else {
            sql.push(" and f.code = ").push_bind(code.to_owned());
        }
    }
    for fact in &arm.facts {
        push_fact(sql, *fact, alias);
    }
    match arm.age {
        Age::Whatever => {}
        Age::Within(seconds) => push_within(sql, alias, seconds),
        Age::ActiveBefore(seconds) => {
            sql.push(format_args!(
                " and {alias}.outcome = 'pending' and {alias}.created_at < now() - make_interval(secs => "
            ))
            .push_bind(seconds as f64)
            .push(")");
        }
    }
    push_bounds(sql, scope, alias);
    if let Some(ids) = &scope.ids {
        push_any(sql, "r.id", numbers(ids));
    }
    if let Some(before) = before {
        sql.push(format_args!(" and ({alias}.created_at, {alias}.{id}) < ("))
            .push_bind(before.created);
        sql.push(", ").push_bind(before.id.0).push(")");
    }
}

fn push_bounds(sql: &mut QueryBuilder<Postgres>, scope: &Scope, alias: &str) {
    for bound in &scope.created {
        sql.push(" and ");
        push_bound(sql, alias, *bound);
    }
}

fn push_fact(sql: &mut QueryBuilder<Postgres>, fact: Fact<'_>, alias: &str) {
    match fact {
        Fact::Type(one) => {
            sql.push(format_args!(" and {alias}.type = "))
                .push_bind(one.to_owned());
        }
        Fact::By(one) => {
            sql.push(format_args!(" and {alias}.initiator_name = "))
                .push_bind(one.to_owned());
        }
        Fact::Bucket(bucket) if alias == FAILURES.alias => {
            let outcome = bucket.state().outcome();
            sql.push(format_args!(" and f.outcome = '{outcome}'"));
        }
        Fact::Bucket(bucket) => {
            sql.push(format_args!(" and {}", state_is(bucket)));
        }
    }
}

fn push_ask(sql: &mut QueryBuilder<Postgres>, ask: &Ask<'_>, alias: &str) {
    match ask {
        Ask::Fact(fact) => push_fact(sql, *fact, alias),
        Ask::Tenants(ids) => push_any(sql, &format!("{alias}.tenant_id"), ids.to_vec()),
        Ask::Types(list) => push_any(sql, &format!("{alias}.type"), list.to_vec()),
        Ask::Names(list) => push_any(sql, &format!("{alias}.initiator_name"), list.to_vec()),
        Ask::Foreign { like, known } => {
            sql.push(" and r.type like any(")
                .push_bind(like.to_vec())
                .push(") and r.type <> all(")
                .push_bind(known.to_vec())
                .push(")");
        }
        Ask::Codes(list) => {
            sql.push(" and ");
            push_codes(sql, list.to_vec(), Vec::new());
        }
        Ask::Row(filter) => push_row_filter(sql, filter),
    }
}

fn push_any<'q, T>(sql: &mut QueryBuilder<Postgres>, column: &str, values: Vec<T>)
where
    Vec<T>: 'q + sqlx::Encode<'q, Postgres> + sqlx::Type<Postgres>,
{
    sql.push(format_args!(" and {column} = any("))
        .push_bind(values)
        .push(")");
}

fn push_tail(sql: &mut QueryBuilder<Postgres>, alias: &str, id: &str, take: Take<'_>) {
    if take.order == Order::NewestFirst {
        sql.push(format_args!(
            " order by {alias}.created_at desc, {alias}.{id} desc"
        ));
    }
    sql.push(" limit ").push_bind(take.limit);
}

fn numbers(ids: &[RunId]) -> Vec<i64> {
    ids.iter().map(|id| id.0).collect()
}
