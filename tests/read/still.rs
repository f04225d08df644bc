//! A page that is asked for again is not listed again where nothing changed, and is where anything did.

use crate::world::World;
use opsroom_model::query::parse;
use opsroom_read::{PageRequest, Reader, RunRow};
use sqlx::{Connection as _, PgConnection};
use std::sync::Arc;

type Rows = Vec<Arc<RunRow>>;

async fn poll(reader: &mut Reader, held: &[Arc<RunRow>]) -> Rows {
    let request = PageRequest {
        query: parse("").unwrap(),
        limit: 100,
        before: None,
    };
    reader.page(&request, held).await.unwrap().rows
}

/// How often the list was read since, by what was read of it: nothing else reads failures.
async fn listed(world: &World) -> i64 {
    let query = "select coalesce(idx_scan, 0) + coalesce(seq_scan, 0) from pg_stat_user_tables where relname = 'run_failures'";
    world.database.number(query).await.unwrap()
}

#[tokio::test]
async fn what_did_not_change_is_not_listed_again() {
    let world = World::new().await;
    let mut reader = world.reader(&world.dev).await;
    let mut held = poll(&mut reader, &[]).await;
    held = poll(&mut reader, &held).await;
    // Somebody else's tenant changes meanwhile, which is none of this login's business.
    world
        .database
        .script("update opsroom.operation_runs set status = 'running' where id = 6")
        .await
        .unwrap();
    for _ in 0..5 {
        let again = poll(&mut reader, &held).await;
        let same = again.iter().zip(&held).all(|(a, b)| Arc::ptr_eq(a, b));
        assert!(same && again.len() == held.len());
        held = again;
    }
    drop(reader);
    let mut owner = world.database.connect().await.unwrap();
    sqlx::raw_sql("select pg_stat_clear_snapshot()")
        .execute(&mut owner)
        .await
        .unwrap();
    let gone = format!(
        "select count(*) from pg_stat_activity where usename = '{}'",
        world.dev
    );
    let patience = std::time::Duration::from_secs(20);
    opsroom_testkit::eventually(patience, "the reader's session ends", async || {
        let open: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(gone.clone()))
            .fetch_one(&mut owner)
            .await
            .unwrap();
        open == 0
    })
    .await
    .unwrap();
    // Twice, for every row of four at most: not seven times.
    let read = listed(&world).await;
    assert!(read <= 2 * 4 + 4, "{read}");
}

#[tokio::test]
async fn everything_that_changes_is_seen_at_the_next_poll() {
    let world = World::new().await;
    let mut reader = world.oncall().await;
    let mut held = poll(&mut reader, &[]).await;
    for _ in 0..2 {
        held = poll(&mut reader, &held).await;
    }
    let url = world.database.superuser_url();
    let mut late = PgConnection::connect(&url).await.unwrap();
    let begun = "begin; insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash)
                 values (1, 'System', 'crm.export', repeat('a', 64))";
    sqlx::raw_sql(begun).execute(&mut late).await.unwrap();
    for change in [
        // Progress, a transition, an earlier run, a run that is committed late.
        "update opsroom.operation_runs set summary_counts = '{\"total\":5,\"success\":2}' where id = 7",
        "update opsroom.operation_runs set status = 'running' where id = 6",
        "update opsroom.operation_runs set status = 'completed', outcome = 'failed' where id = 7",
        "insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, created_at)
         values (4, 'System', 'crm.export', repeat('b', 64), now() - interval '100 d')",
        "commit",
    ] {
        if change == "commit" {
            sqlx::raw_sql(change).execute(&mut late).await.unwrap();
        } else {
            world.database.script(change).await.unwrap();
        }
        let fresh = poll(&mut world.oncall().await, &[]).await;
        assert_ne!(fresh, held, "{change}");
        held = poll(&mut reader, &held).await;
        assert_eq!(fresh, held, "{change}");
    }
}
