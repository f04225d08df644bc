//! How long after the commit of a start an idle worker begins with the job.

use crate::figures::{Figures, quantile};
use crate::operation::{Job, TYPE, pool, registry, world};
use opsroom_engine::{
    Initiator, Priority, Start, Transport, Wake, Worker, WorkerOptions, ensure_run,
};
use opsroom_model::TenantId;
use opsroom_testkit::eventually;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const ROUNDS: usize = 300;

pub(crate) async fn measure(figures: &mut Figures) {
    let world = world().await;
    let (tell, mut begun) = mpsc::unbounded_channel();
    let registry = registry(Job::Tell(tell));
    let stop = CancellationToken::new();
    let worker = Worker::new(pool(&world, 8), registry.clone(), WorkerOptions::default());
    let working = tokio::spawn(worker.work(stop.clone()));
    let mut starter = world.connect(&world.worker).await.unwrap();
    let mut looking = world.owner().await.unwrap();
    let mut times = Vec::new();
    for round in 0..ROUNDS + 20 {
        let start = Start {
            tenant: TenantId(world.north),
            run_type: TYPE,
            input: json!({}),
            initiator: Initiator::System,
            wake: Wake::Notify,
            priority: Priority::Normal,
            transport: Transport::Workers,
        };
        ensure_run(&mut starter, &registry, start).await.unwrap();
        let committed = Instant::now();
        begun.recv().await.unwrap();
        if round >= 20 {
            times.push(committed.elapsed());
        }
        let idle = eventually(Duration::from_secs(20), "the run ends", async || {
            sqlx::query_scalar::<_, i64>(
                "select count(*) from opsroom.operation_runs where status <> 'completed'",
            )
            .fetch_one(&mut looking)
            .await
            .unwrap()
                == 0
        });
        idle.await.unwrap();
    }
    stop.cancel();
    working.await.unwrap().unwrap();
    figures.at_most(
        "pickup on an idle queue after the commit, p50",
        quantile(&mut times, 0.5),
        2.0,
        "ms",
    );
    figures.at_most(
        "pickup on an idle queue after the commit, p99",
        quantile(&mut times, 0.99),
        15.0,
        "ms",
    );
}
