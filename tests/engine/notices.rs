//! Notifications to the initiator, how long they stay, and the audit trail of what is administered.

use crate::scripted::{Scripted, TYPE, Working, completed, options};
use opsroom_testkit::{World, eventually};
use serde_json::json;

async fn queued_by_sam(world: &World) -> i64 {
    sqlx::query_scalar(
        "insert into opsroom.operation_runs (tenant_id, type, user_id, initiator_name, run_identity_hash, context, available_at)
         select $1, $2, id, name, encode(sha256(gen_random_uuid()::text::bytea), 'hex'), '{}', clock_timestamp()
           from opsroom.users where name = 'Sam Reyes' returning id",
    )
    .bind(world.north)
    .bind(TYPE)
    .fetch_one(&mut world.owner().await.unwrap())
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_initiator_is_told_once_each_also_after_a_takeover() {
    let world = World::new().await.unwrap();
    let run = queued_by_sam(&world).await;
    let systems = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    // Its first holder dies.
    sqlx::raw_sql(
        "insert into opsroom.workers (id, name, pid, version, types, slots, lease, beat_at)
         values ('00000000-0000-0000-0000-00000000000d', 'dead', 1, '0', '{}', 1, '1 s', now());
         update opsroom.operation_runs set status = 'running', worker_id = '00000000-0000-0000-0000-00000000000d', claim_no = 1, attempt = 1, max_attempts = 3;
         update opsroom.workers set beat_at = now() - interval '1 minute'",
    )
    .execute(&mut world.owner().await.unwrap())
    .await
    .unwrap();
    let operation = Scripted::new(|_, _| Box::pin(async { Ok(()) }));
    let pool = world.pool(&world.worker, 8).unwrap();
    let working = Working::start(pool, operation.registry(), options("one"));
    for run in [run, systems] {
        assert_eq!(completed(&world, run).await["claim_no"], 2);
    }
    working.end().await;
    let told: Vec<(i64, String, String)> = sqlx::query_as(
        "select n.run_id, n.kind, u.name from opsroom.notifications n join opsroom.users u on u.id = n.user_id order by n.id",
    )
    .fetch_all(&mut world.owner().await.unwrap())
    .await
    .unwrap();
    let sam = |kind: &str| (run, kind.to_owned(), "Sam Reyes".to_owned());
    assert_eq!(
        told,
        [sam("queued"), sam("succeeded")],
        "nobody is told of the system's run"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_notifications_are_forgotten_by_the_worker_in_small_batches() {
    let world = World::new().await.unwrap();
    for _ in 0..5 {
        queued_by_sam(&world).await;
    }
    let mut owner = world.owner().await.unwrap();
    sqlx::raw_sql(
        "update opsroom.settings set notifications_kept = '10 days';
         update opsroom.notifications set created_at = now() - interval '11 days' where id in (select id from opsroom.notifications order by id limit 3);
         update opsroom.operation_runs set available_at = 'infinity'",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let mut worker = world.connect(&world.worker).await.unwrap();
    let page: i64 = sqlx::query_scalar("select opsroom.prune_notifications(2)")
        .fetch_one(&mut worker)
        .await
        .unwrap();
    assert_eq!(page, 2);
    let operation = Scripted::new(|_, _| Box::pin(async { Ok(()) }));
    let pool = world.pool(&world.worker, 8).unwrap();
    let working = Working::start(pool, operation.registry(), options("one"));
    let pruned = eventually(crate::scripted::SOON, "the rest is pruned", async || {
        sqlx::query_scalar::<_, i64>("select count(*) from opsroom.notifications")
            .fetch_one(&mut owner)
            .await
            .unwrap()
            == 2
    });
    pruned.await.unwrap();
    working.end().await;
    let noted: Vec<String> = sqlx::query_scalar(
        "select subject from opsroom.audit where action = 'notifications.prune' order by id",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    assert_eq!(noted, ["2 rows", "1 rows"]);
    let mut reader = world.connect(&world.reader).await.unwrap();
    let refused = sqlx::query("select opsroom.prune_notifications(1)")
        .execute(&mut reader)
        .await;
    assert!(refused.is_err(), "a reader forgets nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_administered_is_audited_and_registering_the_same_again_is_nothing() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    sqlx::raw_sql("update opsroom.settings set tenant_limit = 7; update opsroom.tenants set running_limit = 2 where name = 'north'")
        .execute(&mut owner)
        .await
        .unwrap();
    let registry = Scripted::new(|_, _| Box::pin(async { Ok(()) })).registry();
    let mut worker = world.connect(&world.worker).await.unwrap();
    for _ in 0..2 {
        registry.publish(&mut worker).await.unwrap();
    }
    let entries: Vec<(String, String, String)> = sqlx::query_as(
        "select action, subject, login_role::text from opsroom.audit
          where action in ('settings.update', 'tenants.update', 'operation_types.insert', 'operation_types.update') order by id",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    let actions: Vec<&str> = entries
        .iter()
        .map(|(action, _, _)| action.as_str())
        .collect();
    assert_eq!(
        actions,
        [
            "settings.update",
            "tenants.update",
            "operation_types.insert"
        ]
    );
    assert!(entries[0].1.contains("tenant_limit=7"), "{entries:?}");
    assert!(entries[2].1.contains(TYPE), "{entries:?}");
    assert_eq!(entries[2].2, world.worker);
}
