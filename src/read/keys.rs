//! Runs by a searchable key of their context: an index finds them by tenant, key and value. They are
//! looked up before the list is asked for, as ids; where there are too many, each row is asked.

use crate::error::ReadError;
use opsroom_model::RunId;
use opsroom_model::query::{Condition, Query, Sign};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use std::collections::HashMap;

/// Runs looked up at most.
const MOST: usize = 5_000;

/// A key with values to the letter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Asked {
    key: String,
    values: Vec<String>,
}

/// The runs of each key that was looked up.
pub(crate) type Found = HashMap<Asked, Vec<RunId>>;

impl Asked {
    /// What a condition asks for, where it names a key with values to the letter.
    pub(crate) fn of(condition: &Condition) -> Option<Self> {
        let Condition::Context { key, values } = condition else {
            return None;
        };
        let values = values
            .iter()
            .map(|value| value.literal().map(str::to_owned));
        Some(Self {
            key: key.clone(),
            values: values.collect::<Option<_>>()?,
        })
    }
}

/// What `arms` ask for, once each.
pub(crate) fn asked(arms: &[Query]) -> Vec<Asked> {
    let terms = arms.iter().flat_map(|arm| &arm.terms);
    let mut asked = Vec::new();
    for term in terms.filter(|term| term.sign == Sign::Plus) {
        asked.extend(Asked::of(&term.condition).filter(|one| !asked.contains(one)));
    }
    asked
}

pub(crate) fn query(asked: &Asked, tenants: Vec<i64>) -> QueryBuilder<Postgres> {
    let mut sql =
        QueryBuilder::new("select k.run_id from opsroom.run_keys k where k.tenant_id = any(");
    sql.push_bind(tenants)
        .push(") and k.key = ")
        .push_bind(asked.key.clone())
        .push(" and k.value = any(")
        .push_bind(asked.values.clone())
        .push(") limit ")
        .push_bind(MOST as i64 + 1);
    sql
}

/// The runs; `None` where there are too many.
pub(crate) fn decode(rows: &[PgRow]) -> Result<Option<Vec<RunId>>, ReadError> {
    if rows.len() > MOST {
        return Ok(None);
    }
    let ids = rows.iter().map(|row| row.try_get(0).map(RunId));
    ids.collect::<Result<_, _>>()
        .map(Some)
        .map_err(ReadError::malformed)
}
