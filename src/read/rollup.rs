//! What every query on the rollups shares: which rows are a scope's, whether the counting has caught up
//! with the window, and the tail of runs that ended since the last tick.
//!
//! Rollups know tenants, types and time. A query that asks for more is counted from the runs, or not
//! at all; who asks is told which.

use crate::scope::{Bound, Moment, Scope, WINDOW_S};
use sqlx::{Postgres, QueryBuilder};

/// Runs of the tail that are counted; more of them, and counts are lower bounds.
pub(crate) const TAIL: i64 = 10_000;

/// True where tenants, types and a time up to now are all the scope asks for.
pub(crate) fn covers(scope: &Scope) -> bool {
    scope.rows.is_empty()
        && scope.foreign_types.is_empty()
        && scope.ids.is_none()
        && scope.names.is_none()
        && scope.codes.is_none()
        && since(scope).is_some()
}

/// How far back the scope's completed runs go, in seconds: the default window where it asks for a
/// time that rollups cannot tell, see [`covers`].
pub(crate) fn window(scope: &Scope) -> i64 {
    since(scope).unwrap_or(WINDOW_S)
}

fn since(scope: &Scope) -> Option<i64> {
    match scope.created.as_slice() {
        [] if scope.windowed => Some(WINDOW_S),
        [Bound::From(Moment::Ago(seconds))] => Some(*seconds as i64),
        _ => None,
    }
}

/// Pushes `s`: one row with the snapshot of the last tick, and whether everything since `since` (the
/// window's beginning) is counted as of it. And `tail`: runs that ended since that tick. Its order
/// makes the planner take the index on `changed_xid`: it cannot know how few they are, and prefers
/// any index of a tenant's runs.
pub(crate) fn push_state(sql: &mut QueryBuilder<Postgres>, scope: &Scope, seconds: i64) {
    sql.push(
        "with s as materialized (select t.snap, w.since, t.ticked_at, t.hours_from, t.recent_from, \
           (w.since at time zone 'UTC')::date as first_day, \
           t.valid and not exists (select from opsroom.rollup_pending p where p.day >= (w.since at time zone 'UTC')::date) \
           and pg_snapshot_xmax(t.snap)::text::int8 <= pg_snapshot_xmax(pg_current_snapshot())::text::int8 + 10000",
    );
    if scope.tenants.is_none() {
        // What is known of the login may be half a minute old, and rows of all tenants are hidden from
        // whoever ceased to see all: nothing would look like zero.
        sql.push(" and (select opsroom.sees_all())");
    }
    sql.push(
        " as ready \
         from opsroom.rollup_state t cross join (select now() - make_interval(secs => ",
    )
    .push_bind(seconds as f64)
    .push(
        ") as since) w), tail as materialized (\
         select r.id, r.tenant_id, r.type, r.outcome, r.created_at from opsroom.operation_runs r \
          where r.changed_xid >= (select pg_snapshot_xmin(s.snap) from s) and r.status = 'completed' \
            and not pg_visible_in_snapshot(r.changed_xid, (select s.snap from s)) \
          order by r.changed_xid limit ",
    )
    .push_bind(TAIL + 1)
    .push(")");
}

/// Pushes conditions on a rollup `alias`: the scope's tenants, or the row of all of them.
pub(crate) fn push_tenants(sql: &mut QueryBuilder<Postgres>, alias: &str, scope: &Scope) {
    match &scope.tenants {
        None => {
            sql.push(format_args!(" and {alias}.tenant_id = 0"));
        }
        Some(ids) => {
            sql.push(format_args!(" and {alias}.tenant_id = any("))
                .push_bind(ids.clone())
                .push("::int8[])");
        }
    }
}

/// Pushes conditions on a rollup `alias`: the scope's types, or the row of all of them.
pub(crate) fn push_types(sql: &mut QueryBuilder<Postgres>, alias: &str, scope: &Scope) {
    match &scope.types {
        None => {
            sql.push(format_args!(" and {alias}.type = ''"));
        }
        Some(types) => push_any_type(sql, alias, types),
    }
}

/// Pushes conditions on a table `alias` that has a row a type, and none for all of them.
pub(crate) fn push_each_type(sql: &mut QueryBuilder<Postgres>, alias: &str, scope: &Scope) {
    if let Some(types) = &scope.types {
        push_any_type(sql, alias, types);
    }
}

fn push_any_type(sql: &mut QueryBuilder<Postgres>, alias: &str, types: &[String]) {
    sql.push(format_args!(" and {alias}.type = any("))
        .push_bind(types.to_vec())
        .push("::text[])");
}

/// Pushes conditions on runs `r`.
pub(crate) fn push_runs(sql: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if scope.tenants.is_some() {
        push_tenants(sql, "r", scope);
    }
    push_each_type(sql, "r", scope);
}

/// Pushes a parenthesised select of the scope's runs among the tail.
pub(crate) fn push_tail(sql: &mut QueryBuilder<Postgres>, scope: &Scope) {
    sql.push("(select * from tail r where true");
    push_runs(sql, scope);
    sql.push(")");
}
