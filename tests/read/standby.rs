//! A hot standby answers everything as the primary does.

use crate::world::{World, ids, page};
use opsroom_model::RunId;
use opsroom_model::query::parse;
use opsroom_read::Lookup;

#[tokio::test]
async fn every_question_is_answered_as_on_the_primary() {
    let world = World::replicated().await;
    world.database.harden().await.unwrap();
    let mut primary = world.oncall().await;
    let mut standby = world.standby(&world.oncall).await;
    for query in [
        "",
        "is:failed",
        "tenant:contoso",
        "type:inventory.sync code:graph.throttled",
        "alice",
    ] {
        let here = ids(&mut primary, query).await;
        assert_eq!(ids(&mut standby, query).await, here, "{query}");
    }
    let everything = parse("").unwrap();
    let here = primary.headline(&everything).await.unwrap();
    let there = standby.headline(&everything).await.unwrap();
    assert_eq!(here.stuck, there.stuck);
    for row in page(&mut primary, "").await.rows {
        assert_eq!(
            primary.run(row.id).await.unwrap(),
            standby.run(row.id).await.unwrap()
        );
        assert_eq!(
            primary.items(row.id, "", 10).await.unwrap(),
            standby.items(row.id, "", 10).await.unwrap()
        );
        assert_eq!(
            primary.attempts(row.id).await.unwrap(),
            standby.attempts(row.id).await.unwrap()
        );
    }
    assert!(!primary.checkup().await.unwrap().standby);
    let checkup = standby.checkup().await.unwrap();
    assert!(checkup.standby && checkup.read_only);
}

#[tokio::test]
async fn a_stranger_is_a_stranger_on_the_standby_too() {
    let world = World::replicated().await;
    let mut reader = world.standby(&world.dev).await;
    assert_eq!(
        ids(&mut reader, "").await,
        ids(&mut world.reader(&world.dev).await, "").await
    );
    assert_eq!(reader.run(RunId(3)).await.unwrap(), Lookup::NotFound);
    assert_eq!(reader.run(RunId(987_654)).await.unwrap(), Lookup::NotFound);
    assert!(matches!(
        reader.run(RunId(11)).await.unwrap(),
        Lookup::Forbidden { .. }
    ));
}
