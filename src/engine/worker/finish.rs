//! The one service that ends attempts: fenced, retried while the claim can still be ours, and aware
//! that a commit's confirmation can get lost.

use super::endings::{Ending, Endings, end_claims};
use super::outage::Outage;
use crate::deadline::{STATEMENT, within};
use crate::error::EngineError;
use crate::run::Run;
use opsroom_model::{Failure, FailureKind, Outcome};
use serde_json::json;
use sqlx::{PgConnection, PgPool};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How an attempt ended.
pub(super) enum Ended {
    /// The run is over.
    Completed {
        outcome: Outcome,
        failures: Vec<Failure>,
    },
    /// Another attempt follows; the run stays `running`, held by nobody.
    Retry {
        wait: Duration,
        failures: Vec<Failure>,
    },
    /// The same, and the attempt does not count: the remote side asked to come back later.
    Deferred {
        wait: Duration,
        failures: Vec<Failure>,
    },
    /// The worker stops: claimable at once, and the attempt does not count.
    Released,
}

impl Ended {
    fn word(&self) -> &'static str {
        match self {
            Self::Completed { outcome, .. } => outcome.as_str(),
            Self::Retry { .. } => "retry",
            Self::Deferred { .. } => "deferred",
            Self::Released => "released",
        }
    }

    /// The first of its failures: the one that ended the attempt.
    fn code(&self) -> Option<&str> {
        match self {
            Self::Completed { failures, .. }
            | Self::Retry { failures, .. }
            | Self::Deferred { failures, .. } => {
                failures.first().map(|failure| failure.code.as_str())
            }
            Self::Released => None,
        }
    }

    /// A run that failed for good is worth a look; codes say nothing of what a run is about.
    fn log(&self) {
        let (ended, code) = (self.word(), self.code());
        if ended == Outcome::Failed.as_str() {
            tracing::warn!(ended, code, "ended");
        } else {
            tracing::info!(ended, code, "ended");
        }
    }

    /// The same without anything that a check could refuse.
    fn plain(self) -> Self {
        match self {
            Self::Released => Self::Released,
            Self::Completed { .. } | Self::Retry { .. } | Self::Deferred { .. } => {
                Self::Completed {
                    outcome: Outcome::Failed,
                    failures: vec![FailureKind::DatabaseUnavailable.failure()],
                }
            }
        }
    }

    fn failures(&self) -> Option<serde_json::Value> {
        match self {
            Self::Completed { failures, .. }
            | Self::Retry { failures, .. }
            | Self::Deferred { failures, .. }
                if !failures.is_empty() =>
            {
                Some(json!(failures))
            }
            _ => None,
        }
    }

    /// How long nobody claims the run now; none where it is over.
    pub(super) fn wait(&self) -> Option<Duration> {
        match self {
            Self::Retry { wait, .. } | Self::Deferred { wait, .. } => Some(*wait),
            Self::Completed { .. } | Self::Released => None,
        }
    }

    fn of(&self, run: &Run) -> Ending {
        let counts = run.counts();
        Ending {
            run: run.id().0,
            claim_no: run.claim().claim_no,
            attempt: i32::try_from(run.attempt().number).unwrap_or(i32::MAX),
            ended: self.word(),
            wait_s: self.wait().unwrap_or_default().as_secs_f64(),
            counts: (!counts.is_empty()).then(|| json!(counts)),
            failures: self.failures(),
        }
    }
}

/// A number from 0 to 1 that differs between processes and calls; for jitter, not for secrets.
pub(super) fn spread() -> f64 {
    fastrand::f64()
}

/// Writes the ending together with others', or by itself, trying again while the database is away. Gives
/// up when the claim is lost, or when the worker was `fenced`: others end the run then. An ending that
/// the database will never take is replaced by one that it does: nobody else would end the run while
/// this worker lives. `None`: what became of the run is not this worker's any more.
pub(super) async fn write(
    pool: &PgPool,
    endings: &Endings,
    run: &Run,
    worker_name: &str,
    mut ended: Ended,
    fenced: &CancellationToken,
    outage: &Outage,
) -> Option<Written> {
    let mut wait = Duration::from_millis(50);
    let mut refused = false;
    // Items have to be written in the same transaction.
    let by_itself = run.tally().has_unwritten_items();
    if !by_itself && endings.write(ended.of(run)).await {
        outage.answered();
        ended.log();
        return Some(Written::Done(ended.word()));
    }
    loop {
        match try_write(pool, run, worker_name, &ended).await {
            Ok(written @ Written::Done(_)) => {
                ended.log();
                return Some(written);
            }
            Ok(Written::Lost) => {
                tracing::warn!("the claim was lost; the result is dropped");
                return Some(Written::Lost);
            }
            Err(error) if error.is_transient() => outage.failed("writing an ending", &error),
            Err(error) if refused => {
                tracing::error!(%error, "no ending is taken; the run stays until this worker stops");
                return None;
            }
            Err(error) => {
                tracing::error!(%error, "the ending was refused");
                refused = true;
                run.tally().take_batch();
                ended = ended.plain();
                continue;
            }
        }
        tokio::select! {
            () = fenced.cancelled(), if !matches!(ended, Ended::Released) => return None,
            () = tokio::time::sleep(wait) => wait = (wait * 2).min(Duration::from_secs(2)),
        }
        if matches!(ended, Ended::Released) && wait > Duration::from_secs(1) {
            return None;
        }
    }
}

/// What the database said to an ending.
pub(super) enum Written {
    /// It stands, as this word.
    Done(&'static str),
    /// The run is somebody else's.
    Lost,
}

async fn try_write(
    pool: &PgPool,
    run: &Run,
    worker_name: &str,
    ended: &Ended,
) -> Result<Written, EngineError> {
    let mut transaction = within(STATEMENT, pool.begin()).await?;
    // Endings pass over a row that somebody holds; this one waits for it.
    let held = sqlx::query("select from opsroom.operation_runs where id = $1 for no key update")
        .bind(run.id().0)
        .execute(&mut *transaction);
    within(STATEMENT, held).await?;
    let ending = [ended.of(run)];
    let worker = run.claim().worker;
    let call = end_claims(&mut transaction, worker, worker_name, &ending);
    if within(STATEMENT, call).await?.is_empty() {
        drop(transaction);
        let mine = within(STATEMENT, already_written(pool, run)).await?;
        return Ok(if mine {
            Written::Done(ended.word())
        } else {
            Written::Lost
        });
    }
    let items = run.tally().take_batch();
    let written = within(
        STATEMENT,
        crate::run::write_items(&mut transaction, run.claim(), run.tenant(), &items),
    )
    .await;
    let committed = match written {
        Ok(()) => within(STATEMENT, transaction.commit()).await,
        Err(error) => Err(error),
    };
    if let Err(error) = committed {
        run.tally().put_back(items);
        return Err(error);
    }
    Ok(Written::Done(ended.word()))
}

/// Zero rows can mean that our own commit went through and its confirmation got lost.
async fn already_written(pool: &PgPool, run: &Run) -> Result<bool, sqlx::Error> {
    let claim = run.claim();
    sqlx::query_scalar(
        "select exists (select from opsroom.run_attempts where tenant_id = $1 and run_id = $2 and claim_no = $3
                         and worker_id = $4 and ended <> 'lost')",
    )
    .bind(run.tenant().0)
    .bind(claim.run.0)
    .bind(claim.claim_no)
    .bind(claim.worker)
    .fetch_one(pool)
    .await
}

/// A clean stop: everything this worker still holds is claimable at once, its attempts uncounted, and
/// the worker is gone. Returns how many runs were given back.
pub(super) async fn release_all(
    pool: &PgPool,
    worker: Uuid,
    worker_name: &str,
) -> Result<u64, EngineError> {
    let release = async {
        let mut transaction = pool.begin().await?;
        // Waits for a claim that is still under way on the server.
        sqlx::query("select from opsroom.workers where id = $1 for update")
            .bind(worker)
            .execute(&mut *transaction)
            .await?;
        let released = give_back(&mut transaction, worker, worker_name, &[]).await?;
        sqlx::query("update opsroom.workers set dead_at = clock_timestamp(), stopping_at = coalesce(stopping_at, clock_timestamp())
                      where id = $1 and dead_at is null")
            .bind(worker)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok::<_, sqlx::Error>(released)
    };
    within(STATEMENT, release).await
}

/// Makes what `worker` holds claimable at once, its attempts uncounted, but for the claims in `keep`
/// (run and claim number). Returns how many runs.
pub(super) async fn give_back(
    connection: &mut PgConnection,
    worker: Uuid,
    worker_name: &str,
    keep: &[(i64, i32)],
) -> Result<u64, sqlx::Error> {
    let (runs, claims): (Vec<i64>, Vec<i32>) = keep.iter().copied().unzip();
    let noted = sqlx::query(
        "with released as (
           update opsroom.operation_runs r
              set worker_id = null, available_at = clock_timestamp(), attempt = attempt - 1
            where status = 'running' and worker_id = $1
              and not exists (select from unnest($3::bigint[], $4::int[]) kept (run, claim)
                               where kept.run = r.id and kept.claim = r.claim_no)
           returning tenant_id, id, claim_no, attempt + 1 as attempt, claimed_at)
         insert into opsroom.run_attempts (tenant_id, run_id, claim_no, attempt, worker_id, worker_name, started_at, ended)
         select tenant_id, id, claim_no, attempt, $1, $2, claimed_at, 'released' from released
         on conflict do nothing",
    )
    .bind(worker)
    .bind(worker_name)
    .bind(runs)
    .bind(claims)
    .execute(connection)
    .await?;
    Ok(noted.rows_affected())
}
