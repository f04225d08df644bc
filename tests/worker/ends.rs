//! How workers end, and what becomes of what they held: kill -9, a stop that outlasts the lease,
//! a polite word.

use crate::graph::Connected;
use crate::program::{Running, SOON};
use opsroom_graph::simulator::Faults;
use opsroom_testkit::{Signal, eventually};
use serde_json::{Value, json};

/// Everything the database holds of a run and of what it wrote.
async fn everything(connected: &Connected, run: i64) -> Value {
    sqlx::query_scalar(
        "select jsonb_build_object(
           'run', (select to_jsonb(r) from opsroom.operation_runs r where id = $1),
           'attempts', (select jsonb_agg(to_jsonb(a) order by claim_no) from opsroom.run_attempts a where run_id = $1),
           'items', (select jsonb_agg(to_jsonb(i) order by item_key) from opsroom.operation_run_items i where run_id = $1),
           'notifications', (select jsonb_agg(to_jsonb(n) order by id) from opsroom.notifications n where run_id = $1),
           'inventory', (select jsonb_agg(to_jsonb(v) order by external_id) from opsroom.inventory_items v))",
    )
    .bind(run)
    .fetch_one(&mut connected.world.owner().await.unwrap())
    .await
    .unwrap()
}

#[tokio::test]
async fn another_worker_takes_over_what_a_killed_one_held() {
    let connected = Connected::new().await;
    connected.slow();
    let mut first = connected.worker("first", &[]);
    let run = connected.start();
    connected.under_way(run).await;
    first.signal(Signal::KILL);
    assert!(!first.ended().await.success());
    assert!(
        connected.world.run(run).await.unwrap()["worker_id"].is_string(),
        "it died holding the run"
    );
    connected.weather("north", Faults::default());
    let _second = connected.worker("second", &[]);
    let row = connected.completed(run).await;
    assert_eq!(
        (&row["outcome"], &row["attempt"]),
        (&json!("succeeded"), &json!(2))
    );
    assert_eq!(connected.attempts(run).await, ["lost", "succeeded"]);
    connected.nothing_is_claimed().await;
}

#[tokio::test]
async fn without_an_attempt_left_the_run_of_a_killed_worker_is_failed() {
    let connected = Connected::new().await;
    connected.slow();
    let mut first = connected.worker("first", &[]);
    let run = connected.start();
    connected.under_way(run).await;
    sqlx::query("update opsroom.operation_runs set max_attempts = 1")
        .execute(&mut connected.world.owner().await.unwrap())
        .await
        .unwrap();
    first.signal(Signal::KILL);
    first.ended().await;
    let _second = connected.worker("second", &[]);
    let row = connected.completed(run).await;
    assert_eq!(row["outcome"], "failed");
    assert_eq!(row["failure_summary"][0]["code"], "worker.lost");
    assert!(
        !row["failure_summary"][0]["message"]
            .as_str()
            .unwrap()
            .is_empty()
    );
    connected.nothing_is_claimed().await;
    let told: Vec<String> =
        sqlx::query_scalar("select kind from opsroom.notifications where run_id = $1 order by id")
            .bind(run)
            .fetch_all(&mut connected.world.owner().await.unwrap())
            .await
            .unwrap();
    assert_eq!(told, ["queued", "failed"], "the initiator hears of it");
}

#[tokio::test]
async fn what_a_stopped_worker_still_writes_changes_nothing() {
    let connected = Connected::new().await;
    connected.slow();
    let first = connected.worker("first", &[]);
    let run = connected.start();
    connected.under_way(run).await;
    first.signal(Signal::STOP);
    let _second = connected.worker("second", &[]);
    connected
        .until(run, "is taken over", |row| row["attempt"] == 2)
        .await;
    connected.weather("north", Faults::default());
    let row = connected.completed(run).await;
    assert_eq!(row["outcome"], "succeeded");
    let before = everything(&connected, run).await;

    first.signal(Signal::CONT);
    let back = eventually(
        SOON,
        "the first worker is back under a new id",
        async || connected.lives("first").await == 2,
    );
    assert!(back.await.is_ok(), "{}", first.log());
    // Its former life is over, with all it had to say.
    let log = first.log();
    assert!(log.contains("under a new id"), "{log}");
    assert_eq!(everything(&connected, run).await, before);
    assert_eq!(connected.attempts(run).await, ["lost", "succeeded"]);
    connected.nothing_is_claimed().await;
}

#[tokio::test]
async fn told_to_stop_it_finishes_first() {
    let connected = Connected::new().await;
    connected.slow();
    let mut worker = connected.worker("first", &["--drain-timeout", "20s"]);
    let run = connected.start();
    connected.under_way(run).await;
    worker.signal(Signal::TERM);
    let status = worker.ended().await;
    assert_eq!(status.code(), Some(0), "{}", worker.log());
    let row = connected.world.run(run).await.unwrap();
    assert_eq!(
        (&row["outcome"], &row["attempt"]),
        (&json!("succeeded"), &json!(1))
    );
    connected.nothing_is_claimed().await;
}

#[tokio::test]
async fn a_log_that_nobody_takes_any_more_stops_nothing() {
    let connected = Connected::new().await;
    connected.slow();
    let command = connected.command("first", &["--drain-timeout", "20s"]);
    let mut worker = Running::start_unheard(command);
    let run = connected.start();
    connected.under_way(run).await;
    worker.signal(Signal::TERM);
    assert_eq!(worker.ended().await.code(), Some(0));
    let row = connected.world.run(run).await.unwrap();
    assert_eq!(row["outcome"], "succeeded");
    connected.nothing_is_claimed().await;
}

#[tokio::test]
async fn what_it_cannot_finish_it_gives_back() {
    let connected = Connected::new().await;
    connected.slow();
    let mut first = connected.worker("first", &["--drain-timeout", "100ms"]);
    let run = connected.start();
    connected.under_way(run).await;
    first.signal(Signal::TERM);
    assert_eq!(first.ended().await.code(), Some(0), "{}", first.log());
    let row = connected.world.run(run).await.unwrap();
    assert_eq!(
        (&row["status"], row["worker_id"].is_null(), &row["attempt"]),
        (&json!("running"), true, &json!(0))
    );
    connected.weather("north", Faults::default());
    let _second = connected.worker("second", &[]);
    let row = connected.completed(run).await;
    assert_eq!(
        (&row["outcome"], &row["attempt"]),
        (&json!("succeeded"), &json!(1))
    );
    assert_eq!(connected.attempts(run).await, ["released", "succeeded"]);
}

#[tokio::test]
async fn told_twice_it_leaves_at_once() {
    let connected = Connected::new().await;
    connected.slow();
    let mut first = connected.worker("first", &["--drain-timeout", "60s"]);
    let run = connected.start();
    connected.under_way(run).await;
    first.signal(Signal::TERM);
    let heard = eventually(SOON, "it drains", async || first.log().contains("draining"));
    heard.await.unwrap();
    first.signal(Signal::INT);
    assert_eq!(first.ended().await.code(), Some(130), "{}", first.log());
    connected.weather("north", Faults::default());
    let _second = connected.worker("second", &[]);
    assert_eq!(connected.completed(run).await["outcome"], "succeeded");
}
