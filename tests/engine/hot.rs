//! What is written often must stay cheap: heartbeats and progress touch no index (HOT), and none is
//! made that would change that.

use crate::scripted::{SOON, Scripted, TYPE, Working, completed, options};
use opsroom_testkit::{World, eventually};
use serde_json::json;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// Writes of each kind.
const WRITES: i64 = 150;

/// Waits until every transaction of the server that runs now has ended: until then nobody may remove what
/// they could still see, and every test has transactions. A worker writes a row once in seconds.
async fn settled(pool: &PgPool) {
    let now: i64 =
        sqlx::query_scalar("select pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
            .fetch_one(pool)
            .await
            .unwrap();
    let ended = async {
        let query = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= $1";
        while !sqlx::query_scalar::<_, bool>(query)
            .bind(now)
            .fetch_one(pool)
            .await
            .unwrap()
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, ended).await.unwrap();
}

/// Updates so far, and how many of them were HOT.
async fn updates(owner: &mut PgConnection, table: &str) -> (i64, i64) {
    sqlx::query_as(
        "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where schemaname = 'opsroom' and relname = $1",
    )
    .bind(table)
    .fetch_one(owner)
    .await
    .unwrap()
}

async fn mostly_hot(world: &World, table: &str, at_least: i64) {
    let mut owner = world.owner().await.unwrap();
    let mut seen = (0, 0);
    let reported = eventually(SOON, "the updates are in the statistics", async || {
        seen = updates(&mut owner, table).await;
        seen.0 >= at_least
    });
    reported.await.unwrap();
    let share = seen.1 as f64 / seen.0 as f64;
    assert!(
        share >= 0.95,
        "{table}: {} of {} updates were HOT",
        seen.1,
        seen.0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_touches_no_index() {
    let world = World::new().await.unwrap();
    // Among rows of others, as in a table that is in use.
    sqlx::query(
        "insert into opsroom.operation_runs (tenant_id, type, initiator_name, run_identity_hash, status, outcome, created_at, started_at, completed_at)
         select $1, 'crm.sync', 'System', encode(sha256(n::text::bytea), 'hex'), 'completed', 'succeeded', now(), now(), now()
           from generate_series(1, 3000) n",
    )
    .bind(world.north)
    .execute(&mut world.owner().await.unwrap())
    .await
    .unwrap();
    let looking = world.pool(&world.worker, 1).unwrap();
    let operation = Scripted::new(move |run, _| {
        let looking = looking.clone();
        Box::pin(async move {
            run.start_over(WRITES.unsigned_abs());
            for n in 0..WRITES {
                if n % 3 == 0 {
                    settled(&looking).await;
                }
                run.succeeded(1);
                run.checkpoint().await?.commit().await?;
            }
            Ok(())
        })
    });
    let mut runs = Vec::new();
    for n in 0..4 {
        runs.push(
            world
                .queued(world.north, TYPE, &json!({ "n": n }))
                .await
                .unwrap(),
        );
    }
    let working = Working::start(
        world.pool(&world.worker, 8).unwrap(),
        operation.registry(),
        options("one"),
    );
    for run in runs {
        completed(&world, run).await;
    }
    working.end().await;
    mostly_hot(&world, "operation_runs", 4 * WRITES).await;
}

#[tokio::test]
async fn heartbeats_touch_no_index() {
    let world = World::new().await.unwrap();
    let mut worker = world.connect(&world.worker).await.unwrap();
    let ids: Vec<Uuid> = (0..20).map(|_| Uuid::new_v4()).collect();
    sqlx::query("insert into opsroom.workers (id, name, pid, version, types, slots, lease) select id, 'w', 1, '0', '{}', 1, '30 s' from unnest($1) id")
        .bind(&ids)
        .execute(&mut worker)
        .await
        .unwrap();
    let looking = world.pool(&world.worker, 1).unwrap();
    for _ in 0..WRITES / 5 {
        settled(&looking).await;
        for id in &ids {
            let alive: bool = sqlx::query_scalar("select opsroom.beat($1)")
                .bind(id)
                .fetch_one(&mut worker)
                .await
                .unwrap();
            assert!(alive);
        }
    }
    mostly_hot(&world, "workers", WRITES / 5 * 20).await;
}

#[tokio::test]
async fn no_index_holds_what_changes_with_every_beat_or_write() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let query = "select i.indexrelid::regclass::text
       from pg_index i join pg_class c on c.oid = i.indrelid and c.relnamespace = 'opsroom'::regnamespace
      where pg_get_indexdef(i.indexrelid) ~ '\\m(beat_at|lease|updated_at|ticked_at|summary_counts)\\M'";
    let found: Vec<String> = sqlx::query_scalar(query)
        .fetch_all(&mut owner)
        .await
        .unwrap();
    assert!(found.is_empty(), "{found:?}");
    sqlx::raw_sql(
        "create index forgotten on opsroom.operation_runs (tenant_id) include (updated_at)",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let found: Vec<String> = sqlx::query_scalar(query)
        .fetch_all(&mut owner)
        .await
        .unwrap();
    assert_eq!(found, ["opsroom.forgotten"], "the test finds one");
}
