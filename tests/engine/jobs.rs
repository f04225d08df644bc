//! How jobs end, and what the record says of it.

use crate::scripted::{
    SOON, Scripted, TYPE, Working, attempts, completed, execute, options, until,
};
use opsroom_engine::JobError;
use opsroom_model::FailureKind;
use opsroom_testkit::{World, eventually};
use serde_json::{Value, json};
use sqlx::Connection as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

fn throttled() -> FailureKind {
    FailureKind::Graph {
        code: "graph.throttled",
        status: Some(429),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_outcome_follows_from_what_was_counted() {
    let world = World::new().await.unwrap();
    for (good, bad, outcome) in [
        (0, 0, "succeeded"),
        (2, 0, "succeeded"),
        (2, 1, "partially_succeeded"),
        (0, 2, "failed"),
    ] {
        let row = execute(
            &world,
            Scripted::new(move |run, _| {
                Box::pin(async move {
                    run.start_over(good + bad + 1);
                    run.succeeded(good);
                    (0..bad).for_each(|_| run.failed(&throttled()));
                    run.skipped(1);
                    Ok(())
                })
            }),
        )
        .await;
        assert_eq!(row["outcome"], outcome, "{good} and {bad}");
        assert_eq!(
            row["summary_counts"],
            json!({"total": good + bad + 1, "success": good, "failed": bad, "skipped": 1})
        );
        let failures = if bad == 0 {
            Value::Null
        } else {
            json!({"code": "graph.throttled", "count": bad})
        };
        assert_eq!(row["failure_summary"][0]["code"], failures["code"]);
        assert_eq!(row["failure_summary"][0]["count"], failures["count"]);
        assert!(row["started_at"].is_string() && row["completed_at"].is_string());
        assert_eq!(attempts(&world, &row).await[0].1, outcome);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_pass_is_tried_again_and_what_it_failed_with_is_kept() {
    let world = World::new().await.unwrap();
    let row = execute(
        &world,
        Scripted::new(|run, _| {
            Box::pin(async move {
                run.start_over(1);
                if run.attempt().number < 3 {
                    return Err(JobError::Retryable {
                        kind: throttled(),
                        after: None,
                    });
                }
                run.succeeded(1);
                Ok(())
            })
        }),
    )
    .await;
    assert_eq!(
        (&row["outcome"], &row["attempt"]),
        (&json!("succeeded"), &json!(3))
    );
    assert!(
        row["failure_summary"].is_null(),
        "the last attempt failed with nothing"
    );
    let retry = |attempt| {
        (
            attempt,
            "retry".to_owned(),
            Some("graph.throttled".to_owned()),
        )
    };
    assert_eq!(
        attempts(&world, &row).await,
        [retry(1), retry(2), (3, "succeeded".to_owned(), None)]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn between_attempts_a_run_stays_running_held_by_nobody() {
    let world = World::new().await.unwrap();
    let operation = Scripted::new(|_, _| {
        let after = Some(Duration::from_secs(3600));
        Box::pin(async move {
            Err(JobError::Retryable {
                kind: throttled(),
                after,
            })
        })
    });
    let run = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    sqlx::query("update opsroom.operation_runs set max_attempts = 2")
        .execute(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    let working = Working::start(
        world.pool(&world.worker, 8).unwrap(),
        operation.registry(),
        options("one"),
    );
    let row = until(&world, run, "was tried", |row| {
        row["claim_no"] == 1 && row["worker_id"].is_null()
    })
    .await;
    assert_eq!(
        (&row["status"], &row["outcome"], &row["attempt"]),
        (&json!("running"), &json!("pending"), &json!(0)),
        "being asked to come back later uses up no attempt"
    );
    let later: bool = sqlx::query_scalar(
        "select available_at > now() + interval '50 minutes' from opsroom.operation_runs",
    )
    .fetch_one(&mut world.owner().await.unwrap())
    .await
    .unwrap();
    assert!(later, "not before the remote side asked for it");
    working.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_pass_fails_the_run_at_once() {
    let world = World::new().await.unwrap();
    let row = execute(
        &world,
        Scripted::new(|_, _| {
            Box::pin(async { Err(JobError::Permanent(FailureKind::TenantNotConnected)) })
        }),
    )
    .await;
    assert_eq!(
        (&row["outcome"], &row["attempt"]),
        (&json!("failed"), &json!(1))
    );
    assert_eq!(row["failure_summary"][0]["code"], "tenant.not_connected");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_attempt_ends_the_run() {
    let world = World::new().await.unwrap();
    let row = execute(
        &world,
        Scripted::new(|_, _| {
            Box::pin(async {
                Err(JobError::Retryable {
                    kind: throttled(),
                    after: None,
                })
            })
        }),
    )
    .await;
    assert_eq!(
        (&row["outcome"], &row["attempt"]),
        (&json!("failed"), &json!(3))
    );
    assert_eq!(row["failure_summary"][0]["code"], "graph.throttled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_is_a_failed_run_and_its_words_are_kept_nowhere() {
    let world = World::new().await.unwrap();
    let row = execute(
        &world,
        Scripted::new(|_, _| Box::pin(async { panic!("token=hunter2hunter2") })),
    )
    .await;
    assert_eq!(row["failure_summary"][0]["code"], "job.panicked");
    assert!(!row.to_string().contains("hunter2"));
}

/// Tells when it is dropped.
struct Dropped(Arc<Notify>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_past_its_time_is_dropped_even_if_it_does_not_listen() {
    let world = World::new().await.unwrap();
    let gone = Arc::new(Notify::new());
    let dropped = Arc::clone(&gone);
    let mut operation = Scripted::new(move |_, _| {
        let guard = Dropped(Arc::clone(&dropped));
        Box::pin(async move {
            let _guard = guard;
            std::future::pending().await
        })
    });
    operation.policy.timeout = Duration::from_millis(50);
    operation.policy.max_attempts = 1;
    let row = execute(&world, operation).await;
    assert_eq!(row["failure_summary"][0]["code"], "job.timed_out");
    tokio::time::timeout(SOON, gone.notified()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timeout_is_recorded_also_when_the_database_is_slow_to_take_it() {
    let world = World::new().await.unwrap();
    let mut operation = Scripted::new(|run, _| {
        Box::pin(async move {
            run.stopped().await;
            Err(JobError::Stopped)
        })
    });
    operation.policy.timeout = Duration::from_millis(400);
    operation.policy.max_attempts = 1;
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
    until(&world, run, "is claimed", |row| row["claim_no"] == 1).await;
    // The ending cannot be written while this transaction holds the row.
    let mut owner = world.owner().await.unwrap();
    let mut holding = owner.begin().await.unwrap();
    sqlx::query("select from opsroom.operation_runs where id = $1 for update")
        .bind(run)
        .execute(&mut *holding)
        .await
        .unwrap();
    let mut looking = world.owner().await.unwrap();
    let tried_again = eventually(SOON, "the ending is tried a second time", async || {
        let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        sqlx::query_scalar::<_, i64>(waiting)
            .fetch_one(&mut looking)
            .await
            .unwrap()
            >= 2
    });
    tried_again.await.unwrap();
    holding.rollback().await.unwrap();
    let row = completed(&world, run).await;
    assert_eq!(row["failure_summary"][0]["code"], "job.timed_out");
    working.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_is_visible_while_it_runs() {
    let world = World::new().await.unwrap();
    let steps = Arc::new(Semaphore::new(0));
    let allowed = Arc::clone(&steps);
    let operation = Scripted::new(move |run, _| {
        let allowed = Arc::clone(&allowed);
        Box::pin(async move {
            run.start_over(2);
            run.succeeded(1);
            run.progress().await?;
            allowed.acquire().await.unwrap().forget();
            run.succeeded(1);
            Ok(())
        })
    });
    let run = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    let working = Working::start(
        world.pool(&world.worker, 8).unwrap(),
        operation.registry(),
        options("one"),
    );
    let row = until(&world, run, "shows progress", |row| {
        row["summary_counts"]["success"] == 1
    })
    .await;
    assert_eq!(row["status"], "running");
    steps.add_permits(1);
    assert_eq!(completed(&world, run).await["summary_counts"]["success"], 2);
    working.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_stops_untold_does_not_come_back_for_ever() {
    let world = World::new().await.unwrap();
    let row = execute(
        &world,
        Scripted::new(|_, _| Box::pin(async { Err(JobError::Stopped) })),
    )
    .await;
    assert_eq!(row["outcome"], "failed");
    assert_eq!(row["failure_summary"][0]["code"], "job.stopped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_input_that_does_not_fit_fails_the_run() {
    struct Picky;
    impl opsroom_engine::Operation for Picky {
        const TYPE: &'static str = TYPE;
        const LABEL: &'static str = "Picky";
        type Input = Vec<u8>;

        async fn perform(&self, _: &opsroom_engine::Run, _: Vec<u8>) -> Result<(), JobError> {
            Ok(())
        }
    }
    let world = World::new().await.unwrap();
    let run = world
        .queued(world.north, TYPE, &json!({"no": "list"}))
        .await
        .unwrap();
    let registry = opsroom_engine::Registry::new().with(Picky).unwrap();
    let working = Working::start(
        world.pool(&world.worker, 8).unwrap(),
        registry,
        options("one"),
    );
    assert_eq!(
        completed(&world, run).await["failure_summary"][0]["code"],
        "input.invalid"
    );
    working.end().await;
}
