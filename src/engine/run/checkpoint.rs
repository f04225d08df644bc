//! A transaction under the fence: the run's row is updated first, on condition that the claim still
//! holds, and stays locked until the commit; so whatever else is written in it belongs to the claim.

use super::tally::{Batch, Item, ItemStatus};
use super::{Claim, Run};
use crate::deadline::{STATEMENT, within};
use crate::error::EngineError;
use opsroom_model::TenantId;
use serde_json::json;
use sqlx::{PgConnection, Postgres, Transaction};
use std::ops::{Deref, DerefMut};
use std::time::Duration;

/// Longest time for the writes of one checkpoint.
const CHECKPOINT: Duration = Duration::from_secs(20);

/// An open transaction of a run. Use it as a connection, then [`commit`](Self::commit); dropping it
/// rolls everything back, and the items stay to be written with the next one. Keep it short: it holds
/// the run's row.
pub struct Checkpoint<'run> {
    transaction: Transaction<'static, Postgres>,
    written: Written<'run>,
}

/// Goes back to the run unless the commit is confirmed.
struct Written<'run> {
    run: &'run Run,
    batch: Option<Batch>,
}

impl Drop for Written<'_> {
    fn drop(&mut self) {
        if let Some(batch) = self.batch.take() {
            self.run.tally().put_back(batch);
        }
    }
}

impl<'run> Checkpoint<'run> {
    pub(super) async fn begin(run: &'run Run) -> Result<Self, EngineError> {
        let claim = run.claim();
        let mut transaction = within(STATEMENT, run.pool().begin()).await?;
        // One look at the tally, so that counts and items are of the same moment.
        let (counts, batch) = {
            let mut tally = run.tally();
            (tally.counts(), tally.take_batch())
        };
        let written = Written {
            run,
            batch: Some(batch),
        };
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
        if let Some(batch) = &written.batch {
            let items = write_items(&mut transaction, claim, run.tenant(), batch);
            within(CHECKPOINT, items).await?;
        }
        Ok(Self {
            transaction,
            written,
        })
    }

    /// Makes all of it durable.
    ///
    /// # Errors
    /// Where the commit fails, or is not confirmed in time: what became of it is unknown then, and the
    /// next attempt does the work again.
    pub async fn commit(self) -> Result<(), EngineError> {
        let Self {
            transaction,
            mut written,
        } = self;
        within(CHECKPOINT, transaction.commit()).await?;
        written.batch = None;
        Ok(())
    }
}

impl Deref for Checkpoint<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.transaction
    }
}

impl DerefMut for Checkpoint<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }
}

/// Writes item results; an item of the same key is replaced, and all of them where the batch says so.
/// The caller holds the fence.
pub(crate) async fn write_items(
    connection: &mut PgConnection,
    claim: Claim,
    tenant: TenantId,
    batch: &Batch,
) -> Result<(), sqlx::Error> {
    if batch.replaces {
        sqlx::query("delete from opsroom.operation_run_items where tenant_id = $1 and run_id = $2")
            .bind(tenant.0)
            .bind(claim.run.0)
            .execute(&mut *connection)
            .await?;
    }
    let items = &batch.items;
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
