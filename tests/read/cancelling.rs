//! A call that is dropped in its middle, and a server that goes away.

use crate::world::{World, ids};
use opsroom_model::query::Query;
use opsroom_read::{PageRequest, ReadError, ReadOptions, Reader};
use opsroom_testkit::{Mode, Proxy, eventually};
use std::time::Duration;

#[tokio::test]
async fn a_dropped_call_costs_its_connection_and_nothing_else() {
    let world = World::new().await;
    let proxy = Proxy::to_postgres(world.database.server().connection())
        .await
        .unwrap();
    let url = proxy.url(world.database.name(), &world.oncall);
    let mut reader = Reader::connect(ReadOptions::new(Some(&url)).unwrap())
        .await
        .unwrap();
    ids(&mut reader, "").await;
    proxy.set(Mode::Stall);
    let request = PageRequest {
        query: Query::default(),
        limit: 10,
        before: None,
    };
    let given_up =
        tokio::time::timeout(Duration::from_millis(50), reader.page(&request, &[])).await;
    assert!(given_up.is_err(), "a stalled server answered");
    proxy.set(Mode::Pass);
    assert_eq!(ids(&mut reader, "is:running").await, [7]);
}

#[tokio::test]
async fn a_query_nobody_waits_for_ends_on_the_server() {
    let world = World::new().await;
    let slow = "create or replace function opsroom.sees_all() returns boolean language plpgsql as \
                $$ begin perform pg_sleep(60); return true; end $$";
    world.database.script(slow).await.unwrap();
    let mut reader = world.oncall().await;
    let busy = async || {
        world
            .database
            .number("select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'")
            .await
            .unwrap()
    };
    let seen = eventually(Duration::from_secs(5), "the query runs", async || {
        busy().await == 1
    });
    tokio::select! {
        answer = reader.directory() => panic!("{answer:?}"),
        seen = seen => seen.unwrap(),
    }
    // Well before the statement timeout would end it.
    eventually(Duration::from_secs(4), "the query is gone", async || {
        busy().await == 0
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_server_that_goes_away_is_unreachable_and_comes_back() {
    let world = World::new().await;
    let proxy = Proxy::to_postgres(world.database.server().connection())
        .await
        .unwrap();
    let url = proxy.url(world.database.name(), &world.oncall);
    let mut reader = Reader::connect(ReadOptions::new(Some(&url)).unwrap())
        .await
        .unwrap();
    proxy.set(Mode::Cut);
    let request = PageRequest {
        query: Query::default(),
        limit: 10,
        before: None,
    };
    for _ in 0..2 {
        let error = reader.page(&request, &[]).await.unwrap_err();
        assert!(matches!(error, ReadError::Unreachable { .. }), "{error}");
        assert!(error.is_passing());
    }
    proxy.set(Mode::Pass);
    eventually(
        Duration::from_secs(10),
        "the reader answers again",
        async || reader.page(&request, &[]).await.is_ok(),
    )
    .await
    .unwrap();
}
