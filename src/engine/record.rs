//! The words of applications whose own transport executes runs: `update_run` and `fail_run`, for runs
//! started with [`Transport::Own`](crate::start::Transport) or inserted by the application. Runs of
//! opsroom's workers are refused: those are written under a claim only.

use crate::deadline::{STATEMENT, within};
use crate::error::EngineError;
use opsroom_model::{Counts, Failure, FailureKind, Outcome, RunId};
use serde_json::json;
use sqlx::PgConnection;
use thiserror::Error;

/// What becomes of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// It has begun, or goes on, with these counts.
    Running(Counts),
    /// It is over.
    Completed {
        /// Not [`Outcome::Pending`], which the database refuses.
        outcome: Outcome,
        /// The final counts; empty ones leave what was counted before.
        counts: Counts,
        /// What failed, most telling first.
        failures: Vec<Failure>,
    },
}

impl Update {
    /// Over, with the outcome that follows from the counts.
    #[must_use]
    pub fn completed(counts: Counts, failures: Vec<Failure>) -> Self {
        Self::Completed {
            outcome: counts.outcome(),
            counts,
            failures,
        }
    }
}

/// Why a run was not updated.
#[derive(Debug, Error)]
pub enum UpdateError {
    /// There is no such run, or it is not this login's. A job never creates its run: refuse the work.
    #[error("run {0} does not exist: work without a run is refused")]
    NoSuchRun(i64),
    /// It is completed, and completed runs never change.
    #[error("run {0} is over")]
    Over(i64),
    /// opsroom's workers execute it.
    #[error("run {0} is executed by opsroom's workers; they alone write it")]
    OfWorkers(i64),
    /// The database failed or refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<sqlx::Error> for UpdateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Engine(error.into())
    }
}

/// Writes state and counts of a run. `connection` may be a transaction of the caller's; the initiator's
/// notification commits with it. Repeating an update that ends the run is [`UpdateError::Over`].
///
/// A transport that is handed a run calls this first, with [`Update::Running`]: that refuses work whose
/// run is missing or over.
///
/// # Errors
/// [`UpdateError`]; nothing was written then.
pub async fn update_run(
    connection: &mut PgConnection,
    run: RunId,
    update: &Update,
) -> Result<(), UpdateError> {
    let (status, outcome, counts, failures) = match update {
        Update::Running(counts) => ("running", Outcome::Pending, counts, None),
        Update::Completed {
            outcome,
            counts,
            failures,
        } => ("completed", *outcome, counts, Some(failures)),
    };
    let failures = failures.filter(|failures| !failures.is_empty());
    let written = sqlx::query(
        "update opsroom.operation_runs
            set status = $2, outcome = $3, summary_counts = coalesce($4, summary_counts), failure_summary = $5
          where id = $1 and status <> 'completed' and available_at is null",
    )
    .bind(run.0)
    .bind(status)
    .bind(outcome.as_str())
    .bind((!counts.is_empty()).then(|| json!(counts)))
    .bind(failures.map(|failures| json!(failures)))
    .execute(&mut *connection);
    if within(STATEMENT, written).await?.rows_affected() == 1 {
        return Ok(());
    }
    Err(refusal(connection, run).await?)
}

/// Ends a run as failed with the code of `error`, whose own text is kept nowhere. As [`update_run`]
/// otherwise; a run that has not begun fails as well.
///
/// # Errors
/// [`UpdateError`]; nothing was written then.
pub async fn fail_run(
    connection: &mut PgConnection,
    run: RunId,
    error: impl Into<FailureKind>,
) -> Result<(), UpdateError> {
    let update = Update::Completed {
        outcome: Outcome::Failed,
        counts: Counts::default(),
        failures: vec![error.into().failure()],
    };
    update_run(connection, run, &update).await
}

async fn refusal(connection: &mut PgConnection, run: RunId) -> Result<UpdateError, EngineError> {
    let looked = sqlx::query_as(
        "select status = 'completed', available_at is not null from opsroom.operation_runs where id = $1",
    )
    .bind(run.0)
    .fetch_optional(connection);
    let found: Option<(bool, bool)> = within(STATEMENT, looked).await?;
    Ok(match found {
        None => UpdateError::NoSuchRun(run.0),
        Some((_, true)) => UpdateError::OfWorkers(run.0),
        Some(_) => UpdateError::Over(run.0),
    })
}
