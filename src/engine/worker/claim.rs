//! Claiming: one short function call for the free slots, with a cursor over tenants so that every
//! lane gets its turn.

use super::attempt::Claimed;
use crate::deadline::{STATEMENT, within};
use crate::run::Attempt;
use opsroom_model::{Counts, RunId, TenantId};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use uuid::Uuid;

pub(super) struct Claimer {
    pool: PgPool,
    worker: Uuid,
    types: Vec<String>,
    cursor: i64,
}

impl Claimer {
    pub(super) fn new(pool: PgPool, worker: Uuid, types: Vec<String>) -> Self {
        Self {
            pool,
            worker,
            types,
            cursor: 0,
        }
    }

    /// Up to `free` runs. Nothing where there is no work, and nothing, with a line in the log, where
    /// the database is away: the next round asks again, and a claim that was made but not delivered
    /// is released with this worker's lease.
    pub(super) async fn claim(&mut self, free: usize) -> Vec<Claimed> {
        let call = sqlx::query(
            "select run_id, tenant, run_type, claim, attempt_no, attempts, run_context, counts
               from opsroom.claim($1, $2, $3, $4)",
        )
        .bind(self.worker)
        .bind(i32::try_from(free).unwrap_or(i32::MAX))
        .bind(&self.types)
        .bind(self.cursor)
        .fetch_all(&self.pool);
        match within(STATEMENT, call).await {
            Ok(rows) => {
                let claimed: Vec<_> = rows.iter().map(decode).collect();
                self.cursor = claimed.last().map_or(self.cursor, |last| last.tenant.0);
                claimed
            }
            Err(error) => {
                tracing::warn!(%error, "claiming failed; trying again");
                Vec::new()
            }
        }
    }
}

fn decode(row: &PgRow) -> Claimed {
    let attempt = |column| u32::try_from(row.get::<i32, _>(column)).unwrap_or(1);
    Claimed {
        run: RunId(row.get("run_id")),
        tenant: TenantId(row.get("tenant")),
        run_type: row.get("run_type"),
        claim_no: row.get("claim"),
        attempt: Attempt {
            number: attempt("attempt_no"),
            of: attempt("attempts"),
        },
        context: row
            .get::<Option<Value>, _>("run_context")
            .unwrap_or_default(),
        prior: row
            .get::<Option<Value>, _>("counts")
            .map(|value| Counts::from_json(&value))
            .unwrap_or_default(),
    }
}
