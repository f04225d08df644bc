//! Many readers as different logins through one pgbouncer in transaction mode: each sees its own.

use crate::world::{World, ids, reader_at};
use opsroom_model::RunId;
use opsroom_model::query::parse;
use opsroom_read::{Lookup, Reader};
use opsroom_testkit::Pooler;

/// Fewer than readers, so that they have to take turns.
const CONNECTIONS: u16 = 2;
const READERS_OF_EACH: usize = 5;
const ROUNDS: usize = 25;

async fn ask(mut reader: Reader, expected: Vec<i64>, strange: Option<RunId>) {
    for round in 0..ROUNDS {
        assert_eq!(ids(&mut reader, "").await, expected, "round {round}");
        let run = RunId(expected[round % expected.len()]);
        assert_ne!(reader.run(run).await.unwrap(), Lookup::NotFound);
        if let Some(strange) = strange {
            assert_eq!(reader.run(strange).await.unwrap(), Lookup::NotFound);
        }
        reader.headline(&parse("").unwrap()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_share_connections_never_see_each_others_rows() {
    let world = World::new().await;
    world.database.harden().await.unwrap();
    let pooler = Pooler::before(&world.database, &[&world.oncall, &world.dev], CONNECTIONS)
        .await
        .unwrap();
    let all = ids(&mut world.oncall().await, "").await;
    let own = ids(&mut world.reader(&world.dev).await, "").await;
    assert!(!own.is_empty() && own.len() < all.len());
    let strange = RunId(*all.iter().find(|id| !own.contains(id)).unwrap());
    let mut asking = Vec::new();
    for _ in 0..READERS_OF_EACH {
        for (login, expected, strange) in [
            (&world.oncall, &all, None),
            (&world.dev, &own, Some(strange)),
        ] {
            let reader = reader_at(&pooler.url(&world.database, login)).await;
            asking.push(tokio::spawn(ask(reader, expected.clone(), strange)));
        }
    }
    for one in asking {
        one.await.unwrap();
    }
    let mut owner = world.database.connect().await.unwrap();
    let connections: Vec<i64> = sqlx::query_scalar(
        "select count(*) from pg_stat_activity where datname = current_database() and usename = any ($1) group by usename",
    )
    .bind(vec![world.oncall.clone(), world.dev.clone()])
    .fetch_all(&mut owner)
    .await
    .unwrap();
    assert_eq!(
        connections.len(),
        2,
        "each login has connections of its own"
    );
    assert!(
        connections.iter().all(|n| *n <= i64::from(CONNECTIONS)),
        "{connections:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_call_runs_under_holds_through_a_pooler() {
    let world = World::new().await;
    let pooler = Pooler::before(&world.database, &[&world.oncall], 1)
        .await
        .unwrap();
    let url = pooler.url(&world.database, &world.oncall);
    let mut reader = reader_at(&url).await;
    // A lock that is held makes the reader wait for it, and no longer than a second.
    let mut owner = world.database.connect().await.unwrap();
    sqlx::raw_sql("begin; lock table opsroom.operation_runs")
        .execute(&mut owner)
        .await
        .unwrap();
    let refused = reader.run(RunId(1)).await.unwrap_err();
    assert!(refused.to_string().contains("55P03"), "{refused}");
    sqlx::raw_sql("rollback").execute(&mut owner).await.unwrap();
    // Nothing of it stays behind on the connection that is shared.
    let mut other = reader_at(&url).await;
    assert!(!ids(&mut other, "").await.is_empty());
    assert!(!ids(&mut reader, "").await.is_empty());
    assert!(reader.checkup().await.unwrap().read_only);
}
