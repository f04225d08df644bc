//! Who gets which run: one worker each, everybody in turn, and from the dead to the living.

use crate::scripted::{SOON, Scripted, TYPE, Working, attempts, completed, options};
use opsroom_testkit::{World, eventually};
use serde_json::json;
use sqlx::{PgConnection, Row as _};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// A worker that exists in the table only.
async fn worker(connection: &mut PgConnection, name: &str) -> Uuid {
    let id = Uuid::new_v4();
    sqlx::query(
        "insert into opsroom.workers (id, name, pid, version, types, slots, lease) values ($1, $2, 1, '0', $3, 1, '10 s')",
    )
    .bind(id)
    .bind(name)
    .bind([TYPE])
    .execute(connection)
    .await
    .unwrap();
    id
}

async fn claim(connection: &mut PgConnection, worker: Uuid) -> Vec<i64> {
    sqlx::query("select run_id from opsroom.claim($1, 10, $2, 0)")
        .bind(worker)
        .bind([TYPE])
        .fetch_all(connection)
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect()
}

async fn declare_dead(connection: &mut PgConnection) -> Vec<Uuid> {
    sqlx::query_scalar("select declare_dead from opsroom.declare_dead()")
        .fetch_all(connection)
        .await
        .unwrap()
}

async fn lease_ran_out(world: &World, worker: Uuid) {
    sqlx::query("update opsroom.workers set beat_at = beat_at - interval '1 minute' where id = $1")
        .bind(worker)
        .execute(&mut world.owner().await.unwrap())
        .await
        .unwrap();
}

async fn release(connection: &mut PgConnection) -> Vec<(i64, bool)> {
    sqlx::query_as("select run_id, ended from opsroom.release_dead(100, 'lost')")
        .fetch_all(connection)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_run_is_executed_by_one_worker_once() {
    let world = World::new().await.unwrap();
    let executed = Arc::new(Mutex::new(BTreeMap::<i64, u32>::new()));
    let mut workers = Vec::new();
    for name in ["one", "two", "three"] {
        let executed = Arc::clone(&executed);
        let operation = Scripted::new(move |run, _| {
            *executed.lock().unwrap().entry(run.id().0).or_default() += 1;
            Box::pin(async { Ok(()) })
        });
        workers.push(Working::start(
            world.pool(&world.worker, 8).unwrap(),
            operation.registry(),
            options(name),
        ));
    }
    let mut runs = Vec::new();
    for n in 0..60 {
        let tenant = if n % 3 == 0 { world.south } else { world.north };
        runs.push(world.queued(tenant, TYPE, &json!({})).await.unwrap());
    }
    let mut owner = world.owner().await.unwrap();
    let done = eventually(SOON, "all runs end", async || {
        let query = "select count(*) from opsroom.operation_runs where status = 'completed'";
        sqlx::query_scalar::<_, i64>(query)
            .fetch_one(&mut owner)
            .await
            .unwrap()
            == 60
    });
    done.await.unwrap();
    for working in workers {
        working.end().await;
    }
    let executed = executed.lock().unwrap().clone();
    assert_eq!(executed, runs.into_iter().map(|run| (run, 1)).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_behind_many_lanes_of_others_is_found() {
    let world = World::new().await.unwrap();
    // More lanes than one claim looks at, all of them with nothing for this worker.
    sqlx::raw_sql(
        "insert into opsroom.tenants (workspace_id, name) select (select id from opsroom.workspaces), 'tenant ' || n from generate_series(1, 300) n;
         insert into opsroom.operation_runs (tenant_id, type, initiator_name, run_identity_hash, available_at)
         select id, 'other.type', 'System', repeat('a', 64), now() from opsroom.tenants;
         insert into opsroom.operation_runs (tenant_id, type, initiator_name, run_identity_hash, available_at)
         select id, 'test.scripted', 'System', repeat('b', 64), 'infinity' from opsroom.tenants",
    )
    .execute(&mut world.owner().await.unwrap())
    .await
    .unwrap();
    let last: i64 = sqlx::query_scalar("select max(id) from opsroom.tenants")
        .fetch_one(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    let run = world.queued(last, TYPE, &json!({})).await.unwrap();
    let operation = Scripted::new(|_, _| Box::pin(async { Ok(()) }));
    let working = Working::start(
        world.pool(&world.worker, 8).unwrap(),
        operation.registry(),
        options("one"),
    );
    completed(&world, run).await;
    working.end().await;
    let waiting: i64 =
        sqlx::query_scalar("select count(*) from opsroom.operation_runs where status = 'queued'")
            .fetch_one(&mut world.owner().await.unwrap())
            .await
            .unwrap();
    assert_eq!(
        waiting, 604,
        "what waits for a confirmation, or for another worker, is not touched"
    );
}

#[tokio::test]
async fn who_is_declared_dead_neither_beats_nor_claims_again() {
    let world = World::new().await.unwrap();
    let mut connection = world.connect(&world.worker).await.unwrap();
    let dead = worker(&mut connection, "dead").await;
    let alive = worker(&mut connection, "alive").await;
    lease_ran_out(&world, dead).await;
    assert_eq!(
        declare_dead(&mut connection).await,
        [dead],
        "only whose lease ran out"
    );
    assert!(declare_dead(&mut connection).await.is_empty(), "once");
    world.queued(world.north, TYPE, &json!({})).await.unwrap();
    for (id, lives) in [(dead, false), (alive, true)] {
        let beats: bool = sqlx::query_scalar("select opsroom.beat($1)")
            .bind(id)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(beats, lives);
        assert_eq!(claim(&mut connection, id).await.len(), usize::from(lives));
    }
}

#[tokio::test]
async fn what_a_dead_worker_held_is_taken_over_until_its_attempts_are_used_up() {
    let world = World::new().await.unwrap();
    let mut connection = world.connect(&world.worker).await.unwrap();
    let run = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    sqlx::query("update opsroom.operation_runs set max_attempts = 2")
        .execute(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    for attempt in 1..=2 {
        let holder = worker(&mut connection, "holder").await;
        assert_eq!(claim(&mut connection, holder).await, [run]);
        assert_eq!(release(&mut connection).await, [], "the living keep theirs");
        lease_ran_out(&world, holder).await;
        assert_eq!(release(&mut connection).await, [], "declared dead first");
        assert_eq!(declare_dead(&mut connection).await, [holder]);
        assert_eq!(release(&mut connection).await, [(run, attempt == 2)]);
        assert_eq!(release(&mut connection).await, [], "once");
        let row = world.run(run).await.unwrap();
        assert_eq!(row["attempt"], attempt);
        if attempt == 1 {
            assert_eq!(
                (&row["status"], row["worker_id"].is_null()),
                (&json!("running"), true),
                "never back to queued"
            );
        }
    }
    let row = world.run(run).await.unwrap();
    assert_eq!(
        (&row["status"], &row["outcome"]),
        (&json!("completed"), &json!("failed"))
    );
    assert_eq!(row["failure_summary"][0]["code"], "worker.lost");
    let lost = |attempt| (attempt, "lost".to_owned(), Some("worker.lost".to_owned()));
    assert_eq!(attempts(&world, &row).await, [lost(1), lost(2)]);
}

#[tokio::test]
async fn tenants_take_turns() {
    let world = World::new().await.unwrap();
    for _ in 0..20 {
        world.queued(world.north, TYPE, &json!({})).await.unwrap();
    }
    let small = world.queued(world.south, TYPE, &json!({})).await.unwrap();
    let mut connection = world.connect(&world.worker).await.unwrap();
    let holder = worker(&mut connection, "holder").await;
    let claimed: Vec<i64> = sqlx::query_scalar("select run_id from opsroom.claim($1, 2, $2, 0)")
        .bind(holder)
        .bind([TYPE])
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert!(
        claimed.contains(&small),
        "twenty of one tenant do not hold up the other's one"
    );
}
