//! Notifications: one's own, newest first, bounded; nobody else's, and none of tenants out of reach.

use crate::world::World;

/// Users 1 and 2 start a run each in two tenants; Dev (2) reaches the first tenant alone.
const STARTS: &str = r#"
insert into opsroom.operation_runs (tenant_id, user_id, initiator_name, type, run_identity_hash, context)
select t, u, 'x', 'inventory.sync', encode(sha256((u || '/' || t)::bytea), 'hex'), '{}'
  from generate_series(1, 2) t cross join generate_series(1, 2) u;
update opsroom.operation_runs set status = 'running', started_at = now() where user_id = 2 and status = 'queued' and tenant_id = 1;
update opsroom.operation_runs set status = 'completed', outcome = 'failed', completed_at = now(),
       failure_summary = '[{"code":"graph.throttled","count":3}]' where user_id = 2 and status = 'running' and tenant_id = 1;
"#;

#[tokio::test]
async fn each_reads_what_is_theirs() {
    let world = World::new().await;
    let mut dev = world.reader(&world.dev).await;
    let before = dev.notifications().await.unwrap();
    assert!(before.has_user && !before.more);
    world.database.script(STARTS).await.unwrap();
    let after = dev.notifications().await.unwrap();
    let fresh = &after.rows[..after.rows.len() - before.rows.len()];
    let said: Vec<_> = fresh
        .iter()
        .map(|one| {
            format!(
                "{} {} {:?}",
                one.kind,
                one.tenant,
                one.code.as_ref().map(|code| code.as_str())
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            "failed contoso Some(\"graph.throttled\")",
            "queued contoso None"
        ]
    );
    assert!(fresh[0].id > fresh[1].id && fresh[0].run == fresh[1].run);
    let others = world.oncall().await.notifications().await.unwrap();
    assert!(others.rows.iter().all(|one| !fresh.contains(one)));
}

#[tokio::test]
async fn five_hundred_at_most_in_the_order_of_an_index() {
    let world = World::new().await;
    let many = "insert into opsroom.notifications (tenant_id, user_id, run_id, kind, run_type, created_at) \
                select 1, 2, 1000000 + n, 'queued', 'inventory.sync', now() + n * interval '1 s' from generate_series(1, 700) n";
    world.database.script(many).await.unwrap();
    let found = world
        .reader(&world.dev)
        .await
        .notifications()
        .await
        .unwrap();
    assert!(found.more);
    assert_eq!(found.rows.len(), 500);
    assert_eq!(found.rows[0].run.0, 1_000_700);
    assert!(
        found
            .rows
            .is_sorted_by(|one, next| one.created_at >= next.created_at)
    );
}
