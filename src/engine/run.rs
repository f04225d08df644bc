//! What a job holds while it executes: who and what it is for, what it counted, and the only way to
//! write. Every write goes through the fence: it happens while this claim is the run's claim, or not
//! at all.

mod checkpoint;
mod progress;
mod tally;

pub use checkpoint::Checkpoint;
pub(crate) use checkpoint::write_items;
pub use tally::ItemStatus;

pub(crate) use progress::{Progress, Shown};
pub(crate) use tally::Tally;

use crate::error::{EngineError, JobError};
use opsroom_model::{Counts, FailureKind, RunId, TenantId};
use sqlx::PgPool;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Before a checkpoint that failed is begun again; doubled each time, up to a second.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// One claim: what a write must still find on the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) run: RunId,
    pub(crate) worker: Uuid,
    pub(crate) claim_no: i32,
}

/// A run under execution. Jobs get it by reference; all its methods may be called concurrently.
pub struct Run {
    claim: Claim,
    tenant: TenantId,
    attempt: Attempt,
    prior: Counts,
    pool: PgPool,
    stop: CancellationToken,
    shown: Arc<Shown>,
    progress: Progress,
}

/// Which attempt of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// The last one.
    pub of: u32,
}

impl Attempt {
    /// True where no further attempt follows.
    #[must_use]
    pub const fn is_last(self) -> bool {
        self.number >= self.of
    }
}

impl Run {
    pub(crate) fn new(
        claim: Claim,
        tenant: TenantId,
        attempt: Attempt,
        prior: Counts,
        pool: PgPool,
        progress: Progress,
        stop: CancellationToken,
    ) -> Self {
        let tally = if claim.claim_no > 1 {
            Tally::of_further_claim()
        } else {
            Tally::default()
        };
        Self {
            claim,
            tenant,
            attempt,
            prior,
            pool,
            stop,
            shown: Arc::new(Shown::new(tally)),
            progress,
        }
    }

    /// The run's id.
    #[must_use]
    pub const fn id(&self) -> RunId {
        self.claim.run
    }

    /// The tenant it is for.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Which attempt this is.
    #[must_use]
    pub const fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// What earlier attempts counted; itemized operations continue from here with
    /// [`Run::resume`].
    #[must_use]
    pub const fn prior(&self) -> Counts {
        self.prior
    }

    /// Reads outside a checkpoint; never write through it, such writes are not fenced.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Resolves when the job must stop: its claim is lost, its time is up, or the worker drains.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// The same as a token, for tasks that the job starts and has to end itself. Cancelling it stops
    /// nothing but them.
    #[must_use]
    pub fn cancellation(&self) -> CancellationToken {
        self.stop.child_token()
    }

    /// True once the job must stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// [`JobError::Stopped`] once the job must stop: for loops without another await.
    ///
    /// # Errors
    /// Exactly that one.
    pub fn check(&self) -> Result<(), JobError> {
        if self.is_stopped() {
            Err(JobError::Stopped)
        } else {
            Ok(())
        }
    }

    /// Counts anew, with `total` items to do.
    pub fn start_over(&self, total: u64) {
        self.tally().start_over(total);
    }

    /// Adds `n` items to what there is to do.
    pub fn grow(&self, n: u64) {
        self.tally().grow(n);
    }

    /// Goes on counting where the attempt before stopped.
    pub fn resume(&self) {
        let prior = self.prior;
        self.tally().resume(prior);
    }

    /// Counts `n` items that went well.
    pub fn succeeded(&self, n: u64) {
        self.tally().succeeded(n);
    }

    /// Counts `n` items that needed nothing.
    pub fn skipped(&self, n: u64) {
        self.tally().skipped(n);
    }

    /// Counts an item that failed, without keeping a row for it.
    pub fn failed(&self, kind: &FailureKind) {
        self.tally().failed(kind);
    }

    /// Keeps the result of one item; it is written with the next checkpoint and counted once, however
    /// often the same key is recorded within this attempt. Key and label are cut to 300 characters.
    pub fn item(&self, key: &str, label: &str, status: ItemStatus) {
        self.tally().item(key, label, status);
    }

    /// What is counted so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.tally().counts()
    }

    /// Shows progress, at most twice a second: in between it does nothing, and what was counted since is
    /// shown when the half second is over. Runs of one worker share a statement for it.
    ///
    /// # Errors
    /// [`JobError::Stopped`] once the claim is lost. Other errors of the database are left for the
    /// next checkpoint to find: progress is worth no attempt.
    pub async fn progress(&self) -> Result<(), JobError> {
        self.check()?;
        if self
            .progress
            .show(self.claim, &self.shown, &self.stop)
            .await
        {
            Ok(())
        } else {
            Err(self.lost())
        }
    }

    /// Begins a transaction that has already written counts and items under the fence; the job's own
    /// writes go into it, and all of it commits together or not at all.
    ///
    /// A database that is away is waited for, as long as the job may go on.
    ///
    /// # Errors
    /// [`JobError::Stopped`] where the claim is lost or the job must stop; otherwise where the database
    /// refused it.
    pub async fn checkpoint(&self) -> Result<Checkpoint<'_>, JobError> {
        self.check()?;
        let mut wait = FIRST_PAUSE;
        loop {
            match Checkpoint::begin(self).await {
                Ok(checkpoint) => {
                    self.shown.was_written();
                    return Ok(checkpoint);
                }
                Err(EngineError::ClaimLost(_)) => return Err(self.lost()),
                // Nothing of the job's own is in it yet, so it may be tried again here: as long as the
                // claim is this worker's, a database that is away costs no attempt.
                Err(error) if error.is_transient() => {
                    tokio::select! {
                        () = self.stopped() => return Err(JobError::Stopped),
                        () = tokio::time::sleep(wait) => wait = (wait * 2).min(Duration::from_secs(1)),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn lost(&self) -> JobError {
        self.stop.cancel();
        JobError::Stopped
    }

    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.shown.tally()
    }

    pub(crate) const fn claim(&self) -> Claim {
        self.claim
    }

    pub(crate) fn stop_token(&self) -> &CancellationToken {
        &self.stop
    }
}
