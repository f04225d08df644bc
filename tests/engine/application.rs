//! Another application's login: knows the columns of the specification alone, records runs of its own
//! in the tenants it is registered for, and touches nothing else.

use crate::scripted::{Scripted, TYPE, Working, options, until};
use opsroom_engine::access::LoginKind;
use opsroom_testkit::World;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection};

async fn outcome(connection: &mut PgConnection, statement: &str) -> Result<u64, String> {
    let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(connection)
        .await;
    done.map(|done| done.rows_affected()).map_err(|error| {
        error
            .as_database_error()
            .and_then(|e| e.code())
            .unwrap_or_default()
            .into_owned()
    })
}

fn insert(tenant: i64, letter: char) -> String {
    let hash = letter.to_string().repeat(64);
    format!(
        "insert into opsroom.operation_runs
           (tenant_id, user_id, initiator_name, type, status, outcome, run_identity_hash, summary_counts, failure_summary,
            context, started_at, completed_at, created_at, updated_at)
         values ({tenant}, null, 'System', 'billing.export', 'queued', 'pending', '{hash}', '[]', '[]', '[]', null, null, now(), now())"
    )
}

#[tokio::test]
async fn its_runs_live_by_the_specifications_columns_and_are_seen() {
    let world = World::new().await.unwrap();
    let app = world.login(LoginKind::App, None, &["north"]).await.unwrap();
    let mut app = world.connect(&app).await.unwrap();
    assert_eq!(outcome(&mut app, &insert(world.north, 'a')).await, Ok(1));
    let mine = "where type = 'billing.export'";
    for step in [
        "status = 'running'",
        "summary_counts = '{\"total\":2,\"processed\":1}'",
        "status = 'completed', outcome = 'succeeded'",
    ] {
        let update = format!("update opsroom.operation_runs set {step} {mine}");
        assert_eq!(outcome(&mut app, &update).await, Ok(1), "{step}");
    }
    assert_eq!(
        outcome(
            &mut app,
            &format!("update opsroom.operation_runs set context = '{{}}' {mine}")
        )
        .await,
        Err("OP003".into())
    );

    let seen = "select status, started_at is not null and completed_at is not null from opsroom.operation_runs";
    for (login, sees) in [(&world.reader, 1), (&world.oncall, 1)] {
        let mut reader = world.connect(login).await.unwrap();
        let rows: Vec<(String, bool)> = sqlx::query_as(seen).fetch_all(&mut reader).await.unwrap();
        assert_eq!(rows, vec![("completed".to_owned(), true); sees]);
    }
}

#[tokio::test]
async fn it_reaches_nothing_of_others() {
    let world = World::new().await.unwrap();
    let login = world.login(LoginKind::App, None, &["north"]).await.unwrap();
    let mut app = world.connect(&login).await.unwrap();
    let ours = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    let other = world.login(LoginKind::App, None, &["south"]).await.unwrap();
    let mut other = world.connect(&other).await.unwrap();
    assert_eq!(outcome(&mut other, &insert(world.south, 'b')).await, Ok(1));

    assert_eq!(
        outcome(&mut app, &insert(world.south, 'c')).await,
        Err("42501".into()),
        "another tenant"
    );
    let update = "update opsroom.operation_runs set status = 'completed', outcome = 'failed'";
    assert_eq!(
        outcome(&mut app, update).await,
        Ok(0),
        "neither our claimable run nor the other tenant's"
    );
    assert_eq!(world.run(ours).await.unwrap()["status"], "queued");
    let count: i64 =
        sqlx::query_scalar("select count(*) from opsroom.operation_runs where tenant_id = $1")
            .bind(world.south)
            .fetch_one(&mut app)
            .await
            .unwrap();
    assert_eq!(count, 0, "the other tenant's runs do not exist for it");
    for statement in [
        "delete from opsroom.operation_runs".to_owned(),
        "truncate opsroom.operation_runs cascade".to_owned(),
        "update opsroom.operation_runs set available_at = now()".to_owned(),
        "update opsroom.operation_runs set worker_id = gen_random_uuid()".to_owned(),
        "update opsroom.operation_runs set tenant_id = tenant_id".to_owned(),
        format!("insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, available_at)
                 values ({}, 'x', 'a.b', repeat('d', 64), now())", world.north),
        "select opsroom.claim(gen_random_uuid(), 1, '{}', 0)".to_owned(),
        "select opsroom.run_detail(1)".to_owned(),
        "select * from opsroom.run_failures".to_owned(),
        "select * from opsroom.reach".to_owned(),
        "select * from opsroom.audit".to_owned(),
    ] {
        assert_eq!(outcome(&mut app, &statement).await, Err("42501".into()), "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_here_claims_or_reaps_its_runs() {
    let world = World::new().await.unwrap();
    let login = world.login(LoginKind::App, None, &["north"]).await.unwrap();
    let mut app = world.connect(&login).await.unwrap();
    // Even a type that is registered here: what it inserts is its own.
    let theirs = insert(world.north, 'e').replace("billing.export", TYPE);
    assert_eq!(outcome(&mut app, &theirs).await, Ok(1));
    let id: i64 = sqlx::query_scalar("select id from opsroom.operation_runs")
        .fetch_one(&mut app)
        .await
        .unwrap();
    let before = world.run(id).await.unwrap();

    let registry = Scripted::new(|_, _| Box::pin(async { Ok(()) })).registry();
    let working = Working::start(
        world.pool(&world.worker, 8).unwrap(),
        registry,
        options("one"),
    );
    // The worker has looked at the queue once this one is through.
    let ours = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    until(&world, ours, "is completed", |row| {
        row["status"] == "completed"
    })
    .await;
    working.end().await;
    assert_eq!(world.run(id).await.unwrap(), before);
}
