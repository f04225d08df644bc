//! How much runs at once, over all workers, and what goes first.

use crate::scripted::{SOON, Scripted, TYPE, Working, completed, options};
use opsroom_engine::{
    Initiator, Limits, Priority, Start, Transport, Wake, WorkerOptions, ensure_run,
};
use opsroom_model::TenantId;
use opsroom_testkit::World;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};
use uuid::Uuid;

async fn worker(world: &World) -> Uuid {
    let id = Uuid::new_v4();
    sqlx::query("insert into opsroom.workers (id, name, pid, version, types, slots, lease) values ($1, 'w', 1, '0', $2, 9, '1 h')")
        .bind(id)
        .bind([TYPE])
        .execute(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    id
}

/// Claims for a worker, as `(run, tenant)` in the order handed out.
async fn claim(connection: &mut PgConnection, worker: Uuid, slots: i32) -> Vec<(i64, i64)> {
    sqlx::query_as("select run_id, tenant from opsroom.claim($1, $2, $3, 0)")
        .bind(worker)
        .bind(slots)
        .bind([TYPE, "test.other"])
        .fetch_all(connection)
        .await
        .unwrap()
}

async fn owner_does(world: &World, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(&mut world.owner().await.unwrap())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_of_one_tenant_delay_anothers_one_by_a_job_at_most() {
    let world = World::new().await.unwrap();
    let flood = format!(
        "set session_replication_role = replica;
         insert into opsroom.operation_runs (tenant_id, type, run_identity_hash, context, available_at, initiator_name)
         select {}, '{TYPE}', encode(sha256(n::text::bytea), 'hex'), '{{}}', now(), 'System' from generate_series(1, 100000) n",
        world.north
    );
    owner_does(&world, &flood).await;
    let steps = Arc::new(Semaphore::new(0));
    let (tell, mut begun) = mpsc::unbounded_channel();
    let allowed = Arc::clone(&steps);
    let operation = Scripted::new(move |run, _| {
        let (tell, allowed) = (tell.clone(), Arc::clone(&allowed));
        Box::pin(async move {
            tell.send(run.tenant().0).unwrap();
            allowed.acquire().await.unwrap().forget();
            Ok(())
        })
    });
    let one_at_a_time = WorkerOptions {
        slots: 1,
        ..options("one")
    };
    let pool = world.pool(&world.worker, 8).unwrap();
    let working = Working::start(pool, operation.registry(), one_at_a_time);
    let mut next = async || tokio::time::timeout(SOON, begun.recv()).await.unwrap();
    for round in 0..3 {
        assert_eq!(next().await, Some(world.north), "round {round}");
        let single = world.queued(world.south, TYPE, &json!({})).await.unwrap();
        steps.add_permits(1);
        assert_eq!(next().await, Some(world.south), "round {round}");
        steps.add_permits(1);
        completed(&world, single).await;
    }
    steps.close();
    drop(working);
}

#[tokio::test]
async fn limits_hold_over_all_workers() {
    for (limit, north, south) in [
        ("update opsroom.settings set tenant_limit = 3", 3, 3),
        (
            "update opsroom.settings set tenant_limit = 3; update opsroom.tenants set running_limit = 1 where name = 'north'",
            1,
            3,
        ),
        (
            "update opsroom.operation_types set tenant_limit = 2 where type = 'test.scripted'",
            2,
            2,
        ),
        (
            "update opsroom.operation_types set tenant_limit = 2, total_limit = 3 where type = 'test.scripted'",
            2,
            1,
        ),
        ("select 1", 5, 5),
    ] {
        let world = World::new().await.unwrap();
        let registry = Scripted::new(|_, _| Box::pin(async { Ok(()) })).registry();
        registry
            .publish(&mut world.owner().await.unwrap())
            .await
            .unwrap();
        owner_does(&world, limit).await;
        for _ in 0..5 {
            world.queued(world.north, TYPE, &json!({})).await.unwrap();
            world.queued(world.south, TYPE, &json!({})).await.unwrap();
        }
        let mut connection = world.connect(&world.worker).await.unwrap();
        let mut all = Vec::new();
        let (one, two) = (worker(&world).await, worker(&world).await);
        for (by, slots) in [(one, 2), (two, 2), (one, 20), (two, 20)] {
            all.extend(claim(&mut connection, by, slots).await);
        }
        let of = |tenant| all.iter().filter(|(_, whose)| *whose == tenant).count();
        assert_eq!(
            (of(world.north), of(world.south)),
            (north, south),
            "{limit}"
        );
        // What ends makes room.
        let ended = "update opsroom.operation_runs set status = 'completed', outcome = 'succeeded' where id = $1";
        let (run, _) = all[0];
        sqlx::query(ended)
            .bind(run)
            .execute(&mut connection)
            .await
            .unwrap();
        let more = claim(&mut connection, two, 20).await.len();
        assert_eq!(more, usize::from(limit != "select 1"), "{limit}");
    }
}

#[tokio::test]
async fn one_types_limit_leaves_room_for_others() {
    let world = World::new().await.unwrap();
    let mut operation = Scripted::new(|_, _| Box::pin(async { Ok(()) }));
    operation.policy.limits = Limits {
        per_tenant: Some(1),
        total: Some(0),
    };
    operation
        .registry()
        .publish(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    let limits: (i32, i32) = sqlx::query_as(
        "select tenant_limit, total_limit from opsroom.operation_types where type = $1",
    )
    .bind(TYPE)
    .fetch_one(&mut world.owner().await.unwrap())
    .await
    .unwrap();
    assert_eq!(limits, (1, 1), "none at all would be no limit but a stop");
    for _ in 0..3 {
        world.queued(world.north, TYPE, &json!({})).await.unwrap();
    }
    let other = world
        .queued(world.north, "test.other", &json!({}))
        .await
        .unwrap();
    let by = worker(&world).await;
    let mut connection = world.connect(&world.worker).await.unwrap();
    let claimed = claim(&mut connection, by, 9).await;
    assert_eq!(claimed.len(), 2, "one of each type");
    assert!(claimed.contains(&(other, world.north)));
}

#[tokio::test]
async fn urgent_runs_go_first_within_their_tenant_only() {
    let world = World::new().await.unwrap();
    let registry = Scripted::new(|_, _| Box::pin(async { Ok(()) })).registry();
    registry
        .publish(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    let mut connection = world.connect(&world.worker).await.unwrap();
    let start = |tenant, n: u32, priority| Start {
        tenant: TenantId(tenant),
        run_type: TYPE,
        input: json!({"n": n}),
        initiator: Initiator::System,
        wake: Wake::Silent,
        priority,
        transport: Transport::Workers,
    };
    let mut runs = Vec::new();
    for (n, tenant, priority) in [
        (1, world.north, Priority::Low),
        (2, world.north, Priority::Normal),
        (3, world.north, Priority::High),
        (4, world.north, Priority::High),
        (5, world.south, Priority::Low),
    ] {
        let start = start(tenant, n, priority);
        runs.push(
            ensure_run(&mut connection, &registry, start)
                .await
                .unwrap()
                .run()
                .0,
        );
    }
    let by = worker(&world).await;
    let mut order = Vec::new();
    for _ in 0..5 {
        let (run, _) = claim(&mut connection, by, 1).await[0];
        order.push(runs.iter().position(|one| *one == run).unwrap() + 1);
    }
    // From the same cursor every time, so north has its turn first.
    assert_eq!(order, [3, 4, 2, 1, 5]);

    let mut starter = world.connect(&world.starter).await.unwrap();
    let pushy = start(world.north, 6, Priority::High);
    let run = ensure_run(&mut starter, &registry, pushy)
        .await
        .unwrap()
        .run();
    assert_eq!(
        world.run(run.0).await.unwrap()["priority"],
        0,
        "a person does not push in"
    );
}

#[tokio::test]
async fn tenants_take_turns_whatever_is_urgent_elsewhere() {
    let world = World::new().await.unwrap();
    for _ in 0..3 {
        world.queued(world.north, TYPE, &json!({})).await.unwrap();
    }
    owner_does(&world, "update opsroom.operation_runs set priority = -10").await;
    let low = world.queued(world.south, TYPE, &json!({})).await.unwrap();
    let by = worker(&world).await;
    let mut connection = world.connect(&world.worker).await.unwrap();
    let claimed = claim(&mut connection, by, 2).await;
    assert!(claimed.iter().any(|(run, _)| *run == low), "{claimed:?}");
}
