//! A scope as SQL: a union of arms, each of which one index can serve in order, with its own limit.
//! Values are bound, never pasted. Many tenants become a LATERAL over their ids; beyond
//! [`LATERAL_TENANTS`] the policy and one `= any` are cheaper (reference: measured forms).

use crate::row::{COLUMNS, Cursor};
use crate::scope::{RowCondition, RowFilter, Scope, WINDOW_S};
use opsroom_model::query::Sign;
use opsroom_model::{Bucket, RunId};
use sqlx::{Postgres, QueryBuilder};

/// Beyond so many tenants, one index scan with a hashed filter beats a scan per tenant.
const LATERAL_TENANTS: usize = 256;
/// Beyond so many arms, lists are matched by `= any` instead.
const MAX_ARMS: usize = 24;
/// Rows looked at, newest first, where each must be read to be judged.
pub(crate) const SEARCH_BUDGET: i64 = 20_000;

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
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    NewestFirst,
    Any,
}

#[derive(Clone, Copy)]
enum ArmType<'a> {
    Any,
    OneOf(&'a [String]),
    Foreign {
        like: &'a [String],
        known: &'a [String],
    },
}

#[derive(Clone, Copy)]
enum Age {
    Within(i64),
    ActiveBefore(i64),
    Whatever,
}

struct Arm<'a> {
    buckets: Option<&'a [Bucket]>,
    types: ArmType<'a>,
    age: Age,
}

/// Pushes a parenthesised select of the scope's rows, ready to stand after `from`.
pub(crate) fn push_rows(sql: &mut QueryBuilder<Postgres>, scope: &Scope, take: Take<'_>) {
    sql.push("(select * from (");
    for (at, arm) in arms(scope).iter().enumerate() {
        sql.push(if at == 0 { "(" } else { " union all (" });
        push_arm(sql, scope, arm, take);
        sql.push(")");
    }
    sql.push(") u");
    push_tail(sql, "u", take);
    sql.push(")");
}

/// Pushes what every active row of the scope must fulfil, its state aside, as ` and …` over `r`.
pub(crate) fn push_where(sql: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if let Some(tenants) = &scope.tenants {
        sql.push(" and r.tenant_id = any(")
            .push_bind(tenants.clone())
            .push(")");
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
    match (&scope.ids, scope.since_s) {
        (Some(ids), _) => {
            sql.push(" and r.id = any(")
                .push_bind(numbers(ids))
                .push(")");
        }
        (None, Some(seconds)) => push_within(sql, seconds),
        (None, None) => {}
    }
    for filter in &scope.rows {
        push_row_filter(sql, filter);
    }
}

fn arms(scope: &Scope) -> Vec<Arm<'_>> {
    let mut types: Vec<ArmType<'_>> = match &scope.types {
        None => vec![ArmType::Any],
        Some(list) if list.len() <= MAX_ARMS => list.chunks(1).map(ArmType::OneOf).collect(),
        Some(list) => vec![ArmType::OneOf(list)],
    };
    if !scope.foreign_types.is_empty() {
        types.push(ArmType::Foreign {
            like: &scope.foreign_types,
            known: scope.types.as_deref().unwrap_or_default(),
        });
    }
    let mut arms = Vec::new();
    for types in types {
        for (buckets, age) in states(scope) {
            arms.push(Arm {
                buckets,
                types,
                age,
            });
        }
    }
    if arms.is_empty() {
        arms.push(Arm {
            buckets: Some(&[]),
            types: ArmType::Any,
            age: Age::Whatever,
        });
    }
    arms
}

/// Which states are looked for, and how far back: the window holds for what has ended.
fn states(scope: &Scope) -> Vec<(Option<&[Bucket]>, Age)> {
    let whatever = scope.ids.is_some();
    let age = |bucket: Bucket| match (scope.since_s, bucket.state().is_active()) {
        _ if whatever => Age::Whatever,
        (Some(since), _) => Age::Within(since),
        (None, true) => Age::Whatever,
        (None, false) => Age::Within(WINDOW_S),
    };
    match &scope.buckets {
        Some(buckets) => buckets
            .chunks(1)
            .map(|one| (Some(one), age(one[0])))
            .collect(),
        None if whatever => vec![(None, Age::Whatever)],
        None => match scope.since_s {
            Some(since) => vec![(None, Age::Within(since))],
            None => vec![
                (None, Age::Within(WINDOW_S)),
                (None, Age::ActiveBefore(WINDOW_S)),
            ],
        },
    }
}

fn push_arm(sql: &mut QueryBuilder<Postgres>, scope: &Scope, arm: &Arm<'_>, take: Take<'_>) {
    match scope.tenants.as_deref() {
        Some([one]) => push_scan(sql, scope, arm, take, Tenants::Bound(*one)),
        Some(many) if many.len() <= LATERAL_TENANTS => {
            sql.push("select x.* from unnest(")
                .push_bind(many.to_vec())
                .push("::int8[]) as t(tenant_id) cross join lateral (");
            push_scan(sql, scope, arm, take, Tenants::Lateral);
            sql.push(") x");
            push_tail(sql, "x", take);
        }
        Some(many) => push_scan(sql, scope, arm, take, Tenants::AnyOf(many)),
        None => push_scan(sql, scope, arm, take, Tenants::All),
    }
}

enum Tenants<'a> {
    All,
    Bound(i64),
    Lateral,
    AnyOf(&'a [i64]),
}

fn push_scan(
    sql: &mut QueryBuilder<Postgres>,
    scope: &Scope,
    arm: &Arm<'_>,
    take: Take<'_>,
    tenants: Tenants<'_>,
) {
    let budgeted = scope.is_free_text() || matches!(arm.types, ArmType::Foreign { .. });
    sql.push(format_args!("select {} from ", take.columns));
    if budgeted {
        // All that a list or a row filter may ask for.
        sql.push(format_args!("(select {COLUMNS} from "));
    }
    sql.push("opsroom.operation_runs r where true");
    match tenants {
        Tenants::All => {}
        Tenants::Bound(id) => {
            sql.push(" and r.tenant_id = ").push_bind(id);
        }
        Tenants::Lateral => {
            sql.push(" and r.tenant_id = t.tenant_id");
        }
        Tenants::AnyOf(ids) => {
            sql.push(" and r.tenant_id = any(")
                .push_bind(ids.to_vec())
                .push(")");
        }
    }
    push_arm_conditions(sql, arm);
    if let Some(ids) = &scope.ids {
        sql.push(" and r.id = any(")
            .push_bind(numbers(ids))
            .push(")");
    }
    if let Some(before) = take.before {
        sql.push(" and (r.created_at, r.id) < (")
            .push_bind(before.created);
        sql.push(", ").push_bind(before.id.0).push(")");
    }
    if budgeted {
        sql.push(" order by r.created_at desc, r.id desc limit ")
            .push_bind(SEARCH_BUDGET)
            .push(") r where true");
    }
    if let ArmType::Foreign { like, known } = arm.types {
        sql.push(" and r.type like any(")
            .push_bind(like.to_vec())
            .push(")");
        sql.push(" and r.type <> all(")
            .push_bind(known.to_vec())
            .push(")");
    }
    for filter in &scope.rows {
        push_row_filter(sql, filter);
    }
    push_tail(sql, "r", take);
}

fn push_arm_conditions(sql: &mut QueryBuilder<Postgres>, arm: &Arm<'_>) {
    match arm.types {
        ArmType::OneOf([one]) => {
            sql.push(" and r.type = ").push_bind(one.clone());
        }
        ArmType::OneOf(list) => {
            sql.push(" and r.type = any(")
                .push_bind(list.to_vec())
                .push(")");
        }
        ArmType::Any | ArmType::Foreign { .. } => {}
    }
    match arm.buckets {
        None => {}
        Some([bucket]) => {
            sql.push(format_args!(" and {}", state_is(*bucket)));
        }
        Some(_) => {
            sql.push(" and false");
        }
    }
    match arm.age {
        Age::Whatever => {}
        Age::Within(seconds) => push_within(sql, seconds),
        Age::ActiveBefore(seconds) => {
            sql.push(
                " and r.outcome = 'pending' and r.created_at < now() - make_interval(secs => ",
            )
            .push_bind(seconds as f64)
            .push(")");
        }
    }
}

fn push_within(sql: &mut QueryBuilder<Postgres>, seconds: i64) {
    sql.push(" and r.created_at >= now() - make_interval(secs => ")
        .push_bind(seconds as f64)
        .push(")");
}

/// The SQL condition of a state. The words are our own constants.
pub(crate) fn state_is(bucket: Bucket) -> String {
    let state = bucket.state();
    if state.is_active() {
        format!("r.outcome = 'pending' and r.status = '{}'", state.status())
    } else {
        format!("r.outcome = '{}'", state.outcome())
    }
}

fn push_tail(sql: &mut QueryBuilder<Postgres>, alias: &str, take: Take<'_>) {
    if take.order == Order::NewestFirst {
        sql.push(format_args!(
            " order by {alias}.created_at desc, {alias}.id desc"
        ));
    }
    sql.push(" limit ").push_bind(take.limit);
}

fn numbers(ids: &[RunId]) -> Vec<i64> {
    ids.iter().map(|id| id.0).collect()
}

fn push_row_filter(sql: &mut QueryBuilder<Postgres>, filter: &RowFilter) {
    sql.push(match filter.sign {
        Sign::Plus => " and (",
        Sign::Minus => " and not (",
    });
    match &filter.what {
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
        RowCondition::States(buckets) => {
            let each: Vec<_> = buckets.iter().map(|bucket| state_is(*bucket)).collect();
            sql.push(each.join(" or "));
        }
        RowCondition::Codes { exact, like } => {
            push_code_exists(sql, exact.clone(), like.clone());
        }
        RowCondition::By(names) => push_by(sql, names),
        RowCondition::Ids(ids) => {
            sql.push("r.id = any(").push_bind(ids.clone()).push(")");
        }
        RowCondition::Within(seconds) => {
            sql.push("r.created_at >= now() - make_interval(secs => ")
                .push_bind(*seconds as f64)
                .push(")");
        }
        RowCondition::Text { like, tenants } => {
            sql.push("r.type like ").push_bind(like.clone());
            sql.push(" or lower(r.initiator_name) like ")
                .push_bind(like.clone());
            sql.push(" or r.tenant_id = any(")
                .push_bind(tenants.clone())
                .push(") or ");
            push_code_exists(sql, Vec::new(), vec![like.clone()]);
        }
    }
    sql.push(")");
}

/// A name fits as a whole, or by its first or last word: `by:alice` finds Alice Meyer.
fn push_by(sql: &mut QueryBuilder<Postgres>, names: &[String]) {
    let mut patterns = names.to_vec();
    patterns.extend(names.iter().map(|name| format!("{name} %")));
    patterns.extend(names.iter().map(|name| format!("% {name}")));
    sql.push("lower(r.initiator_name) like any(")
        .push_bind(patterns)
        .push(")");
}

fn push_code_exists(sql: &mut QueryBuilder<Postgres>, exact: Vec<String>, like: Vec<String>) {
    sql.push(
        "exists (select 1 from opsroom.run_failures f \
         where f.tenant_id = r.tenant_id and f.run_id = r.id and (",
    );
    if like.is_empty() {
        sql.push("f.code = any(").push_bind(exact).push(")))");
    } else {
        sql.push("f.code = any(").push_bind(exact);
        sql.push(") or f.code like any(")
            .push_bind(like)
            .push(")))");
    }
}
