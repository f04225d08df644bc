//! The newest keys of many scans, merged: one scan a tenant and arm, each in the order of the list.

use crate::arm::Arm;
use crate::driver::{Whose, push_driver, push_since, push_tail};
use crate::filter::Take;
use crate::scope::Scope;
use sqlx::{Postgres, QueryBuilder};

/// Pushes the beginning of a LATERAL over `tenants` as `t.id`; `) x` ends it.
pub(crate) fn push_each(sql: &mut QueryBuilder<Postgres>, tenants: &[i64]) {
    sql.push("unnest(")
        .push_bind(tenants.to_vec())
        .push("::int8[]) as t(id) cross join lateral (");
}

/// Pushes what `scan` pushes, where the arm has a scan for each type a LATERAL of it over them.
pub(crate) fn push_types(
    sql: &mut QueryBuilder<Postgres>,
    arm: &Arm<'_>,
    scan: impl FnOnce(&mut QueryBuilder<Postgres>),
) {
    let Some(types) = arm.each_type() else {
        return scan(sql);
    };
    sql.push("select z.* from unnest(")
        .push_bind(types.to_vec())
        .push("::text[]) as y(type) cross join lateral (");
    scan(sql);
    sql.push(") z");
}

/// Pushes a select of the newest keys that the indexes of `arms` give of many tenants. Each arm must
/// be one without a code, and nothing is asked of its rows here.
pub(crate) fn push_newest_keys(
    sql: &mut QueryBuilder<Postgres>,
    scope: &Scope,
    tenants: &[i64],
    arms: &[&Arm<'_>],
    take: Take<'_>,
) {
    let scans = |arm: &&Arm<'_>| arm.each_type().map_or(1, <[String]>::len);
    let scans = arms.iter().map(scans).sum();
    push_merged(sql, tenants, scans, "id", take, &|sql, take| {
        for (at, arm) in arms.iter().enumerate() {
            sql.push(if at == 0 { "(" } else { ") union all (" });
            push_types(sql, arm, |sql| {
                sql.push("select r.id, r.created_at from ");
                push_driver(sql, scope, arm, take.before, Whose::Outer);
                push_since(sql, "r", take.since);
                push_tail(sql, "r", "id", take);
            });
        }
        sql.push(")");
    });
}

/// The newest keys of many tenants, merged; `scan` pushes `scans` of one. A few of each tell how far
/// back the page can reach at most; the scans then stop there, instead of each giving a page.
pub(crate) fn push_merged(
    sql: &mut QueryBuilder<Postgres>,
    tenants: &[i64],
    scans: usize,
    id: &str,
    take: Take<'_>,
    scan: &dyn Fn(&mut QueryBuilder<Postgres>, Take<'_>),
) {
    let all = (tenants.len() * scans).max(1) as i64;
    let few = (take.limit * 4 / all).clamp(take.limit.min(4), take.limit);
    // The fallback stands inside: under row-level security COALESCE around it would keep the index out.
    sql.push("with reach as materialized (select coalesce((select x.created_at from ");
    push_each(sql, tenants);
    scan(sql, Take { limit: few, ..take });
    sql.push(") x order by x.created_at desc limit 1 offset ")
        .push_bind(take.limit - 1)
        .push(format_args!(
            "), '-infinity') as created_at) select x.created_at, x.{id} from "
        ));
    push_each(sql, tenants);
    let since = Some("(select reach.created_at from reach)");
    scan(sql, Take { since, ..take });
    sql.push(") x");
    push_tail(sql, "x", id, take);
}
