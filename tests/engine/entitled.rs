//! Who may start what, and what a starter's login cannot say.

use crate::scripted::{Scripted, TYPE};
use crate::start::{count, of, registry, world};
use opsroom_engine::access::LoginKind;
use opsroom_engine::{Initiator, Start, StartError, ensure_run};
use opsroom_testkit::World;
use serde_json::json;
use sqlx::PgConnection;

async fn refused(world: &World, login: &str, tenant: i64) -> StartError {
    let mut connection = world.connect(login).await.unwrap();
    ensure_run(&mut connection, &registry(), of(tenant, json!({})))
        .await
        .unwrap_err()
}

#[tokio::test]
async fn who_is_not_entitled_starts_nothing() {
    let world = world().await;
    let viewer = world
        .login(LoginKind::Starter, Some("Dana Cole"), &[])
        .await
        .unwrap();
    let nobody = world.login(LoginKind::Starter, None, &[]).await.unwrap();
    for (login, tenant, why) in [
        (&world.starter, world.south, "no member of the tenant"),
        (&viewer, world.north, "readonly"),
        (&nobody, world.north, "no person"),
        (&world.starter, -1, "no such tenant looks the same"),
    ] {
        let error = refused(&world, login, tenant).await;
        assert!(
            matches!(error, StartError::NotEntitled { .. }),
            "{why}: {error}"
        );
    }
    let take = format!(
        "delete from opsroom.role_capabilities where capability = '{TYPE}' and role = 'operator'"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(take))
        .execute(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    let error = refused(&world, &world.starter, world.north).await;
    assert!(
        matches!(error, StartError::NotEntitled { .. }),
        "without the capability: {error}"
    );
    assert_eq!(
        count(&world, "select count(*) from opsroom.operation_runs").await,
        0
    );
}

#[tokio::test]
async fn an_operation_may_ask_for_nothing_but_membership() {
    let world = World::new().await.unwrap();
    let mut operation = Scripted::new(|_, _| Box::pin(async { Ok(()) }));
    operation.policy.requires = opsroom_engine::Requires::Nothing;
    let registry = operation.registry();
    registry
        .publish(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    let none = "select count(*) from opsroom.role_capabilities where capability = 'test.scripted'";
    assert_eq!(count(&world, none).await, 0);
    let mut starter = world.connect(&world.starter).await.unwrap();
    ensure_run(&mut starter, &registry, of(world.north, json!({})))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_capability_that_was_taken_from_everybody_stays_taken() {
    let world = world().await;
    let take = "delete from opsroom.role_capabilities where capability = 'test.scripted'";
    sqlx::raw_sql(take)
        .execute(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    registry()
        .publish(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    let error = refused(&world, &world.starter, world.north).await;
    assert!(matches!(error, StartError::NotEntitled { .. }), "{error}");
}

#[tokio::test]
async fn a_reuse_needs_the_right_to_start_as_well() {
    let world = world().await;
    let mut starter = world.connect(&world.starter).await.unwrap();
    ensure_run(&mut starter, &registry(), of(world.north, json!({})))
        .await
        .unwrap();
    let viewer = world
        .login(LoginKind::Starter, Some("Dana Cole"), &[])
        .await
        .unwrap();
    assert!(matches!(
        refused(&world, &viewer, world.north).await,
        StartError::NotEntitled { .. }
    ));
}

#[tokio::test]
async fn a_starter_is_recorded_as_itself_whatever_it_says() {
    let world = world().await;
    let mut starter = world.connect(&world.starter).await.unwrap();
    let claims_to_be = Start {
        initiator: Initiator::User {
            id: opsroom_model::UserId(1),
            name: "Olga Berg".into(),
        },
        ..of(world.north, json!({}))
    };
    let run = ensure_run(&mut starter, &registry(), claims_to_be)
        .await
        .unwrap()
        .run();
    let row = world.run(run.0).await.unwrap();
    assert_eq!(row["initiator_name"], "Sam Reyes");
    assert_eq!(row["status"], "queued");
    let login: String =
        sqlx::query_scalar("select login_role::text from opsroom.audit where run_id = $1")
            .bind(run.0)
            .fetch_one(&mut world.owner().await.unwrap())
            .await
            .unwrap();
    assert_eq!(login, world.starter);
}

#[tokio::test]
async fn a_starter_cannot_set_what_is_not_its_to_say() {
    let world = world().await;
    let mut starter = world.connect(&world.starter).await.unwrap();
    for column in [
        "id",
        "user_id",
        "initiator_name",
        "status",
        "outcome",
        "worker_id",
        "priority",
        "max_attempts",
        "created_at",
    ] {
        let insert = format!(
            "insert into opsroom.operation_runs (tenant_id, type, run_identity_hash, {column})
             values ({}, '{TYPE}', repeat('a', 64), default)",
            world.north
        );
        assert_eq!(sqlstate(&mut starter, &insert).await, "42501", "{column}");
    }
    let mut other = world.connect(&world.starter).await.unwrap();
    ensure_run(&mut other, &registry(), of(world.north, json!({})))
        .await
        .unwrap();
    for statement in [
        "update opsroom.operation_runs set status = 'completed', outcome = 'failed'",
        "delete from opsroom.operation_runs",
        "truncate opsroom.operation_runs cascade",
        "insert into opsroom.workers (id, name, pid, version, types, slots, lease) values (gen_random_uuid(), 'x', 1, '', '{}', 1, '1 s')",
        "select opsroom.register_operation_type('inventory.sync', 'x', null, 1, '{}')",
        "insert into opsroom.tenant_members select 1, 1, 'owner'",
    ] {
        assert_eq!(
            sqlstate(&mut starter, statement).await,
            "42501",
            "{statement}"
        );
    }
}

async fn sqlstate(connection: &mut PgConnection, statement: &str) -> String {
    match sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()))
        .execute(connection)
        .await
    {
        Ok(_) => "done".to_owned(),
        Err(error) => error
            .as_database_error()
            .and_then(|e| e.code())
            .unwrap_or_default()
            .into_owned(),
    }
}
