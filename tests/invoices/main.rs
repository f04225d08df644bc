//! The example application's tests, as its developer would write them: a database each, the real worker,
//! nothing of the engine mocked.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use invoices::{Post, PostClosed, SCHEMA, place_order, registry, send};
use opsroom_engine::{Confirmation, Registry, TenantId};
use opsroom_testkit::World;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// A post that is closed a number of times, then takes everything.
#[derive(Default)]
struct Box {
    closed: AtomicU32,
    taken: Mutex<Vec<i64>>,
}

impl Post for Box {
    fn send(&self, invoice: i64, _cents: i64) -> Result<(), PostClosed> {
        let open = self
            .closed
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if open.is_ok() {
            return Err(PostClosed);
        }
        self.taken.lock().unwrap().push(invoice);
        Ok(())
    }
}

async fn shop(closed: u32) -> (World, Arc<Box>, Registry) {
    let world = World::new().await.unwrap();
    world.database().script(SCHEMA).await.unwrap();
    let post = Arc::new(Box {
        closed: closed.into(),
        ..Box::default()
    });
    let registry = registry(Arc::clone(&post) as Arc<dyn Post>).unwrap();
    // As a worker does when it begins; a run takes its number of attempts from there.
    let mut owner = world.owner().await.unwrap();
    registry.publish(&mut owner).await.unwrap();
    (world, post, registry)
}

async fn owner(world: &World) -> sqlx::PgPool {
    let url = world.database().superuser_url();
    sqlx::PgPool::connect(&url).await.unwrap()
}

async fn sent(world: &World) -> i64 {
    let sent = "select count(*) from shop.invoices where sent_at is not null";
    world.database().number(sent).await.unwrap()
}

fn codes(row: &Value) -> Vec<&str> {
    let failures = row["failure_summary"].as_array();
    failures
        .into_iter()
        .flatten()
        .filter_map(|failure| failure["code"].as_str())
        .collect()
}

#[tokio::test]
async fn an_order_is_a_run_and_the_run_sends_the_invoice() {
    let (world, post, registry) = shop(0).await;
    let owner = owner(&world).await;
    let placed = place_order(&owner, &registry, TenantId(world.north), 7, 995)
        .await
        .unwrap();
    assert!(matches!(placed, Confirmation::Created(_)));
    let row = world.complete(&registry, placed.run().0).await.unwrap();
    assert_eq!(row["outcome"], "succeeded", "{row:#}");
    assert_eq!(row["summary_counts"]["success"], json!(1));
    assert_eq!(
        (sent(&world).await, post.taken.lock().unwrap().len()),
        (1, 1)
    );
}

#[tokio::test]
async fn an_order_that_is_rolled_back_leaves_neither_invoice_nor_run() {
    let (world, _, registry) = shop(0).await;
    let owner = owner(&world).await;
    let mut transaction = owner.begin().await.unwrap();
    let tenant = TenantId(world.north);
    send(&mut transaction, &registry, tenant, 1).await.unwrap();
    transaction.rollback().await.unwrap();
    let runs = "select count(*) from opsroom.operation_runs";
    assert_eq!(world.database().number(runs).await.unwrap(), 0);
}

#[tokio::test]
async fn asked_for_twice_it_is_one_run_and_sent_already_it_is_skipped() {
    let (world, post, registry) = shop(0).await;
    let owner = owner(&world).await;
    let tenant = TenantId(world.north);
    let placed = place_order(&owner, &registry, tenant, 7, 995)
        .await
        .unwrap();
    let mut connection = owner.acquire().await.unwrap();
    let again = send(&mut connection, &registry, tenant, 1).await.unwrap();
    assert_eq!(again, Confirmation::Reused(placed.run()));
    world.complete(&registry, placed.run().0).await.unwrap();
    let late = send(&mut connection, &registry, tenant, 1).await.unwrap();
    let row = world.complete(&registry, late.run().0).await.unwrap();
    assert_eq!(row["summary_counts"]["skipped"], json!(1));
    assert_eq!(post.taken.lock().unwrap().len(), 1, "sent once");
}

#[tokio::test]
async fn a_closed_post_is_tried_again_and_named_by_its_code_while_it_is_closed() {
    let (world, post, registry) = shop(1).await;
    let owner = owner(&world).await;
    let placed = place_order(&owner, &registry, TenantId(world.north), 7, 995)
        .await
        .unwrap();
    let row = world.complete(&registry, placed.run().0).await.unwrap();
    assert_eq!(
        (&row["outcome"], &row["attempt"]),
        (&json!("succeeded"), &json!(2))
    );
    assert_eq!(codes(&row), Vec::<&str>::new());
    let first: Value = sqlx::query_scalar(
        "select failure_summary from opsroom.run_attempts order by claim_no limit 1",
    )
    .fetch_one(&owner)
    .await
    .unwrap();
    assert_eq!(first[0]["code"], "post.closed");
    assert_eq!(post.taken.lock().unwrap().len(), 1);
}
