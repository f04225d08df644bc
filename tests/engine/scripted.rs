//! An operation whose job is a test's own, and a worker that executes it.

use opsroom_engine::{
    Backoff, EngineError, JobError, Operation, Policy, Registry, Run, Worker, WorkerOptions,
};
use opsroom_testkit::{World, eventually};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes, also on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) const TYPE: &str = "test.scripted";

pub(crate) type Ending<'a> = Pin<Box<dyn Future<Output = Result<(), JobError>> + Send + 'a>>;

type Script = Arc<dyn for<'a> Fn(&'a Run, Value) -> Ending<'a> + Send + Sync>;

/// The operation `test.scripted`.
pub(crate) struct Scripted {
    script: Script,
    pub(crate) policy: Policy,
}

impl Scripted {
    pub(crate) fn new(
        script: impl for<'a> Fn(&'a Run, Value) -> Ending<'a> + Send + Sync + 'static,
    ) -> Self {
        let policy = Policy {
            backoff: Backoff {
                first: Duration::from_millis(20),
                longest: Duration::from_millis(20),
            },
            ..Policy::default()
        };
        Self {
            script: Arc::new(script),
            policy,
        }
    }

    /// A job that tells when it began, and ends well once it may.
    pub(crate) fn waiting() -> (Self, Arc<Notify>, Arc<Notify>) {
        let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (tell, allowed) = (Arc::clone(&begun), Arc::clone(&go));
        let operation = Self::new(move |_, _| {
            let (tell, allowed) = (Arc::clone(&tell), Arc::clone(&allowed));
            Box::pin(async move {
                tell.notify_one();
                allowed.notified().await;
                Ok(())
            })
        });
        (operation, begun, go)
    }

    pub(crate) fn registry(self) -> Registry {
        Registry::new().with(self).unwrap()
    }
}

impl Operation for Scripted {
    const TYPE: &'static str = TYPE;
    const LABEL: &'static str = "Scripted";
    type Input = Value;

    fn policy(&self) -> Policy {
        self.policy.clone()
    }

    async fn perform(&self, run: &Run, input: Value) -> Result<(), JobError> {
        (self.script)(run, input).await
    }
}

/// A worker at work in this process.
pub(crate) struct Working {
    stop: CancellationToken,
    task: JoinHandle<Result<(), EngineError>>,
}

/// Quick to notice things, slow to be declared dead.
pub(crate) fn options(name: &str) -> WorkerOptions {
    WorkerOptions {
        name: name.to_owned(),
        slots: 4,
        lease: Duration::from_secs(20),
        poll: Duration::from_millis(50),
        drain: Duration::from_secs(10),
        ..WorkerOptions::default()
    }
}

impl Working {
    pub(crate) fn start(pool: PgPool, registry: Registry, options: WorkerOptions) -> Self {
        let stop = CancellationToken::new();
        let worker = Worker::new(pool, registry, options);
        let task = tokio::spawn(worker.work(stop.clone()));
        Self { stop, task }
    }

    /// Told to stop; [`Self::end`] waits for it.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    pub(crate) async fn end(self) {
        self.stop.cancel();
        tokio::time::timeout(SOON, self.task)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }
}

/// Executes one run of `operation` to its end and returns its row.
pub(crate) async fn execute(world: &World, operation: Scripted) -> Value {
    // Published first: the database takes the number of attempts from there.
    let registry = operation.registry();
    registry
        .publish(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    let run = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    let working = Working::start(
        world.pool(&world.worker, 8).unwrap(),
        registry,
        options("one"),
    );
    let row = completed(world, run).await;
    working.end().await;
    row
}

/// Waits for the run's end.
pub(crate) async fn completed(world: &World, run: i64) -> Value {
    until(world, run, "is completed", |row| {
        row["status"] == "completed"
    })
    .await
}

/// Waits until the run's row is as asked.
pub(crate) async fn until(
    world: &World,
    run: i64,
    what: &str,
    is: impl Fn(&Value) -> bool,
) -> Value {
    let mut last = Value::Null;
    let looked = eventually(SOON, what, async || {
        last = world.run(run).await.unwrap();
        is(&last)
    })
    .await;
    assert!(looked.is_ok(), "run {run} never {what}: {last:#}");
    last
}

/// The attempts of a run that ended: number, how, first code.
pub(crate) async fn attempts(world: &World, run: &Value) -> Vec<(i32, String, Option<String>)> {
    sqlx::query_as(
        "select attempt, ended, failure_summary -> 0 ->> 'code' from opsroom.run_attempts where run_id = $1 order by claim_no",
    )
    .bind(run["id"].as_i64())
    .fetch_all(&mut world.owner().await.unwrap())
    .await
    .unwrap()
}
