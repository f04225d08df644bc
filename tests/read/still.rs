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

#[tokio::test]
async fn what_did_not_change_is_not_listed_again() {
    let world = World::new().await;
    // Succeeded and older than another of its tenant: nothing has it watched.
    world
        .database
        .script(
            "insert into opsroom.operation_runs (id, tenant_id, initiator_name, type, run_identity_hash, status, outcome, created_at)
             values (50, 1, 'System', 'inventory.sync', repeat('5', 64), 'completed', 'succeeded', now() - interval '9 h')",
        )
        .await
        .unwrap();
    let mut reader = world.reader(&world.dev).await;
    let mut held = poll(&mut reader, &[]).await;
    held = poll(&mut reader, &held).await;
    // Behind the triggers' back, so that only a list could tell; and a tenant of somebody else.
    world
        .database
        .script(
            "begin; set local session_replication_role = replica;
             update opsroom.operation_runs set attempt = 9, updated_at = now() where id = 50; commit;
             update opsroom.operation_runs set status = 'running' where id = 6",
        )
        .await
        .unwrap();
    for _ in 0..3 {
        let again = poll(&mut reader, &held).await;
        assert!(again.iter().zip(&held).all(|(a, b)| Arc::ptr_eq(a, b)));
        assert_eq!(again.len(), held.len());
        held = again;
    }
    // Something of its own changes: all of it is listed.
    world
        .database
        .script("update opsroom.operation_runs set status = 'running' where id = 10")
        .await
        .unwrap();
    let listed = poll(&mut reader, &held).await;
    let attempt = |rows: &Rows| rows.iter().find(|row| row.id.0 == 50).unwrap().attempt;
    assert_eq!((attempt(&held), attempt(&listed)), (0, 9));
}

#[tokio::test]
async fn a_membership_that_ends_empties_the_page_at_the_next_poll() {
    let world = World::new().await;
    let mut reader = world.reader(&world.dev).await;
    let mut held = poll(&mut reader, &[]).await;
    for _ in 0..2 {
        held = poll(&mut reader, &held).await;
    }
    assert!(!held.is_empty());
    world
        .database
        .script("delete from opsroom.tenant_members")
        .await
        .unwrap();
    assert_eq!(poll(&mut reader, &held).await, Rows::new());
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

#[tokio::test]
async fn a_redacted_code_leaves_the_page_at_the_next_poll() {
    let world = World::new().await;
    let mut reader = world.reader(&world.dev).await;
    let mut held = poll(&mut reader, &[]).await;
    for _ in 0..2 {
        held = poll(&mut reader, &held).await;
    }
    // Not the first of its tenant, so that nothing but its code has it watched.
    let shown = |rows: &Rows| rows.iter().filter(|row| row.code.is_some()).count();
    let coded = held
        .iter()
        .rev()
        .find(|row| row.code.is_some() && !row.state.is_active());
    let redact = format!("select opsroom.redact_run({})", coded.unwrap().id);
    world.database.script(&redact).await.unwrap();
    assert_eq!(shown(&poll(&mut reader, &held).await), shown(&held) - 1);
}

#[tokio::test]
async fn what_moves_with_time_is_listed_at_every_poll() {
    let world = World::new().await;
    let mut reader = world.reader(&world.dev).await;
    let request = PageRequest {
        query: parse("took:>1ms").unwrap(),
        limit: 100,
        before: None,
    };
    let held = reader.page(&request, &[]).await.unwrap().rows;
    let held = reader.page(&request, &held).await.unwrap().rows;
    world
        .database
        .script(
            "begin; set local session_replication_role = replica;
             update opsroom.operation_runs set started_at = null; commit",
        )
        .await
        .unwrap();
    assert!(!held.is_empty());
    assert_eq!(
        reader.page(&request, &held).await.unwrap().rows,
        Rows::new()
    );
}
