//! One attempt of one run: the job under its time limit, and what its ending means.

use super::claim::Hold;
use super::endings::Endings;
use super::finish::{self, Ended, Written};
use super::meters;
use super::outage::Outage;
use super::slots::Slot;
use crate::error::JobError;
use crate::operation::Policy;
use crate::registry::{Registered, Registry};
use crate::run::{Attempt, Claim, Progress, Run};
use opsroom_model::{Counts, Failure, FailureKind, Outcome, RunId, TenantId};
use serde_json::Value;
use sqlx::PgPool;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;
use uuid::Uuid;

/// A claimed run, as the database handed it over.
pub(super) struct Claimed {
    pub(super) run: RunId,
    pub(super) tenant: TenantId,
    pub(super) run_type: String,
    pub(super) claim_no: i32,
    pub(super) attempt: Attempt,
    pub(super) context: Value,
    pub(super) prior: Counts,
    pub(super) hold: Hold,
}

/// The worker that executes, as far as an attempt has to know it.
#[derive(Clone)]
pub(super) struct Executor {
    pub(super) pool: PgPool,
    pub(super) registry: Registry,
    pub(super) worker: Uuid,
    pub(super) name: String,
    pub(super) progress: Progress,
    pub(super) endings: Endings,
    /// Told after an ending was committed, however it was written.
    pub(super) ended: Arc<Notify>,
    /// How long a job may take to notice that it was told to stop, before it is dropped.
    pub(super) grace: Duration,
    /// Told once the worker must not write any more, or gives back what it holds.
    pub(super) fenced: CancellationToken,
    pub(super) outage: Outage,
}

/// Executes the attempt and writes how it ended. Never fails: what cannot be written is left to the
/// lease. Every line that is logged meanwhile, the job's own too, says which attempt it belongs to.
/// Gives the slot back when the job is over. Returns how long the run now waits for its next attempt,
/// where one follows.
pub(super) async fn execute(executor: Executor, claimed: Claimed, slot: Slot) -> Option<Duration> {
    let span = tracing::error_span!(
        "attempt",
        run_id = claimed.run.0,
        tenant_id = claimed.tenant.0,
        "type" = claimed.run_type,
        attempt = claimed.attempt.number,
    );
    execute_in_span(executor, claimed, slot)
        .instrument(span)
        .await
}

async fn execute_in_span(executor: Executor, claimed: Claimed, slot: Slot) -> Option<Duration> {
    let Executor {
        pool,
        registry,
        worker,
        name,
        progress,
        endings,
        ended: written,
        grace,
        fenced,
        outage,
    } = executor;

    let claim = Claim {
        run: claimed.run,
        worker,
        claim_no: claimed.claim_no,
    };
    let run = Arc::new(Run::new(
        claim,
        claimed.tenant,
        claimed.attempt,
        claimed.prior,
        pool.clone(),
        progress,
        // The run's own: its time limit stops this job and nothing else.
        fenced.child_token(),
    ));
    let Some(operation) = registry.get(&claimed.run_type) else {
        // The claim names only registered types; a registry cannot shrink.
        return None;
    };
    tracing::info!("begun");
    let input = claimed
        .context
        .get("input")
        .cloned()
        .unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    let begun = Instant::now();
    let result = perform(Arc::clone(&operation), Arc::clone(&run), input, grace).await;
    drop(slot);
    let ended = judge(&run, operation.as_ref(), result);
    let wait = ended.wait();
    match finish::write(&pool, &endings, &run, &name, ended, &fenced, &outage).await {
        Some(Written::Done(ended)) => {
            written.notify_one();
            let run_type = claimed.run_type;
            ::metrics::histogram!(meters::ATTEMPT_SECONDS, "type" => run_type.clone())
                .record(begun.elapsed());
            ::metrics::counter!(meters::ATTEMPTS, "type" => run_type, "ended" => ended)
                .increment(1);
        }
        Some(Written::Lost) => {
            ::metrics::counter!(meters::LOST_CLAIMS, "type" => claimed.run_type).increment(1);
        }
        None => {}
    }
    drop(claimed.hold);
    wait
}

/// Runs the job in a task of its own, so that a panic ends the attempt and nothing else.
async fn perform(
    operation: Arc<dyn Registered>,
    run: Arc<Run>,
    input: Value,
    grace: Duration,
) -> Result<(), JobError> {
    let limit = operation.policy().timeout;
    let stop = run.stop_token().clone();
    let mut job = AbortOnDropHandle::new(tokio::spawn(
        async move { operation.perform(&run, input).await }.in_current_span(),
    ));
    let (reason, error) = tokio::select! {
        joined = &mut job => return joined.unwrap_or(Err(JobError::Permanent(FailureKind::JobPanicked))),
        () = stop.cancelled() => (Stop::Told, JobError::Stopped),
        () = tokio::time::sleep(limit) => {
            stop.cancel();
            (Stop::TimeUp, JobError::Retryable { kind: FailureKind::JobTimedOut { limit_s: limit.as_secs() }, after: None })
        }
    };
    // It was told; it may still come to its own end.
    match tokio::time::timeout(grace, &mut job).await {
        Ok(Ok(Ok(()))) if matches!(reason, Stop::Told) => Ok(()),
        Ok(Ok(Err(JobError::Permanent(kind)))) if matches!(reason, Stop::Told) => {
            Err(JobError::Permanent(kind))
        }
        Ok(_) => Err(error),
        Err(_) => {
            job.abort();
            Err(error)
        }
    }
}

enum Stop {
    Told,
    TimeUp,
}

/// What the job's result means for the run.
fn judge(run: &Run, operation: &dyn Registered, result: Result<(), JobError>) -> Ended {
    let attempt = run.attempt();
    match result {
        Ok(()) => {
            let tally = run.tally();
            Ended::Completed {
                outcome: tally.outcome(),
                failures: tally.failures().to_vec(),
            }
        }
        Err(JobError::Stopped) if run.is_stopped() => Ended::Released,
        // It would be claimed again at once, for ever.
        Err(JobError::Stopped) => Ended::Completed {
            outcome: Outcome::Failed,
            failures: with(run, &FailureKind::JobStopped),
        },
        Err(JobError::Retryable {
            kind,
            after: Some(after),
        }) if may_be_put_off(run, operation.policy()) => {
            // Never sooner than asked for; spread, since many runs were told the same.
            let policy = operation.policy();
            let asked = after.min(policy.put_off.longest);
            let backoff = policy.backoff.after(attempt.number, finish::spread());
            Ended::Deferred {
                wait: asked.mul_f64(1.0 + 0.25 * finish::spread()).max(backoff),
                failures: with(run, &kind),
            }
        }
        Err(JobError::Retryable { kind, after }) if !attempt.is_last() => {
            let policy = operation.policy();
            let backoff = policy.backoff.after(attempt.number, finish::spread());
            Ended::Retry {
                wait: after
                    .unwrap_or_default()
                    .min(policy.put_off.longest)
                    .max(backoff),
                failures: with(run, &kind),
            }
        }
        Err(JobError::Permanent(kind) | JobError::Retryable { kind, .. }) => Ended::Completed {
            outcome: Outcome::Failed,
            failures: with(run, &kind),
        },
    }
}

/// Claims that did not count are those beyond the attempts: also those a stopping worker gave back.
fn may_be_put_off(run: &Run, policy: &Policy) -> bool {
    let claims = u32::try_from(run.claim().claim_no).unwrap_or(u32::MAX);
    claims.saturating_sub(run.attempt().number) < u32::from(policy.put_off.times)
}

/// What stopped the job first, then what failed on the way.
fn with(run: &Run, kind: &FailureKind) -> Vec<Failure> {
    let mut failures = vec![kind.failure()];
    failures.extend(
        run.tally()
            .failures()
            .iter()
            .filter(|other| other.code != failures[0].code)
            .cloned()
            .collect::<Vec<_>>(),
    );
    failures
}
