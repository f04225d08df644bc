//! Executing what a test started, with a worker of its own in this process.

use crate::World;
use crate::error::TestkitError;
use opsroom_engine::{EngineError, Registry, Worker, WorkerOptions};
use serde_json::Value;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Longer than a job in a test takes, also on a busy machine.
const SOON: Duration = Duration::from_secs(60);
const SLOTS: u32 = 4;

impl World {
    /// Executes what is queued with the operations of `registry` until `run` has ended, and returns the
    /// run's row. The worker is a real one; it has gone when this returns.
    ///
    /// # Errors
    /// The run did not end within a minute, or the worker could not begin.
    pub async fn complete(&self, registry: &Registry, run: i64) -> Result<Value, TestkitError> {
        let options = WorkerOptions {
            slots: SLOTS,
            poll: Duration::from_millis(50),
            ..WorkerOptions::default()
        };
        let stop = CancellationToken::new();
        let pool = self.pool(&self.worker, SLOTS + 4)?;
        let worker = Worker::new(pool, registry.clone(), options);
        let mut working = tokio::spawn(worker.work(stop.clone()));
        let mut row = Value::Null;
        let ended = crate::eventually(SOON, "the run ends", async || {
            row = self.run(run).await.unwrap_or_default();
            row["status"] == "completed"
        });
        tokio::select! {
            early = &mut working => return Err(broken(early?)),
            ended = ended => ended?,
        }
        stop.cancel();
        working.await?.map_err(|error| broken(Err(error)))?;
        Ok(row)
    }
}

fn broken(result: Result<(), EngineError>) -> TestkitError {
    match result {
        Ok(()) => TestkitError::World("the worker ended by itself".into()),
        Err(error) => TestkitError::World(Box::new(error)),
    }
}
