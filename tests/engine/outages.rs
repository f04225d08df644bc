//! How soon what a silent network swallowed is done without.

use crate::scripted::{SOON, Scripted, TYPE, Working, options};
use opsroom_engine::{Hosts, JobError, WorkerOptions};
use opsroom_testkit::{Mode, Proxy, World, eventually};
use serde_json::json;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Well below the deadline of a statement, which is 5 s.
const QUICK: Duration = Duration::from_millis(3_500);

/// A pool as the worker program has it, through a proxy.
async fn pool_through_a_proxy(world: &World, connections: u32) -> (Proxy, PgPool) {
    let server = world.database().server().connection();
    let proxy = Proxy::to_postgres(server).await.unwrap();
    let url = proxy.url(world.database().name(), &world.worker);
    let options = PgPoolOptions::new().max_connections(connections);
    let pool = Hosts::parse(&url).unwrap().pool(options);
    (proxy, pool)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_was_coming_back_when_the_network_healed_does_not_wait_for_what_was_lost() {
    let world = World::new().await.unwrap();
    let (proxy, pool) = pool_through_a_proxy(&world, 8).await;
    let (tell, mut told) = mpsc::unbounded_channel();
    let operation = Scripted::new(move |run, _| {
        let tell = tell.clone();
        Box::pin(async move {
            tell.send("begun").unwrap();
            if run.attempt().number == 1 {
                run.stopped().await;
                tell.send("stopped").unwrap();
                return Err(JobError::Stopped);
            }
            Ok(())
        })
    });
    let registry = operation.registry();
    let mut owner = world.owner().await.unwrap();
    registry.publish(&mut owner).await.unwrap();
    world.queued(world.north, TYPE, &json!({})).await.unwrap();
    let brief = WorkerOptions {
        lease: Duration::from_secs(2),
        ..options("cut off")
    };
    let working = Working::start(pool, registry, brief);
    let mut next = async || tokio::time::timeout(SOON, told.recv()).await.unwrap();
    assert_eq!(next().await, Some("begun"));
    proxy.set(Mode::HalfOpen);
    assert_eq!(next().await, Some("stopped"));
    // By then it asks to be taken in again, on a connection that nobody answers.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let healed = Instant::now();
    proxy.set(Mode::Pass);
    assert_eq!(next().await, Some("begun"), "once more, under a new id");
    let back = healed.elapsed();
    working.end().await;
    assert!(back < QUICK, "back after {back:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_given_up_on_a_silent_network_cost_the_pool_no_connections() {
    const ALL: u32 = 3;
    let world = World::new().await.unwrap();
    let (proxy, pool) = pool_through_a_proxy(&world, ALL).await;
    let mut taken = Vec::new();
    for _ in 0..ALL {
        taken.push(pool.acquire().await.unwrap());
    }
    proxy.set(Mode::HalfOpen);
    for mut connection in taken {
        let lost = sqlx::query("select 1").execute(&mut *connection);
        let given_up = tokio::time::timeout(Duration::from_millis(50), lost).await;
        assert!(given_up.is_err());
    }
    proxy.set(Mode::Pass);
    let mut taken = Vec::new();
    eventually(SOON, "the pool makes new ones", async || {
        taken.push(pool.acquire().await.unwrap());
        taken.len() == ALL as usize
    })
    .await
    .unwrap();
}
