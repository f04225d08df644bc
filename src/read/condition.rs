//! What is asked of each row, as SQL over `r`.

use crate::scope::{Bound, Moment, RowCondition, RowFilter};
use opsroom_model::query::pattern::others_of;
use opsroom_model::query::{Length, Sign, Span};
use opsroom_model::{Bucket, RunId};
use sqlx::{Postgres, QueryBuilder};

/// The SQL condition of a state. The words are our own constants.
pub(crate) fn state_is(bucket: Bucket) -> String {
    let state = bucket.state();
    if state.is_active() {
        format!("r.outcome = 'pending' and r.status = '{}'", state.status())
    } else {
        format!("r.outcome = '{}'", state.outcome())
    }
}

/// As [`state_is`] of an active run, to be found by its tenant. Statistics are made while nearly nothing is
/// active: by its name the state seems to leave so little that the planner looks through everybody's
/// active runs for those of a tenant, and there may be a backlog by now. Not told before it executes which
/// state it is, the planner finds the tenant first.
pub(crate) fn active_of_tenant(bucket: Bucket) -> String {
    let status = bucket.state().status();
    format!("{ACTIVE_OF_TENANT} and r.status = '{status}'")
}

/// The same of any active run. The statuses stand there since an index has them as its condition.
pub(crate) const ACTIVE_OF_TENANT: &str = "r.outcome = (select 'pending') and r.outcome <> 'succeeded' \
     and r.status in ('queued', 'running')";

/// Pushes ` and …`: created within so many seconds.
pub(crate) fn push_within(sql: &mut QueryBuilder<Postgres>, alias: &str, seconds: i64) {
    sql.push(format_args!(
        " and {alias}.created_at >= now() - make_interval(secs => "
    ))
    .push_bind(seconds as f64)
    .push(")");
}

/// Pushes a condition: created on this side of it.
pub(crate) fn push_bound(sql: &mut QueryBuilder<Postgres>, alias: &str, bound: Bound) {
    let (operator, moment) = match bound {
        Bound::From(moment) => (">=", moment),
        Bound::Before(moment) => ("<", moment),
    };
    sql.push(format_args!("{alias}.created_at {operator} "));
    match moment {
        Moment::Ago(seconds) => sql
            .push("now() - make_interval(secs => ")
            .push_bind(seconds)
            .push(")"),
        Moment::At(at) => sql.push_bind(at),
    };
}

/// Pushes ` and …` or ` and not …`. Every condition is true or false, never null.
pub(crate) fn push_row_filter(sql: &mut QueryBuilder<Postgres>, filter: &RowFilter) {
    sql.push(match filter.sign {
        Sign::Plus => " and (",
        Sign::Minus => " and not (",
    });
    push_condition(sql, &filter.what);
    sql.push(")");
}

fn push_condition(sql: &mut QueryBuilder<Postgres>, condition: &RowCondition) {
    match condition {
        RowCondition::Tenants(ids) => {
            sql.push("r.tenant_id = any(")
                .push_bind(ids.clone())
                .push(")");
        }
        RowCondition::TypeLike(patterns) => {
            sql.push("r.type like any(")
                .push_bind(patterns.clone())
                .push(")");
        }
        RowCondition::States { buckets, stuck } => push_states(sql, buckets, stuck),
        RowCondition::Codes { exact, like } => {
            push_codes(sql, exact.clone(), like.clone());
        }
        RowCondition::By(names) => push_by(sql, names),
        RowCondition::Ids(ids) => {
            sql.push("r.id = any(").push_bind(ids.clone()).push(")");
        }
        RowCondition::Created(bounds) => {
            sql.push("true");
            for bound in bounds {
                sql.push(" and ");
                push_bound(sql, "r", *bound);
            }
        }
        RowCondition::Took(spans) => push_took(sql, spans),
        RowCondition::Key { key, exact, like } => push_key(sql, key, exact, like),
        RowCondition::Text { like, tenants } => {
            sql.push("r.type like ").push_bind(like.clone());
            sql.push(" or ");
            push_folded(sql, std::slice::from_ref(like));
            sql.push(" like ").push_bind(like.clone());
            sql.push(" or r.tenant_id = any(")
                .push_bind(tenants.clone())
                .push(") or ");
            push_codes(sql, Vec::new(), vec![like.clone()]);
        }
        RowCondition::Any(alternatives) => {
            for (at, filters) in alternatives.iter().enumerate() {
                sql.push(if at == 0 { "(true" } else { " or (true" });
                for filter in filters {
                    push_row_filter(sql, filter);
                }
                sql.push(")");
            }
        }
    }
}

fn push_states(sql: &mut QueryBuilder<Postgres>, buckets: &[Bucket], stuck: &[RunId]) {
    let mut each: Vec<_> = buckets.iter().map(|bucket| state_is(*bucket)).collect();
    if each.is_empty() {
        each.push("false".to_owned());
    }
    sql.push(each.join(" or "));
    if !stuck.is_empty() {
        let ids: Vec<i64> = stuck.iter().map(|id| id.0).collect();
        sql.push(" or (r.outcome = 'pending' and r.id = any(")
            .push_bind(ids)
            .push("))");
    }
}

/// A name fits as a whole, or by its first or last words: `by:alice` finds Alice Meyer.
fn push_by(sql: &mut QueryBuilder<Postgres>, names: &[String]) {
    let mut patterns = names.to_vec();
    patterns.extend(names.iter().map(|name| format!("{name} %")));
    patterns.extend(names.iter().map(|name| format!("% {name}")));
    push_folded(sql, names);
    sql.push(" like any(").push_bind(patterns).push(")");
}

/// Pushes the initiator's name with those letters in lower case that `patterns` ask for: the same
/// whatever the locale of the database, and the same as [`opsroom_model::query::pattern::fold`].
fn push_folded(sql: &mut QueryBuilder<Postgres>, patterns: &[String]) {
    let others = others_of(&patterns.concat());
    if others.is_empty() {
        sql.push("lower(r.initiator_name collate \"C\")");
        return;
    }
    let (from, to): (String, String) = others.into_iter().unzip();
    sql.push("translate(lower(r.initiator_name collate \"C\"), ")
        .push_bind(from)
        .push(", ")
        .push_bind(to)
        .push(")");
}

/// How long it ran; of a running run, so far.
fn push_took(sql: &mut QueryBuilder<Postgres>, spans: &[Span]) {
    const LENGTH: &str = "(case r.status when 'running' then now() when 'completed' then r.completed_at end - r.started_at)";
    let bound = |sql: &mut QueryBuilder<Postgres>, operator: &str, length: Length| {
        sql.push(format_args!("{LENGTH} {operator} make_interval(secs => "))
            .push_bind(length.millis() as f64 / 1000.0)
            .push(")");
    };
    sql.push("coalesce(");
    for (at, span) in spans.iter().enumerate() {
        sql.push(if at == 0 { "" } else { " or " });
        match *span {
            Span::Over(length) => bound(sql, ">", length),
            Span::AtLeast(length) => bound(sql, ">=", length),
            Span::Under(length) => bound(sql, "<", length),
            Span::AtMost(length) => bound(sql, "<=", length),
            Span::Between(least, most) => {
                bound(sql, ">=", least);
                sql.push(" and ");
                bound(sql, "<=", most);
            }
        }
    }
    sql.push(", false)");
}

/// What the login may not see, the policy on the keys hides.
fn push_key(sql: &mut QueryBuilder<Postgres>, key: &str, exact: &[String], like: &[String]) {
    sql.push(
        "exists (select 1 from opsroom.run_keys k \
         where k.tenant_id = r.tenant_id and k.run_id = r.id and k.key = ",
    )
    .push_bind(key.to_owned());
    sql.push(" and (k.value = any(").push_bind(exact.to_vec());
    sql.push(") or k.value like any(")
        .push_bind(like.to_vec())
        .push(")))");
}

/// Pushes a condition: one of its failure codes fits. A select of one row and not EXISTS, which the
/// planner may turn into a join that reads every failure there is.
pub(crate) fn push_codes(sql: &mut QueryBuilder<Postgres>, exact: Vec<String>, like: Vec<String>) {
    sql.push(
        "coalesce((select true from opsroom.run_failures f \
         where f.tenant_id = r.tenant_id and f.run_id = r.id and (f.code = any(",
    )
    .push_bind(exact)
    .push(")");
    if !like.is_empty() {
        sql.push(" or f.code like any(").push_bind(like).push(")");
    }
    sql.push(") limit 1), false)");
}
