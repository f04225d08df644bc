//! Item results: written with the checkpoints, counted once, and of the attempt that counts.

use crate::scripted::{Scripted, execute};
use opsroom_engine::JobError;
use opsroom_engine::run::ItemStatus;
use opsroom_model::FailureKind;
use opsroom_testkit::World;
use serde_json::{Value, json};

fn gone() -> FailureKind {
    FailureKind::Graph {
        code: "graph.not_found",
        status: Some(404),
    }
}

async fn items(world: &World, run: &Value) -> Vec<(String, String, String, Option<String>)> {
    sqlx::query_as("select item_key, label, status, code from opsroom.operation_run_items where run_id = $1 order by item_key")
        .bind(run["id"].as_i64())
        .fetch_all(&mut world.owner().await.unwrap())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_are_stored_with_their_codes_and_counted_once() {
    let world = World::new().await.unwrap();
    let row = execute(
        &world,
        Scripted::new(|run, _| {
            Box::pin(async move {
                run.start_over(3);
                for _ in 0..2 {
                    run.item("a", "Alpha", ItemStatus::Succeeded);
                    run.item("b", "Mail eve@contoso.example", ItemStatus::Failed(gone()));
                    // What was written is known still.
                    run.checkpoint().await?.commit().await?;
                }
                run.item("c", "Gamma", ItemStatus::Skipped);
                Ok(())
            })
        }),
    )
    .await;
    assert_eq!(
        row["summary_counts"],
        json!({"total": 3, "success": 1, "failed": 1, "skipped": 1})
    );
    assert_eq!(row["outcome"], "partially_succeeded");
    let item = |key: &str, label: &str, status: &str, code: Option<&str>| {
        (
            key.into(),
            label.into(),
            status.into(),
            code.map(Into::into),
        )
    };
    assert_eq!(
        items(&world, &row).await,
        [
            item("a", "Alpha", "succeeded", None),
            item("b", "[withheld]", "failed", Some("graph.not_found")),
            item("c", "Gamma", "skipped", None),
        ]
    );
    let codes: Vec<(String, i64)> =
        sqlx::query_as("select code, n from opsroom.run_failures where run_id = $1")
            .bind(row["id"].as_i64())
            .fetch_all(&mut world.owner().await.unwrap())
            .await
            .unwrap();
    assert_eq!(codes, [("graph.not_found".to_owned(), 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_that_is_rolled_back_loses_no_item() {
    let world = World::new().await.unwrap();
    let row = execute(
        &world,
        Scripted::new(|run, _| {
            Box::pin(async move {
                run.item("a", "Alpha", ItemStatus::Succeeded);
                drop(run.checkpoint().await?);
                Ok(())
            })
        }),
    )
    .await;
    assert_eq!(row["summary_counts"]["success"], 1);
    assert_eq!(items(&world, &row).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_that_starts_over_leaves_nothing_of_the_one_before() {
    let world = World::new().await.unwrap();
    let row = execute(
        &world,
        Scripted::new(|run, _| {
            Box::pin(async move {
                run.start_over(2);
                if run.attempt().number == 1 {
                    run.item("a", "Alpha", ItemStatus::Failed(gone()));
                    run.checkpoint().await?.commit().await?;
                    return Err(JobError::Retryable {
                        kind: gone(),
                        after: None,
                    });
                }
                run.succeeded(2);
                Ok(())
            })
        }),
    )
    .await;
    assert_eq!(row["outcome"], "succeeded");
    assert_eq!(
        items(&world, &row).await,
        [],
        "nothing failed in a run that succeeded"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_that_resumes_goes_on_counting() {
    let world = World::new().await.unwrap();
    let row = execute(
        &world,
        Scripted::new(|run, _| {
            Box::pin(async move {
                if run.attempt().number == 1 {
                    run.start_over(2);
                    run.item("a", "Alpha", ItemStatus::Succeeded);
                    run.checkpoint().await?.commit().await?;
                    return Err(JobError::Retryable {
                        kind: gone(),
                        after: None,
                    });
                }
                run.resume();
                run.item("b", "Beta", ItemStatus::Succeeded);
                Ok(())
            })
        }),
    )
    .await;
    assert_eq!(
        row["summary_counts"],
        json!({"total": 2, "success": 2, "failed": 0, "skipped": 0})
    );
    assert_eq!(items(&world, &row).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_the_database_would_refuse_do_not_keep_a_run_from_ending() {
    let world = World::new().await.unwrap();
    let row = execute(
        &world,
        Scripted::new(|run, _| {
            Box::pin(async move {
                run.item("", "", ItemStatus::Succeeded);
                run.item("nul\0and\u{1b}[2J", "nul\0", ItemStatus::Succeeded);
                Ok(())
            })
        }),
    )
    .await;
    assert_eq!(row["outcome"], "succeeded");
    let items = items(&world, &row).await;
    assert_eq!(items.len(), 2);
    assert!(
        items
            .iter()
            .all(|(key, label, ..)| !format!("{key}{label}").chars().any(char::is_control)),
        "{items:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ending_that_the_database_refuses_still_ends_the_run() {
    let world = World::new().await.unwrap();
    // What no code can foresee: a check that the program does not know.
    let check = "alter table opsroom.operation_run_items add check (label <> 'unforeseen')";
    sqlx::raw_sql(check)
        .execute(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    let row = execute(
        &world,
        Scripted::new(|run, _| {
            Box::pin(async move {
                run.item("a", "unforeseen", ItemStatus::Succeeded);
                Ok(())
            })
        }),
    )
    .await;
    assert_eq!(row["outcome"], "failed");
    assert_eq!(row["failure_summary"][0]["code"], "database.unavailable");
}
