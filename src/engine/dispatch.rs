//! For applications with a transport of their own: a run that cannot be handed over is failed at
//! once, so that none says `queued` for ever. Where the queue is the table itself, creating a run
//! dispatches it and nothing here is needed.

use crate::deadline::{STATEMENT, within};
use crate::error::EngineError;
use opsroom_model::{FailureKind, RunId};
use serde_json::json;
use sqlx::PgConnection;

/// Hands the committed run over with `dispatch`; where that fails, ends the run as failed with the
/// code `dispatch.failed`. Returns whether it was handed over.
///
/// The error of `dispatch` itself is dropped unread: it may quote a payload. Idempotent: a run that
/// left `queued` meanwhile stays as it is.
///
/// # Errors
/// Where the run could not be failed, because the database failed: it is still queued then.
pub async fn dispatch_or_fail<E>(
    connection: &mut PgConnection,
    run: RunId,
    dispatch: impl Future<Output = Result<(), E>>,
) -> Result<Dispatched, EngineError> {
    if dispatch.await.is_ok() {
        return Ok(Dispatched::HandedOver);
    }
    let failures = json!([FailureKind::DispatchFailed.failure()]);
    let ended = sqlx::query(
        "update opsroom.operation_runs set status = 'completed', outcome = 'failed', failure_summary = $2
          where id = $1 and status = 'queued'",
    )
    .bind(run.0)
    .bind(failures)
    .execute(connection);
    within(STATEMENT, ended).await?;
    Ok(Dispatched::Failed)
}

/// What became of a dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dispatched {
    /// Somebody will execute the run.
    HandedOver,
    /// The run is completed, failed, `dispatch.failed`.
    Failed,
}
