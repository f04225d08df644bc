//! Told to stop, a worker lets jobs finish for a while, gives the rest back and leaves; no run is
//! lost, none keeps a claim, and no attempt is used up by it.

use crate::scripted::{SOON, Scripted, TYPE, Working, attempts, completed, options, until};
use opsroom_engine::{JobError, WorkerOptions};
use opsroom_testkit::{World, eventually};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_may_finish_and_nothing_new_is_claimed() {
    let world = World::new().await.unwrap();
    let (operation, begun, go) = Scripted::waiting();
    let run = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    let working = Working::start(
        world.pool(&world.worker, 8).unwrap(),
        operation.registry(),
        options("one"),
    );
    tokio::time::timeout(SOON, begun.notified()).await.unwrap();
    working.stop();
    let mut owner = world.owner().await.unwrap();
    let shown = eventually(SOON, "the drain is shown", async || {
        let query = "select stopping_at is not null and dead_at is null from opsroom.workers";
        sqlx::query_scalar::<_, bool>(query)
            .fetch_one(&mut owner)
            .await
            .unwrap()
    });
    shown.await.unwrap();
    let late = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    go.notify_one();
    working.end().await;
    assert_eq!(completed(&world, run).await["outcome"], "succeeded");
    assert_eq!(world.run(late).await.unwrap()["status"], "queued");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_finish_is_given_back_without_using_up_an_attempt() {
    let world = World::new().await.unwrap();
    for listens in [true, false] {
        let begun = Arc::new(Notify::new());
        let tell = Arc::clone(&begun);
        let operation = Scripted::new(move |run, _| {
            let tell = Arc::clone(&tell);
            Box::pin(async move {
                run.start_over(2);
                run.succeeded(1);
                tell.notify_one();
                if listens {
                    run.stopped().await;
                } else {
                    std::future::pending::<()>().await;
                }
                Err(JobError::Stopped)
            })
        });
        let run = world.queued(world.north, TYPE, &json!({})).await.unwrap();
        let impatient = WorkerOptions {
            drain: Duration::from_millis(50),
            ..options("first")
        };
        let working = Working::start(
            world.pool(&world.worker, 8).unwrap(),
            operation.registry(),
            impatient,
        );
        tokio::time::timeout(SOON, begun.notified()).await.unwrap();
        working.end().await;
        let row = world.run(run).await.unwrap();
        assert_eq!(
            (&row["status"], row["worker_id"].is_null(), &row["attempt"]),
            (&json!("running"), true, &json!(0)),
            "listens: {listens}"
        );
        assert_eq!(
            attempts(&world, &row).await,
            [(1, "released".to_owned(), None)]
        );

        let operation = Scripted::new(|run, _| {
            assert_eq!(run.attempt().number, 1);
            Box::pin(async { Ok(()) })
        });
        let working = Working::start(
            world.pool(&world.worker, 8).unwrap(),
            operation.registry(),
            options("second"),
        );
        let row = completed(&world, run).await;
        assert_eq!(
            (&row["outcome"], &row["claim_no"]),
            (&json!("succeeded"), &json!(2))
        );
        working.end().await;
    }
    let alive: i64 =
        sqlx::query_scalar("select count(*) from opsroom.workers where dead_at is null")
            .fetch_one(&mut world.owner().await.unwrap())
            .await
            .unwrap();
    assert_eq!(alive, 0, "whoever stopped has signed off");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_keeps_beating_while_it_drains() {
    let world = World::new().await.unwrap();
    let (operation, begun, go) = Scripted::waiting();
    let run = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    let brief = WorkerOptions {
        lease: Duration::from_secs(1),
        ..options("one")
    };
    let working = Working::start(
        world.pool(&world.worker, 8).unwrap(),
        operation.registry(),
        brief,
    );
    tokio::time::timeout(SOON, begun.notified()).await.unwrap();
    working.stop();
    let mut owner = world.owner().await.unwrap();
    let beats = eventually(
        SOON,
        "it beats longer than its lease after the stop",
        async || {
            let query =
                "select coalesce(beat_at > stopping_at + lease * 1.5, false) from opsroom.workers";
            sqlx::query_scalar::<_, bool>(query)
                .fetch_one(&mut owner)
                .await
                .unwrap()
        },
    );
    beats.await.unwrap();
    go.notify_one();
    working.end().await;
    let row = until(&world, run, "is completed", |row| {
        row["status"] == "completed"
    })
    .await;
    assert_eq!(row["claim_no"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_is_over_within_a_second_of_its_time() {
    let world = World::new().await.unwrap();
    let operation = Scripted::new(|_, _| Box::pin(std::future::pending()));
    let mut runs = Vec::new();
    for _ in 0..4 {
        runs.push(world.queued(world.north, TYPE, &json!({})).await.unwrap());
    }
    let brief = WorkerOptions {
        drain: Duration::from_millis(200),
        ..options("one")
    };
    let pool = world.pool(&world.worker, 8).unwrap();
    let working = Working::start(pool, operation.registry(), brief);
    for run in &runs {
        until(&world, *run, "is claimed", |row| row["claim_no"] == 1).await;
    }
    let told = Instant::now();
    working.end().await;
    assert!(
        told.elapsed() < Duration::from_millis(1200),
        "{:?}",
        told.elapsed()
    );
    for run in runs {
        let row = world.run(run).await.unwrap();
        assert!(row["worker_id"].is_null() && row["attempt"] == 0, "{row:#}");
    }
}
