//! Whoever lost a claim writes nothing more, and knows it.

use crate::scripted::{SOON, Scripted, TYPE, Working, attempts, completed, options, until};
use opsroom_engine::{JobError, WorkerOptions};
use opsroom_testkit::{Mode, Proxy, World, eventually};
use serde_json::{Value, json};
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_whose_claim_is_lost_is_told_and_its_ending_dropped() {
    let world = World::new().await.unwrap();
    let (go, told) = (Arc::new(Notify::new()), mpsc::unbounded_channel());
    let (tell, mut told) = told;
    let allowed = Arc::clone(&go);
    let operation = Scripted::new(move |run, input| {
        let (allowed, tell) = (Arc::clone(&allowed), tell.clone());
        Box::pin(async move {
            run.start_over(9);
            tell.send("begun").unwrap();
            allowed.notified().await;
            match input["way"].as_str() {
                Some("progress") => assert!(matches!(run.progress().await, Err(JobError::Stopped))),
                Some("checkpoint") => {
                    assert!(matches!(run.checkpoint().await, Err(JobError::Stopped)))
                }
                _ => {
                    // Learns of it by its ending alone, and claims to have succeeded.
                    run.succeeded(9);
                    tell.send("ended").unwrap();
                    return Ok(());
                }
            }
            run.stopped().await;
            tell.send("told").unwrap();
            Ok(())
        })
    });
    let working = Working::start(
        world.pool(&world.worker, 8).unwrap(),
        operation.registry(),
        options("one"),
    );
    for (way, word) in [
        ("progress", "told"),
        ("checkpoint", "told"),
        ("none", "ended"),
    ] {
        let run = world
            .queued(world.north, TYPE, &json!({"way": way}))
            .await
            .unwrap();
        assert_eq!(
            tokio::time::timeout(SOON, told.recv()).await.unwrap(),
            Some("begun")
        );
        let another = "update opsroom.operation_runs set worker_id = gen_random_uuid(), claim_no = claim_no + 1 where id = $1";
        sqlx::query(another)
            .bind(run)
            .execute(&mut world.owner().await.unwrap())
            .await
            .unwrap();
        let before = world.run(run).await.unwrap();
        go.notify_one();
        assert_eq!(
            tokio::time::timeout(SOON, told.recv()).await.unwrap(),
            Some(word),
            "{way}"
        );
        // The worker is through with it once it has executed another one.
        let next = world
            .queued(world.south, TYPE, &json!({"way": "none"}))
            .await
            .unwrap();
        assert_eq!(
            tokio::time::timeout(SOON, told.recv()).await.unwrap(),
            Some("begun")
        );
        go.notify_one();
        assert_eq!(
            tokio::time::timeout(SOON, told.recv()).await.unwrap(),
            Some("ended")
        );
        completed(&world, next).await;
        assert_eq!(world.run(run).await.unwrap(), before, "{way}");
        assert_eq!(attempts(&world, &before).await, [], "{way}");
    }
    working.end().await;
}

fn brief(name: &str) -> WorkerOptions {
    WorkerOptions {
        lease: Duration::from_secs(3),
        ..options(name)
    }
}

async fn ids(world: &World, name: &str) -> i64 {
    let count =
        sqlx::query_scalar("select count(*) from opsroom.workers where name = $1").bind(name);
    count
        .fetch_one(&mut world.owner().await.unwrap())
        .await
        .unwrap()
}

/// A worker's connections, which the proxy can cut.
async fn through_a_proxy(world: &World) -> (Proxy, PgPool) {
    let proxy = Proxy::to_postgres(world.database().server().connection())
        .await
        .unwrap();
    let pool = PgPoolOptions::new().max_connections(8);
    let pool = pool.connect_lazy(&proxy.url(world.database().name(), &world.worker));
    (proxy, pool.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_cut_off_stops_its_jobs_in_time_and_comes_back_as_another() {
    let world = World::new().await.unwrap();
    let (proxy, through) = through_a_proxy(&world).await;
    let (tell, mut told) = mpsc::unbounded_channel();
    let first = Scripted::new(move |run, _| {
        let tell = tell.clone();
        Box::pin(async move {
            tell.send(run.attempt().number).unwrap();
            if run.attempt().number == 1 {
                run.stopped().await;
                tell.send(0).unwrap();
                run.start_over(99);
                return Err(JobError::Stopped);
            }
            Ok(())
        })
    });
    let registry = first.registry();
    registry
        .publish(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    let run = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    let cut_off = Working::start(through, registry.clone(), brief("first"));
    assert_eq!(
        tokio::time::timeout(SOON, told.recv()).await.unwrap(),
        Some(1)
    );

    let stalled = Instant::now();
    proxy.set(Mode::Stall);
    assert_eq!(
        tokio::time::timeout(SOON, told.recv()).await.unwrap(),
        Some(0)
    );
    assert!(
        stalled.elapsed() < Duration::from_secs(3),
        "its job stopped within the lease: {:?}",
        stalled.elapsed()
    );
    assert!(
        world.run(run).await.unwrap()["worker_id"].is_string(),
        "nobody else had it by then"
    );

    let second = Working::start(
        world.pool(&world.worker, 8).unwrap(),
        registry,
        brief("second"),
    );
    assert_eq!(
        tokio::time::timeout(SOON, told.recv()).await.unwrap(),
        Some(2)
    );
    let row = completed(&world, run).await;
    assert_eq!(row["outcome"], "succeeded");

    proxy.set(Mode::Pass);
    let back = eventually(SOON, "the first worker is back", async || {
        ids(&world, "first").await == 2
    });
    back.await.unwrap();
    let next = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    until(&world, next, "is claimed", |row| row["claim_no"] != 0).await;
    assert_eq!(
        world.run(run).await.unwrap(),
        row,
        "what it still had to say changed nothing"
    );
    let endings: Vec<String> = attempts(&world, &row)
        .await
        .into_iter()
        .map(|(_, ended, _)| ended)
        .collect();
    assert_eq!(endings, ["lost", "succeeded"]);
    let dead: Value = sqlx::query_scalar("select to_jsonb(array_agg(dead_at is not null order by started_at)) from opsroom.workers where name = 'first'")
        .fetch_one(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    assert_eq!(dead, json!([true, false]));
    second.end().await;
    cut_off.end().await;
}

/// Makes every claim wait on the server until the connection is dropped.
async fn shut_the_gate(world: &World) -> PgConnection {
    let mut holder = world.owner().await.unwrap();
    sqlx::raw_sql("begin; select from opsroom.claim_gate for update")
        .execute(&mut holder)
        .await
        .unwrap();
    holder
}

async fn a_claim_waits(world: &World) {
    let mut looking = world.owner().await.unwrap();
    let waiting = eventually(SOON, "the claim waits on the server", async || {
        let query = "select count(*) from pg_stat_activity
                      where datname = current_database() and wait_event_type = 'Lock' and query like '%opsroom.claim(%'";
        sqlx::query_scalar::<_, i64>(query)
            .fetch_one(&mut looking)
            .await
            .unwrap()
            > 0
    });
    waiting.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_under_way_when_told_to_stop_is_executed() {
    let world = World::new().await.unwrap();
    let operation = Scripted::new(|run, _| {
        run.succeeded(1);
        Box::pin(async { Ok(()) })
    });
    let gate = shut_the_gate(&world).await;
    let run = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    let pool = world.pool(&world.worker, 8).unwrap();
    let working = Working::start(pool, operation.registry(), options("one"));
    a_claim_waits(&world).await;
    working.stop();
    drop(gate);
    working.end().await;
    let row = world.run(run).await.unwrap();
    assert_eq!(row["outcome"], "succeeded", "{row:#}");
    assert_eq!(row["attempt"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_login_but_a_workers_can_hold_up_claims() {
    let world = World::new().await.unwrap();
    for login in [&world.reader, &world.starter] {
        let mut connection = world.connect(login).await.unwrap();
        let tried = sqlx::raw_sql("select from opsroom.claim_gate for share")
            .execute(&mut connection)
            .await;
        assert!(tried.is_err(), "{login}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_whose_answer_got_lost_is_given_back() {
    let world = World::new().await.unwrap();
    let (proxy, through) = through_a_proxy(&world).await;
    // Holds up claims on the server's side.
    let gate = shut_the_gate(&world).await;
    let run = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    let operation = Scripted::new(|_, _| Box::pin(async { Ok(()) }));
    let working = Working::start(through, operation.registry(), options("one"));
    a_claim_waits(&world).await;
    proxy.set(Mode::Cut);
    eventually(SOON, "all connections are gone", async || {
        proxy.open_connections() == 0
    })
    .await
    .unwrap();
    drop(gate);
    until(&world, run, "is claimed unheard", |row| {
        row["worker_id"].is_string()
    })
    .await;
    proxy.set(Mode::Pass);
    let row = completed(&world, run).await;
    assert_eq!(
        (&row["claim_no"], &row["attempt"]),
        (&json!(2), &json!(1)),
        "by the same worker, long before its lease ran out"
    );
    working.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_away_for_a_moment_costs_no_attempt() {
    let world = World::new().await.unwrap();
    let (proxy, through) = through_a_proxy(&world).await;
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, allowed) = (Arc::clone(&begun), Arc::clone(&go));
    let operation = Scripted::new(move |run, _| {
        let (tell, allowed) = (Arc::clone(&tell), Arc::clone(&allowed));
        Box::pin(async move {
            tell.notify_one();
            allowed.notified().await;
            run.succeeded(1);
            Ok(())
        })
    });
    let run = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    let working = Working::start(through, operation.registry(), options("one"));
    tokio::time::timeout(SOON, begun.notified()).await.unwrap();
    proxy.set(Mode::Cut);
    eventually(SOON, "all connections are gone", async || {
        proxy.open_connections() == 0
    })
    .await
    .unwrap();
    go.notify_one();
    proxy.set(Mode::Pass);
    let row = completed(&world, run).await;
    assert_eq!(
        (&row["outcome"], &row["attempt"], &row["claim_no"]),
        (&json!("succeeded"), &json!(1), &json!(1))
    );
    working.end().await;
}
