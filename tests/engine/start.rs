//! Starting: create or reuse, under every race. Not here: who may, see `entitled`.

use crate::scripted::{SOON, Scripted, TYPE};
use opsroom_engine::{
    Confirmation, Initiator, Priority, Registry, Start, StartError, Transport, Wake, ensure_run,
};
use opsroom_model::TenantId;
use opsroom_testkit::World;
use serde_json::{Value, json};
use sqlx::Connection as _;
use std::time::{Duration, Instant};

pub(crate) fn registry() -> Registry {
    Scripted::new(|_, _| Box::pin(async { Ok(()) })).registry()
}

pub(crate) fn of(tenant: i64, input: Value) -> Start<'static> {
    Start {
        tenant: TenantId(tenant),
        run_type: TYPE,
        input,
        initiator: Initiator::System,
        wake: Wake::Notify,
        priority: Priority::Normal,
        transport: Transport::Workers,
    }
}

pub(crate) async fn world() -> World {
    let world = World::new().await.unwrap();
    registry()
        .publish(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    world
}

pub(crate) async fn count(world: &World, query: &'static str) -> i64 {
    sqlx::query_scalar(query)
        .fetch_one(&mut world.owner().await.unwrap())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_starts_at_once_are_one_run() {
    let world = world().await;
    let north = world.north;
    let together = std::sync::Arc::new(tokio::sync::Barrier::new(50));
    let mut starts = Vec::new();
    for _ in 0..50 {
        let mut connection = world.connect(&world.starter).await.unwrap();
        let together = std::sync::Arc::clone(&together);
        starts.push(tokio::spawn(async move {
            let registry = registry();
            together.wait().await;
            let mut confirmations = Vec::new();
            for _ in 0..4 {
                let start = of(north, json!({"scope": "full"}));
                confirmations.push(ensure_run(&mut connection, &registry, start).await.unwrap());
            }
            confirmations
        }));
    }
    let mut all = Vec::new();
    for start in starts {
        all.extend(start.await.unwrap());
    }
    let created = all
        .iter()
        .filter(|one| matches!(one, Confirmation::Created(_)))
        .count();
    assert_eq!((all.len(), created), (200, 1));
    assert!(
        all.iter().all(|one| one.run() == all[0].run()),
        "one run for all: {all:?}"
    );
    assert_eq!(
        count(&world, "select count(*) from opsroom.operation_runs").await,
        1
    );
    assert_eq!(
        count(
            &world,
            "select count(*) from opsroom.notifications where kind = 'queued'"
        )
        .await,
        1
    );
    assert_eq!(
        count(
            &world,
            "select count(*) from opsroom.audit where action = 'run.start'"
        )
        .await,
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_ends_meanwhile_is_no_error() {
    let world = world().await;
    let (north, done) = (
        world.north,
        std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false)),
    );
    let mut ender = world.owner().await.unwrap();
    let over = std::sync::Arc::clone(&done);
    let ending = tokio::spawn(async move {
        let mut ended = 0;
        while !over.load(std::sync::atomic::Ordering::Relaxed) {
            let query = "update opsroom.operation_runs set status = 'completed', outcome = 'failed' where status = 'queued'";
            ended += sqlx::query(query)
                .execute(&mut ender)
                .await
                .unwrap()
                .rows_affected();
        }
        ended
    });
    let mut starts = Vec::new();
    for _ in 0..8 {
        let mut connection = world.connect(&world.starter).await.unwrap();
        starts.push(tokio::spawn(async move {
            let registry = registry();
            for _ in 0..40 {
                ensure_run(&mut connection, &registry, of(north, json!({})))
                    .await
                    .unwrap();
            }
        }));
    }
    for start in starts {
        start.await.unwrap();
    }
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(ending.await.unwrap() > 1, "runs must have ended in between");
}

#[tokio::test]
async fn a_start_becomes_visible_with_the_callers_transaction_or_not_at_all() {
    let world = world().await;
    let mut starter = world.connect(&world.starter).await.unwrap();
    let mut transaction = starter.begin().await.unwrap();
    let start = ensure_run(&mut transaction, &registry(), of(world.north, json!({}))).await;
    assert!(matches!(start, Ok(Confirmation::Created(_))));
    transaction.rollback().await.unwrap();
    assert_eq!(
        count(&world, "select count(*) from opsroom.operation_runs").await,
        0
    );
    assert_eq!(
        count(&world, "select count(*) from opsroom.notifications").await,
        0
    );
}

#[tokio::test]
async fn a_competitor_that_does_not_commit_is_waited_for_a_second() {
    let world = world().await;
    let mut holder = world.connect(&world.starter).await.unwrap();
    let mut held = holder.begin().await.unwrap();
    ensure_run(&mut held, &registry(), of(world.north, json!({})))
        .await
        .unwrap();
    // Without a transaction of its own, too: the limit must hold there as well.
    let mut other = world.connect(&world.starter).await.unwrap();
    let begun = Instant::now();
    let error = ensure_run(&mut other, &registry(), of(world.north, json!({})))
        .await
        .unwrap_err();
    assert!(matches!(error, StartError::Busy), "{error}");
    assert!(
        begun.elapsed() < Duration::from_millis(1900),
        "{:?}",
        begun.elapsed()
    );
    held.commit().await.unwrap();
    let confirmed = ensure_run(&mut other, &registry(), of(world.north, json!({})))
        .await
        .unwrap();
    assert!(matches!(confirmed, Confirmation::Reused(_)));
    let limit: String = sqlx::query_scalar("show lock_timeout")
        .fetch_one(&mut other)
        .await
        .unwrap();
    assert_eq!(limit, "2s", "the session keeps its own setting");
}

#[tokio::test]
async fn an_answer_has_a_detail_only_where_there_is_one_to_tell() {
    let world = world().await;
    let mut worker = world.connect(&world.worker).await.unwrap();
    for (run_type, expected) in [
        ("a.b", ("created", None)),
        ("a.b", ("reused", Some("a.b"))),
        ("a.c", ("taken", Some("a.b"))),
    ] {
        let answer: (String, Option<String>) = sqlx::query_as(
            "select answer, detail from opsroom.ensure_run($1, $2, repeat('a', 64), '{}', null, 'System', 0::smallint, true, true)",
        )
        .bind(world.north)
        .bind(run_type)
        .fetch_one(&mut worker)
        .await
        .unwrap();
        assert_eq!((answer.0.as_str(), answer.1.as_deref()), expected);
    }
}

#[tokio::test]
async fn snapshots_that_cannot_see_a_competitor_are_refused() {
    let world = world().await;
    let mut starter = world.connect(&world.starter).await.unwrap();
    let mut transaction = starter
        .begin_with("begin isolation level repeatable read")
        .await
        .unwrap();
    let error = ensure_run(&mut transaction, &registry(), of(world.north, json!({})))
        .await
        .unwrap_err();
    assert!(matches!(error, StartError::Isolation(_)), "{error}");
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_before_anything_is_written() {
    let world = world().await;
    let mut starter = world.connect(&world.starter).await.unwrap();
    let unknown = Start {
        run_type: "inventory.snyc",
        ..of(world.north, json!({}))
    };
    let error = ensure_run(&mut starter, &registry(), unknown)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains(TYPE),
        "names what there is: {error}"
    );
    let secret = of(world.north, json!({"client_secret": "hunter2!"}));
    let error = ensure_run(&mut starter, &registry(), secret)
        .await
        .unwrap_err();
    assert!(matches!(error, StartError::SensitiveInput(_)));
    assert!(!error.to_string().contains("hunter2"), "{error}");
    assert_eq!(
        count(&world, "select count(*) from opsroom.operation_runs").await,
        0
    );
}

#[tokio::test]
async fn per_request_runs_are_never_the_same_whatever_the_shape_of_their_input() {
    let world = world().await;
    let mut operation = Scripted::new(|_, _| Box::pin(async { Ok(()) }));
    operation.policy.identity = opsroom_engine::Identity::PerRequest;
    let registry = operation.registry();
    let mut starter = world.connect(&world.starter).await.unwrap();
    for input in [json!({}), json!({}), json!([1]), json!("all"), json!(7)] {
        let confirmed = ensure_run(&mut starter, &registry, of(world.north, input.clone()))
            .await
            .unwrap();
        assert!(matches!(confirmed, Confirmation::Created(_)), "{input}");
    }
}

#[tokio::test]
async fn a_handover_that_fails_ends_the_run_at_once() {
    let world = world().await;
    let mut worker = world.connect(&world.worker).await.unwrap();
    let run = ensure_run(&mut worker, &registry(), of(world.north, json!({})))
        .await
        .unwrap()
        .run();
    let dispatch = async { Err::<(), _>("queue down: Bearer abcdefghijkl") };
    let handed = tokio::time::timeout(
        SOON,
        opsroom_engine::dispatch_or_fail(&mut worker, run, dispatch),
    );
    assert_eq!(
        handed.await.unwrap().unwrap(),
        opsroom_engine::dispatch::Dispatched::Failed
    );
    let row = world.run(run.0).await.unwrap();
    assert_eq!(
        (&row["status"], &row["outcome"]),
        (&json!("completed"), &json!("failed"))
    );
    assert_eq!(row["failure_summary"][0]["code"], "dispatch.failed");
    assert!(!row.to_string().contains("Bearer"));
}
