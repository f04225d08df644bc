//! What a worker costs that does little: its memory with many jobs that wait, its statements with none.
//! The worker is a process of its own, this program again.

use crate::figures::Figures;
use crate::operation::{Job, QUEUE, registry, world};
use opsroom_engine::{Worker, WorkerOptions};
use opsroom_testkit::{World, eventually};
use sqlx::postgres::PgPoolOptions;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Set in the child, to the database's URL.
pub(crate) const CHILD: &str = "OPSROOM_BENCH_WORKER";
const HELD: i64 = 1000;
/// Until each connection has prepared what it says: that counts as a transaction, too.
const SETTLE: Duration = Duration::from_secs(20);
const WATCHED: Duration = Duration::from_secs(60);
/// Connections of an idle worker and of one that holds 1,000 runs.
const FEW: u32 = 4;
const MANY: u32 = 16;
/// Set in the child, to its number of connections.
const CONNECTIONS: &str = "OPSROOM_BENCH_CONNECTIONS";

/// In the child.
pub(crate) async fn work(url: &str) {
    let connections = std::env::var(CONNECTIONS).unwrap().parse().unwrap();
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .connect_lazy(url)
        .unwrap();
    let options = WorkerOptions {
        slots: 1000,
        ..WorkerOptions::default()
    };
    let worker = Worker::new(pool, registry(Job::Wait), options);
    worker.work(CancellationToken::new()).await.unwrap();
}

struct Process(Child);

impl Process {
    fn start(world: &World, connections: u32) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .env(CONNECTIONS, connections.to_string())
            .env(CHILD, world.database().url(&world.worker))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended; either way it is reaped.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) async fn memory(figures: &mut Figures) {
    let world = world().await;
    let mut owner = world.owner().await.unwrap();
    for _ in 0..HELD / 50 {
        sqlx::query(QUEUE).execute(&mut owner).await.unwrap();
    }
    let worker = Process::start(&world, MANY);
    let held = eventually(Duration::from_secs(60), "all are claimed", async || {
        let running = "select count(*) from opsroom.operation_runs where status = 'running' and worker_id is not null";
        sqlx::query_scalar::<_, i64>(running)
            .fetch_one(&mut owner)
            .await
            .unwrap()
            == HELD
    });
    held.await.unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", worker.0.id())).unwrap();
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|kib| kib.parse::<f64>().ok())
        .unwrap();
    figures.at_most(
        "a worker's memory with 1,000 runs in flight",
        resident / 1024.0,
        64.0,
        "MiB",
    );
}

pub(crate) async fn statements(figures: &mut Figures) {
    let world = world().await;
    let _worker = Process::start(&world, FEW);
    tokio::time::sleep(SETTLE).await;
    let mut owner = world.owner().await.unwrap();
    let begun = Instant::now();
    let before = transactions(&mut owner).await;
    tokio::time::sleep(WATCHED).await;
    // Both looks are counted at most once.
    let statements = transactions(&mut owner).await - before;
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let rate = statements as f64 / begun.elapsed().as_secs_f64();
    figures.at_most("statements of an idle worker", rate, 1.0, "1/s");
}

/// Every statement of an idle worker is a transaction of its own.
async fn transactions(owner: &mut sqlx::PgConnection) -> i64 {
    sqlx::query_scalar("select xact_commit + xact_rollback from pg_stat_database where datname = current_database()")
        .fetch_one(owner)
        .await
        .unwrap()
}
