//! One run: found, forbidden, not there.

use crate::world::World;
use opsroom_model::{Bucket, RunId};
use opsroom_read::Lookup;

#[tokio::test]
async fn a_run_is_found_with_everything_it_has() {
    let world = World::new().await;
    let mut reader = world.oncall().await;
    let Lookup::Found(run) = reader.run(RunId(3)).await.unwrap() else {
        panic!("not found");
    };
    assert_eq!(run.state.bucket(), Bucket::Partial);
    assert_eq!(run.tenant.as_str(), "fabrikam");
    let codes: Vec<_> = run
        .failures
        .iter()
        .map(|failure| failure.code.as_str())
        .collect();
    assert_eq!(codes, ["graph.conflict", "graph.timeout"]);
    assert_eq!(run.context, Some(serde_json::json!({"scope": "full"})));
    assert_eq!(
        (run.completed_at.unwrap() - run.started_at.unwrap()).num_seconds(),
        3
    );
}

#[tokio::test]
async fn without_the_capability_it_is_forbidden_and_without_membership_not_there() {
    let world = World::new().await;
    let mut dev = world.reader(&world.dev).await;
    assert!(matches!(dev.run(RunId(1)).await.unwrap(), Lookup::Found(_)));
    let forbidden = dev.run(RunId(11)).await.unwrap();
    assert!(
        matches!(&forbidden, Lookup::Forbidden { capability } if capability.as_str() == "restore.execute")
    );
    assert_eq!(dev.run(RunId(3)).await.unwrap(), Lookup::NotFound);
    assert_eq!(dev.run(RunId(999_999)).await.unwrap(), Lookup::NotFound);
    assert!(dev.items(RunId(3), "", 10).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn items_come_in_pages() {
    let world = World::new().await;
    let mut reader = world.oncall().await;
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let page = reader.items(RunId(3), &after, 3).await.unwrap();
        seen.extend(page.items.iter().map(|item| item.key.to_string()));
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    let all: Vec<_> = (1..=7).map(|n| format!("k{n:03}")).collect();
    assert_eq!(seen, all);
}
