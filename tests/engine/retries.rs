//! Being put off, by whom, how often, and when it goes on. Back-off and attempts are in `jobs`.

use crate::scripted::{SOON, Scripted, TYPE, Working, attempts, completed, execute, options};
use opsroom_engine::{JobError, PutOff, WorkerOptions};
use opsroom_model::FailureKind;
use opsroom_testkit::World;
use serde_json::json;
use std::time::Duration;
use tokio::sync::mpsc;

fn throttled(after: Option<Duration>) -> JobError {
    let kind = FailureKind::Graph {
        code: "graph.throttled",
        status: Some(429),
    };
    JobError::Retryable { kind, after }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn being_asked_to_come_back_later_uses_up_no_attempt() {
    let world = World::new().await.unwrap();
    let mut operation = Scripted::new(|run, _| {
        let first_claims = run.prior().success.unwrap_or(0) < 2;
        Box::pin(async move {
            assert_eq!(run.attempt().number, 1);
            run.resume();
            run.succeeded(1);
            if first_claims {
                return Err(throttled(Some(Duration::from_millis(20))));
            }
            Ok(())
        })
    });
    operation.policy.max_attempts = 1;
    let row = execute(&world, operation).await;
    assert_eq!(
        (&row["outcome"], &row["attempt"], &row["claim_no"]),
        (&json!("succeeded"), &json!(1), &json!(3))
    );
    assert_eq!(row["summary_counts"]["success"], 3);
    let kept = attempts(&world, &row).await;
    let words: Vec<_> = kept
        .iter()
        .map(|(number, word, _)| (*number, word.as_str()))
        .collect();
    assert_eq!(words, [(1, "retry"), (1, "retry"), (1, "succeeded")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_remote_side_that_always_says_later_does_not_keep_a_run_for_ever() {
    let world = World::new().await.unwrap();
    let mut operation =
        Scripted::new(|_, _| Box::pin(async { Err(throttled(Some(Duration::from_secs(3600)))) }));
    operation.policy.max_attempts = 2;
    // A day would be asked for; this operation does not believe it.
    operation.policy.put_off = PutOff {
        times: 2,
        longest: Duration::from_millis(20),
    };
    let row = execute(&world, operation).await;
    assert_eq!(
        (&row["outcome"], &row["attempt"], &row["claim_no"]),
        (&json!("failed"), &json!(2), &json!(4)),
        "put off twice, tried twice"
    );
    assert_eq!(row["failure_summary"][0]["code"], "graph.throttled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whether_to_try_again_follows_from_the_kind() {
    let graph = |code| FailureKind::Graph { code, status: None };
    for (kind, again) in [
        (graph("graph.throttled"), true),
        (graph("graph.unavailable"), true),
        (graph("graph.forbidden"), false),
        (FailureKind::DatabaseUnavailable, true),
        (FailureKind::TenantNotConnected, false),
        (FailureKind::InputInvalid, false),
    ] {
        let error = JobError::from(kind.clone());
        assert_eq!(
            matches!(error, JobError::Retryable { after: None, .. }),
            again,
            "{kind:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_put_off_goes_on_when_it_is_due_not_at_the_next_poll() {
    let world = World::new().await.unwrap();
    let operation = Scripted::new(|run, _| {
        let first = run.prior().is_empty();
        Box::pin(async move {
            run.start_over(1);
            run.succeeded(1);
            if first {
                return Err(throttled(Some(Duration::from_millis(30))));
            }
            Ok(())
        })
    });
    let run = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    let seldom = WorkerOptions {
        poll: Duration::from_secs(3600),
        ..options("seldom")
    };
    let pool = world.pool(&world.worker, 8).unwrap();
    let working = Working::start(pool, operation.registry(), seldom);
    assert_eq!(completed(&world, run).await["claim_no"], 2);
    working.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_job_started_hears_of_a_lost_claim() {
    let world = World::new().await.unwrap();
    let (tell, mut told) = mpsc::unbounded_channel();
    let operation = Scripted::new(move |run, _| {
        let tell = tell.clone();
        Box::pin(async move {
            let token = run.cancellation();
            let helper = tokio::spawn(async move {
                token.cancelled().await;
                tell.send("helper").unwrap();
            });
            run.start_over(1_000_000);
            // It counts on, and does not look at what progress says.
            while !helper.is_finished() {
                run.succeeded(1);
                let _ = run.progress().await;
                tokio::task::yield_now().await;
            }
            Err(JobError::Stopped)
        })
    });
    let run = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    let pool = world.pool(&world.worker, 8).unwrap();
    let working = Working::start(pool, operation.registry(), options("one"));
    crate::scripted::until(&world, run, "shows progress", |row| {
        !row["summary_counts"].is_null()
    })
    .await;
    sqlx::query(
        "update opsroom.operation_runs set worker_id = gen_random_uuid(), claim_no = claim_no + 1",
    )
    .execute(&mut world.owner().await.unwrap())
    .await
    .unwrap();
    assert_eq!(
        tokio::time::timeout(SOON, told.recv()).await.unwrap(),
        Some("helper")
    );
    working.end().await;
}
