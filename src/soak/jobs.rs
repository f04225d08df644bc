//! Operations that are easy to break: each does what its input says, and tells in the log what became of
//! writes that come too late.

use opsroom_engine::registry::RegistryError;
use opsroom_engine::run::ItemStatus;
use opsroom_engine::{Backoff, Identity, JobError, Operation, Policy, Registry, Run};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// What a job does.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "snake_case")]
pub enum Task {
    /// Counts `steps` steps of `each_ms`, notes its effect in a checkpoint, ends well.
    Steps {
        /// How many.
        steps: u32,
        /// How long each takes.
        each_ms: u64,
    },
    /// Waits for `ms`, or until its process was stopped and went on; then writes at once, whatever
    /// anybody said, and claims to have succeeded.
    Stubborn {
        /// The longest wait.
        ms: u64,
    },
    /// Never listens and never ends.
    Deaf,
    /// Takes its process with it.
    Poison,
    /// Panics.
    Panic,
    /// Records `n` items, a checkpoint every thousand.
    Items {
        /// How many.
        n: u32,
    },
    /// Carries a text and does nothing.
    Carry {
        /// The text.
        text: String,
    },
}

/// The operation `soak.job`: tried very often, so that what kills its worker does not end it.
pub struct Job;

/// The operation `soak.thrice`: the same with three attempts.
pub struct Thrice;

/// The operation `soak.once`: one active run per tenant and task.
pub struct Once;

/// Its type.
pub const JOB: &str = Job::TYPE;
/// Its type.
pub const ONCE: &str = Once::TYPE;
/// Its type.
pub const THRICE: &str = Thrice::TYPE;
/// All of them.
pub const TYPES: [&str; 3] = [JOB, ONCE, THRICE];

/// Adds the operations of this crate.
///
/// # Errors
/// Where a type is taken.
pub fn register(registry: Registry) -> Result<Registry, RegistryError> {
    registry.with(Job)?.with(Thrice)?.with(Once)
}

fn policy(max_attempts: u16) -> Policy {
    Policy {
        identity: Identity::PerRequest,
        max_attempts,
        backoff: Backoff {
            first: Duration::from_millis(50),
            longest: Duration::from_millis(500),
        },
        ..Policy::default()
    }
}

impl Operation for Job {
    const TYPE: &'static str = "soak.job";
    const LABEL: &'static str = "Soak job";
    type Input = Task;

    fn policy(&self) -> Policy {
        policy(100)
    }

    async fn perform(&self, run: &Run, task: Task) -> Result<(), JobError> {
        perform(run, task).await
    }
}

impl Operation for Thrice {
    const TYPE: &'static str = "soak.thrice";
    const LABEL: &'static str = "Soak job, three attempts";
    type Input = Task;

    fn policy(&self) -> Policy {
        policy(3)
    }

    async fn perform(&self, run: &Run, task: Task) -> Result<(), JobError> {
        perform(run, task).await
    }
}

impl Operation for Once {
    const TYPE: &'static str = "soak.once";
    const LABEL: &'static str = "Soak job, one at a time";
    type Input = Task;

    fn policy(&self) -> Policy {
        Policy {
            identity: Identity::DedupeActive,
            ..policy(3)
        }
    }

    async fn perform(&self, run: &Run, task: Task) -> Result<(), JobError> {
        perform(run, task).await
    }
}

async fn perform(run: &Run, task: Task) -> Result<(), JobError> {
    match task {
        Task::Steps { steps, each_ms } => count(run, steps, Duration::from_millis(each_ms)).await,
        Task::Stubborn { ms } => {
            insist(run, Duration::from_millis(ms)).await;
            Ok(())
        }
        Task::Deaf => std::future::pending().await,
        Task::Poison => std::process::abort(),
        Task::Panic => {
            // Its words would be a leak; nobody may keep them.
            panic!("a job panics with a token eyJhbGciOi.secret in its words")
        }
        Task::Items { n } => record(run, n).await,
        Task::Carry { text } => {
            run.start_over(text.len() as u64);
            run.succeeded(text.len() as u64);
            Ok(())
        }
    }
}

async fn count(run: &Run, steps: u32, each: Duration) -> Result<(), JobError> {
    run.start_over(steps.into());
    for _ in 0..steps {
        tokio::select! {
            () = run.stopped() => return Err(JobError::Stopped),
            () = tokio::time::sleep(each) => {}
        }
        run.succeeded(1);
        run.progress().await?;
    }
    let mut checkpoint = run.checkpoint().await?;
    note(&mut checkpoint, run).await?;
    Ok(checkpoint.commit().await?)
}

async fn note(connection: &mut sqlx::PgConnection, run: &Run) -> Result<(), sqlx::Error> {
    sqlx::query("insert into soak.effects (run_id, attempt) values ($1, $2)")
        .bind(run.id().0)
        .bind(i64::from(run.attempt().number))
        .execute(connection)
        .await?;
    Ok(())
}

/// A pause between two looks at the clock; a far longer one means that the process was stopped.
const LOOK: Duration = Duration::from_millis(20);

async fn insist(run: &Run, longest: Duration) {
    run.start_over(1);
    if run.attempt().number > 1 {
        // Whoever takes over is still at it when the first one wakes.
        tokio::time::sleep(Duration::from_secs(1)).await;
        return run.succeeded(1);
    }
    let begun = Instant::now();
    let mut looked = begun;
    while begun.elapsed() < longest {
        tokio::time::sleep(LOOK).await;
        if looked.elapsed() > LOOK * 45 {
            break;
        }
        looked = Instant::now();
    }
    run.succeeded(1);
    let written = async {
        let mut checkpoint = run.checkpoint().await?;
        note(&mut checkpoint, run).await?;
        checkpoint.commit().await?;
        Ok::<_, JobError>(())
    };
    let id = run.id().0;
    match written.await {
        Ok(()) => tracing::info!(run_id = id, "stubborn write taken"),
        Err(_) => tracing::info!(run_id = id, "stubborn write refused"),
    }
    if begun.elapsed() < longest
        && tokio::time::timeout(Duration::from_secs(5), run.stopped())
            .await
            .is_ok()
    {
        tracing::info!(run_id = id, "stubborn job cancelled");
    }
}

async fn record(run: &Run, n: u32) -> Result<(), JobError> {
    run.start_over(n.into());
    for item in 0..n {
        let key = format!("item-{item:06}");
        run.item(&key, &format!("Item number {item}"), ItemStatus::Succeeded);
        if item % 1000 == 999 {
            run.checkpoint().await?.commit().await?;
        }
    }
    Ok(())
}
