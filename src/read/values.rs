//! The values that a column has on the runs a login sees, found by one step of an index each: not by
//! reading the runs.

use crate::error::ReadError;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};

/// Values read at most, one a tenant.
const MOST: i64 = 5_000;

/// Values, as of one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    /// Each once.
    pub found: Vec<String>,
    /// False where there are more, or where nobody asked yet.
    pub all_known: bool,
}

/// A column that an index leads with, by itself and after the tenant, and a condition of that index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub name: &'static str,
    pub condition: &'static str,
}

/// Per tenant where the login does not see all.
pub(crate) fn query(column: Column, tenants: Option<&[i64]>) -> QueryBuilder<Postgres> {
    let Column { name, condition } = column;
    let mut sql = QueryBuilder::new("with recursive ");
    let next = format!("select r.{name} from opsroom.operation_runs r where {condition}");
    let order = format!("order by r.{name} limit 1");
    match tenants {
        None => {
            sql.push(format_args!(
                "n (value) as ((select x.{name} from ({next} {order}) x) union all \
                 select (select x.{name} from ({next} and r.{name} > n.value {order}) x) \
                   from n where n.value is not null) "
            ));
        }
        Some(tenants) => {
            sql.push(format_args!(
                "n (tenant_id, value) as (select t.id, ({next} and r.tenant_id = t.id {order}) from unnest("
            ))
            .push_bind(tenants.to_vec())
            .push(format_args!(
                "::int8[]) t (id) union all \
                 select n.tenant_id, ({next} and r.tenant_id = n.tenant_id and r.{name} > n.value {order}) \
                   from n where n.value is not null) "
            ));
        }
    }
    sql.push(
        "select coalesce(array_agg(distinct s.value), '{}') as found, count(*) as steps \
           from (select n.value from n where n.value is not null limit ",
    )
    .push_bind(MOST + 1)
    .push(") s");
    sql
}

pub(crate) fn decode(row: &PgRow) -> Result<Values, ReadError> {
    let steps: i64 = row.try_get("steps").map_err(ReadError::malformed)?;
    Ok(Values {
        all_known: steps <= MOST,
        found: row.try_get("found").map_err(ReadError::malformed)?,
    })
}
