//! What one index serves of an arm, from which table, and how the rest is asked of its rows.

use crate::arm::{Age, Arm, Ask, Fact, Place};
use crate::condition::{
    active_of_tenant, push_bound, push_codes, push_row_filter, push_within, state_is,
};
use crate::filter::{Order, Take};
use crate::row::Cursor;
use crate::scope::Scope;
use opsroom_model::RunId;
use sqlx::{Postgres, QueryBuilder};

/// Where rows come from: aliases, and the keys of the list's order.
#[derive(Clone, Copy)]
pub(crate) struct Source {
    pub(crate) table: &'static str,
    pub(crate) alias: &'static str,
    pub(crate) id: &'static str,
}

pub(crate) const RUNS: Source = Source {
    table: "opsroom.operation_runs",
    alias: "r",
    id: "id",
};
pub(crate) const FAILURES: Source = Source {
    table: "opsroom.run_failures",
    alias: "f",
    id: "run_id",
};
/// What can be asked of a failure without its run.
pub(crate) const FAILURE: &str =
    "f.created_at, f.run_id, f.tenant_id, f.type, f.initiator_name, f.outcome";

#[derive(Clone, Copy)]
pub(crate) enum Whose<'a> {
    All,
    One(i64),
    Among(&'a [i64]),
    /// Of the tenant `t.id` around it.
    Outer,
}

impl<'a> Whose<'a> {
    pub(crate) fn of(place: Place<'a>) -> Self {
        match place {
            Place::All => Self::All,
            Place::One(id) => Self::One(id),
            Place::Among(many) => Self::Among(many),
            Place::Each(_) => Self::Outer,
        }
    }
}

pub(crate) fn source(scope: &Scope, arm: &Arm<'_>) -> Source {
    if arm.code.is_some() && scope.ids.is_none() {
        FAILURES
    } else {
        RUNS
    }
}

pub(crate) fn push_since(sql: &mut QueryBuilder<Postgres>, alias: &str, since: Option<&str>) {
    if let Some(since) = since {
        sql.push(format_args!(" and {alias}.created_at >= {since}"));
    }
}

/// True where `run_failures` cannot answer it.
pub(crate) fn is_asked_of_run(ask: &Ask<'_>) -> bool {
    match ask {
        Ask::Fact(Fact::Bucket(bucket)) => bucket.state().is_active(),
        Ask::Fact(_) | Ask::Tenants(_) | Ask::Types(_) | Ask::Names(_) => false,
        Ask::Foreign { .. } | Ask::Codes(_) | Ask::Row(_) => true,
    }
}

/// True where `run_failures` can answer it, at least in part: it knows that a run is active, not how.
pub(crate) fn is_asked_of_failure(ask: &Ask<'_>) -> bool {
    matches!(ask, Ask::Fact(_)) || !is_asked_of_run(ask)
}

/// Pushes `TABLE alias where …`: what one index serves.
pub(crate) fn push_driver(
    sql: &mut QueryBuilder<Postgres>,
    scope: &Scope,
    arm: &Arm<'_>,
    before: Option<Cursor>,
    whose: Whose<'_>,
) {
    let Source { table, alias, id } = source(scope, arm);
    sql.push(format_args!("{table} {alias} where true"));
    match whose {
        Whose::All => {}
        Whose::One(tenant) => {
            sql.push(format_args!(" and {alias}.tenant_id = "))
                .push_bind(tenant);
        }
        // `is true` keeps the planner from entering an index by tenant: few rows are found without, and
        // a look at each of many tenants costs more.
        Whose::Among(many) => {
            sql.push(format_args!(" and ({alias}.tenant_id = any("))
                .push_bind(many.to_vec())
                .push(")) is true");
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
        push_driving(sql, scope, *fact, whose, alias);
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

/// Pushes a condition of the arm's index. Of an active run's state, which seems to leave nearly nothing,
/// so that the planner does not take it for better than a tenant, or than the ids of runs.
fn push_driving(
    sql: &mut QueryBuilder<Postgres>,
    scope: &Scope,
    fact: Fact<'_>,
    whose: Whose<'_>,
    alias: &str,
) {
    match fact {
        Fact::Bucket(bucket) if bucket.state().is_active() && alias == RUNS.alias => {
            if scope.ids.is_some() {
                sql.push(format_args!(" and ({}) is true", state_is(bucket)));
            } else if matches!(whose, Whose::One(_) | Whose::Outer) {
                sql.push(format_args!(" and {}", active_of_tenant(bucket)));
            } else {
                push_fact(sql, fact, alias);
            }
        }
        _ => push_fact(sql, fact, alias),
    }
}

/// Pushes when the scope's runs were created.
pub(crate) fn push_bounds(sql: &mut QueryBuilder<Postgres>, scope: &Scope, alias: &str) {
    for bound in &scope.created {
        sql.push(" and ");
        push_bound(sql, alias, *bound);
    }
}

pub(crate) fn push_fact(sql: &mut QueryBuilder<Postgres>, fact: Fact<'_>, alias: &str) {
    match fact {
        Fact::Type(one) => {
            sql.push(format_args!(" and {alias}.type = "))
                .push_bind(one.to_owned());
        }
        Fact::EachType(_) => {
            sql.push(format_args!(" and {alias}.type = y.type"));
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

pub(crate) fn push_ask(sql: &mut QueryBuilder<Postgres>, ask: &Ask<'_>, alias: &str) {
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

pub(crate) fn push_any<'q, T>(sql: &mut QueryBuilder<Postgres>, column: &str, values: Vec<T>)
where
    Vec<T>: 'q + sqlx::Encode<'q, Postgres> + sqlx::Type<Postgres>,
{
    sql.push(format_args!(" and {column} = any("))
        .push_bind(values)
        .push(")");
}

pub(crate) fn push_tail(sql: &mut QueryBuilder<Postgres>, alias: &str, id: &str, take: Take<'_>) {
    if take.order == Order::NewestFirst {
        sql.push(format_args!(
            " order by {alias}.created_at desc, {alias}.{id} desc"
        ));
    }
    sql.push(" limit ").push_bind(take.limit);
}

pub(crate) fn numbers(ids: &[RunId]) -> Vec<i64> {
    ids.iter().map(|id| id.0).collect()
}
