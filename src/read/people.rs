//! Who started operations, by name: the names on the runs that the login sees, but `System`. Asked for
//! only where a filter names a person, since `=` may use an index under row-level security and a
//! pattern may not.

use crate::error::ReadError;
use opsroom_model::query::Pattern;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};

/// Names read at most, one a tenant. Where there are more, names are asked of each row instead.
const MOST: i64 = 5_000;
/// The name on runs that nobody started. No index lists it, so it stands here.
const SYSTEM: &str = "System";

/// Names, as of one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct People {
    names: Vec<String>,
    /// False where there are more, or where nobody asked yet.
    pub all_known: bool,
}

impl People {
    /// Those whose name fits as a whole, or by its first or last words: `alice` finds Alice Meyer.
    pub(crate) fn named(&self, patterns: &[Pattern]) -> Vec<String> {
        let fits = |name: &str| patterns.iter().any(|pattern| pattern.fits_name(name));
        let names = self.names.iter().map(String::as_str);
        names
            .chain([SYSTEM])
            .filter(|name| fits(name))
            .map(str::to_owned)
            .collect()
    }
}

/// One step of the index per name, not one per run; per tenant where the login does not see all.
pub(crate) fn query(tenants: Option<&[i64]>) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("with recursive ");
    let next =
        "select r.initiator_name from opsroom.operation_runs r where r.initiator_name <> 'System'";
    let order = "order by r.initiator_name limit 1";
    match tenants {
        None => {
            sql.push(format_args!(
                "n (name) as ((select x.initiator_name from ({next} {order}) x) union all \
                 select (select x.initiator_name from ({next} and r.initiator_name > n.name {order}) x) \
                   from n where n.name is not null) "
            ));
        }
        Some(tenants) => {
            sql.push("n (tenant_id, name) as (select t.id, (")
                .push(format_args!(
                    "{next} and r.tenant_id = t.id {order}) from unnest("
                ))
                .push_bind(tenants.to_vec())
                .push(format_args!(
                    "::int8[]) t (id) union all \
                     select n.tenant_id, ({next} and r.tenant_id = n.tenant_id and r.initiator_name > n.name {order}) \
                       from n where n.name is not null) "
                ));
        }
    }
    sql.push("select coalesce(array_agg(distinct s.name), '{}') as names, count(*) as found from (select n.name from n where n.name is not null limit ")
        .push_bind(MOST + 1)
        .push(") s");
    sql
}

pub(crate) fn decode(row: &PgRow) -> Result<People, ReadError> {
    let found: i64 = row.try_get("found").map_err(ReadError::malformed)?;
    Ok(People {
        all_known: found <= MOST,
        names: row.try_get("names").map_err(ReadError::malformed)?,
    })
}
