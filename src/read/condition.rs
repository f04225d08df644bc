//! What is asked of each row, as SQL over `r`.

use crate::scope::{RowCondition, RowFilter};
use opsroom_model::Bucket;
use opsroom_model::query::Sign;
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

/// Pushes ` and …`: created within so many seconds.
pub(crate) fn push_within(sql: &mut QueryBuilder<Postgres>, alias: &str, seconds: i64) {
    sql.push(format_args!(
        " and {alias}.created_at >= now() - make_interval(secs => "
    ))
    .push_bind(seconds as f64)
    .push(")");
}

/// Pushes ` and …` or ` and not …`.
pub(crate) fn push_row_filter(sql: &mut QueryBuilder<Postgres>, filter: &RowFilter) {
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
            push_codes(sql, exact.clone(), like.clone());
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
            push_codes(sql, Vec::new(), vec![like.clone()]);
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

/// Pushes a condition: one of its failure codes fits.
pub(crate) fn push_codes(sql: &mut QueryBuilder<Postgres>, exact: Vec<String>, like: Vec<String>) {
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
