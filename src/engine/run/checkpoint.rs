//! A transaction under the fence: the run's row is updated first, on condition that the claim still
//! holds, and stays locked until the commit; so whatever else is written in it belongs to the claim.

use super::Claim;
use super::tally::{Item, ItemStatus};
use crate::deadline::{STATEMENT, within};
use crate::error::EngineError;
use opsroom_model::{Counts, TenantId};
use serde_json::json;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use std::ops::{Deref, DerefMut};
use std::time::Duration;

/// Longest time for the writes of one checkpoint.
const CHECKPOINT: Duration = Duration::from_secs(20);

/// An open transaction of a run. Use it as a connection, then [`commit`](Self::commit); dropping it
/// rolls everything back. Keep it short: it holds the run's row.
pub struct Checkpoint {
    transaction: Transaction<'static, Postgres>,
}

impl Checkpoint {
    pub(super) async fn begin(
        pool: &PgPool,
        claim: Claim,
        tenant: TenantId,
        counts: Counts,
        items: &[Item],
    ) -> Result<Self, EngineError> {
        let mut transaction = within(STATEMENT, pool.begin()).await?;
        let fenced = sqlx::query(
            "update opsroom.operation_runs set summary_counts = $4
              where id = $1 and worker_id = $2 and claim_no = $3 and status = 'running'",
        )
        .bind(claim.run.0)
        .bind(claim.worker)
        .bind(claim.claim_no)
        .bind(json!(counts))
        .execute(&mut *transaction);
        if within(STATEMENT, fenced).await?.rows_affected() == 0 {
            return Err(EngineError::ClaimLost(claim.run.0));
        }
        within(
            CHECKPOINT,
            write_items(&mut transaction, claim, tenant, items),
        )
        .await?;
        Ok(Self { transaction })
    }

    /// Makes all of it durable.
    ///
    /// # Errors
    /// Where the commit fails, or is not confirmed in time: what became of it is unknown then, and the
    /// next attempt does the work again.
    pub async fn commit(self) -> Result<(), EngineError> {
        within(CHECKPOINT, self.transaction.commit()).await
    }
}

impl Deref for Checkpoint {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.transaction
    }
}

impl DerefMut for Checkpoint {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }
}

/// Writes item results, replacing those of earlier attempts. The caller holds the fence.
pub(crate) async fn write_items(
    connection: &mut PgConnection,
    claim: Claim,
    tenant: TenantId,
    items: &[Item],
) -> Result<(), sqlx::Error> {
    if items.is_empty() {
        return Ok(());
    }
    let failure = |item: &Item| match &item.status {
        ItemStatus::Failed(kind) => Some(kind.failure()),
        ItemStatus::Succeeded | ItemStatus::Skipped => None,
    };
    let status = |item: &Item| match item.status {
        ItemStatus::Succeeded => "succeeded",
        ItemStatus::Skipped => "skipped",
        ItemStatus::Failed(_) => "failed",
    };
    sqlx::query(
        "insert into opsroom.operation_run_items (tenant_id, run_id, item_key, label, status, code, message)
         select $1, $2, * from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
         on conflict (tenant_id, run_id, item_key) do update
            set label = excluded.label, status = excluded.status, code = excluded.code,
                message = excluded.message, updated_at = clock_timestamp()",
    )
    .bind(tenant.0)
    .bind(claim.run.0)
    .bind(items.iter().map(|item| item.key.clone()).collect::<Vec<_>>())
    .bind(items.iter().map(|item| item.label.clone()).collect::<Vec<_>>())
    .bind(items.iter().map(|item| status(item).to_owned()).collect::<Vec<_>>())
    .bind(items.iter().map(|item| failure(item).map(|f| f.code.to_string())).collect::<Vec<_>>())
    .bind(items.iter().map(|item| failure(item).map(|f| f.message.to_string())).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
