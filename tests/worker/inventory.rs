//! `inventory.sync` by a real worker: every policy by its own id and name, and counts that say so.

use crate::graph::Connected;
use opsroom_graph::simulator::{Faults, builtin};
use serde_json::json;
use std::collections::BTreeSet;

async fn stored(connected: &Connected) -> BTreeSet<(String, String, String)> {
    let query =
        "select family, external_id, name from opsroom.inventory_items where tenant_id = $1";
    let rows: Vec<(String, String, String)> = sqlx::query_as(query)
        .bind(connected.world.north)
        .fetch_all(&mut connected.world.owner().await.unwrap())
        .await
        .unwrap();
    rows.into_iter().collect()
}

#[tokio::test]
async fn every_policy_is_stored_by_its_own_id_and_name() {
    let connected = Connected::new().await;
    let _worker = connected.worker("one", &[]);
    let row = connected.completed(connected.start()).await;
    let policies = builtin::policies();
    assert!(policies.len() > 10);
    let expected: BTreeSet<_> = policies
        .iter()
        .map(|policy| {
            let summary = &policy.summary;
            (
                summary.family.key().to_owned(),
                summary.id.as_str().to_owned(),
                summary.name.clone(),
            )
        })
        .collect();
    assert_eq!(stored(&connected).await, expected);
    let all = policies.len();
    assert_eq!(row["outcome"], "succeeded");
    assert_eq!(
        row["summary_counts"],
        json!({"total": all, "success": all, "failed": 0, "skipped": 0})
    );

    // Again: observed anew, not stored twice.
    let again = connected.completed(connected.start()).await;
    assert_eq!(again["summary_counts"]["success"], all);
    assert_eq!(stored(&connected).await, expected);
}

#[tokio::test]
async fn what_cannot_be_read_is_an_item_that_failed() {
    let connected = Connected::new().await;
    connected.weather(
        "north",
        Faults::forbidden(opsroom_graph::PolicyFamily::ALL[0]),
    );
    let _worker = connected.worker("one", &[]);
    let run = connected.start();
    let row = connected.completed(run).await;
    assert_eq!(row["outcome"], "partially_succeeded");
    assert_eq!(row["failure_summary"][0]["code"], "graph.forbidden");
    let items: Vec<(String, String)> =
        sqlx::query_as("select item_key, code from opsroom.operation_run_items where run_id = $1")
            .bind(run)
            .fetch_all(&mut connected.world.owner().await.unwrap())
            .await
            .unwrap();
    assert_eq!(
        items,
        [(
            opsroom_graph::PolicyFamily::ALL[0].key().to_owned(),
            "graph.forbidden".to_owned()
        )]
    );
}

#[tokio::test]
async fn a_tenant_without_a_connection_fails_with_that_code() {
    let connected = Connected::new().await;
    sqlx::query("delete from opsroom.graph_connections")
        .execute(&mut connected.world.owner().await.unwrap())
        .await
        .unwrap();
    let _worker = connected.worker("one", &[]);
    let row = connected.completed(connected.start()).await;
    assert_eq!(row["failure_summary"][0]["code"], "tenant.not_connected");
}

#[tokio::test]
async fn a_policy_that_is_listed_twice_is_one_policy() {
    let connected = Connected::new().await;
    let mut policies = builtin::policies();
    let all = policies.len();
    policies.push(policies[0].clone());
    let guid = connected.guid("north");
    connected
        .simulator
        .change_policies(guid, |served| *served = policies)
        .unwrap();
    let _worker = connected.worker("one", &[]);
    let row = connected.completed(connected.start()).await;
    assert_eq!(row["outcome"], "succeeded", "{row:#}");
    assert_eq!(
        row["summary_counts"],
        json!({"total": all, "success": all, "failed": 0, "skipped": 0})
    );
}
