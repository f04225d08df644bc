//! Everything the console reads is there on a hardened database.

use crate::world::{World, ids, page};
use opsroom_model::query::parse;
use opsroom_read::Encryption;

#[tokio::test]
async fn every_question_is_answered_as_before() {
    let world = World::new().await;
    let before = ids(&mut world.oncall().await, "").await;
    assert!(!before.is_empty());
    world.database.harden().await.unwrap();
    let mut reader = world.oncall().await;
    assert_eq!(ids(&mut reader, "").await, before);
    let checkup = reader.checkup().await.unwrap();
    assert_eq!(checkup.encryption, Encryption::Socket);
    reader.headline(&parse("").unwrap()).await.unwrap();
    reader.schedules().await.unwrap();
    for row in page(&mut reader, "").await.rows {
        reader.run(row.id).await.unwrap();
        reader.items(row.id, "", 10).await.unwrap();
        reader.attempts(row.id).await.unwrap();
    }
}
