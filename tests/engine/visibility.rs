//! What a reader sees: its tenants' runs, the detail where it holds the capability, and nothing that
//! tells an unreachable run from one that never was.

use crate::scripted::TYPE;
use opsroom_testkit::World;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};

async fn ids(reader: &mut PgConnection) -> Vec<i64> {
    sqlx::query_scalar("select id from opsroom.operation_runs order by id")
        .fetch_all(reader)
        .await
        .unwrap()
}

async fn detail(reader: &mut PgConnection, id: i64) -> (String, Option<String>, Option<Value>) {
    sqlx::query_as("select answer, capability, run from opsroom.run_detail($1)")
        .bind(id)
        .fetch_one(reader)
        .await
        .unwrap()
}

async fn change(world: &World, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(&mut world.owner().await.unwrap())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_login_sees_its_tenants_and_no_others() {
    let world = World::new().await.unwrap();
    let north = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    let south = world.queued(world.south, TYPE, &json!({})).await.unwrap();
    for (login, sees) in [
        (&world.reader, vec![north]),
        (&world.developer, vec![north]),
        (&world.oncall, vec![north, south]),
    ] {
        let mut reader = world.connect(login).await.unwrap();
        assert_eq!(ids(&mut reader).await, sees);
        let tenants: i64 = sqlx::query_scalar("select count(*) from opsroom.tenants")
            .fetch_one(&mut reader)
            .await
            .unwrap();
        assert_eq!(tenants, i64::try_from(sees.len()).unwrap());
    }
}

#[tokio::test]
async fn membership_of_the_tenant_and_of_the_workspace_are_both_needed() {
    let world = World::new().await.unwrap();
    world.queued(world.north, TYPE, &json!({})).await.unwrap();
    let mut reader = world.connect(&world.reader).await.unwrap();
    assert_eq!(ids(&mut reader).await.len(), 1);
    let sam = "user_id = (select id from opsroom.users where name = 'Sam Reyes')";
    change(
        &world,
        &format!("delete from opsroom.workspace_members where {sam}"),
    )
    .await;
    assert_eq!(
        ids(&mut reader).await.len(),
        0,
        "the tenant's alone is not enough"
    );
    change(&world, "insert into opsroom.workspace_members select w.id, u.id, null from opsroom.workspaces w, opsroom.users u where u.name = 'Sam Reyes'").await;
    assert_eq!(ids(&mut reader).await.len(), 1);
    change(
        &world,
        &format!("delete from opsroom.tenant_members where {sam}"),
    )
    .await;
    assert_eq!(
        ids(&mut reader).await.len(),
        0,
        "the workspace's without a role is not enough"
    );
}

#[tokio::test]
async fn what_is_given_to_somebody_else_is_taken_from_the_one_who_had_it() {
    let world = World::new().await.unwrap();
    let north = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    let south = world.queued(world.south, TYPE, &json!({})).await.unwrap();
    let oncall = "(select user_id from opsroom.logins where login_role = 'ONCALL')";
    let oncall = &oncall.replace("ONCALL", &world.oncall);
    let mut reader = world.connect(&world.oncall).await.unwrap();
    assert_eq!(ids(&mut reader).await, [north, south]);
    // The login is another person's from now on: whoever reaches one tenant.
    let login = |user: &str| {
        format!(
            "update opsroom.logins set user_id = {user} where login_role = '{}'",
            world.oncall
        )
    };
    let sam = "(select id from opsroom.users where name = 'Sam Reyes')";
    let was: i64 = sqlx::query_scalar(AssertSqlSafe(format!("select {oncall}")))
        .fetch_one(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    change(&world, &login(sam)).await;
    assert_eq!(ids(&mut reader).await, [north]);
    change(&world, &login("null")).await;
    assert_eq!(ids(&mut reader).await.len(), 0, "nobody's");
    change(&world, &login(&was.to_string())).await;
    assert_eq!(ids(&mut reader).await, [north, south]);
    // So is a membership.
    let nobody = "with one as (insert into opsroom.users (name) values ('Nobody') returning id)";
    for table in ["tenant_members", "workspace_members"] {
        change(
            &world,
            &format!("{nobody} update opsroom.{table} set user_id = (select id from one) where user_id = {was}")
                .replace("Nobody", table),
        )
        .await;
    }
    assert_eq!(ids(&mut reader).await.len(), 0, "a member of nothing");
}

#[tokio::test]
async fn an_all_tenants_login_sees_future_tenants_only_where_its_role_reaches() {
    let world = World::new().await.unwrap();
    change(&world, "insert into opsroom.workspaces (name) values ('elsewhere');
                    insert into opsroom.tenants (workspace_id, name) select id, 'west' from opsroom.workspaces where name = 'home';
                    insert into opsroom.tenants (workspace_id, name) select id, 'far' from opsroom.workspaces where name = 'elsewhere'").await;
    for (tenant, sees) in [("west", 1), ("far", 0)] {
        let id: i64 = sqlx::query_scalar("select id from opsroom.tenants where name = $1")
            .bind(tenant)
            .fetch_one(&mut world.owner().await.unwrap())
            .await
            .unwrap();
        let run = world.queued(id, TYPE, &json!({})).await.unwrap();
        let mut oncall = world.connect(&world.oncall).await.unwrap();
        let seen = ids(&mut oncall)
            .await
            .iter()
            .filter(|seen| **seen == run)
            .count();
        assert_eq!(seen, sees, "{tenant}");
    }
}

#[tokio::test]
async fn the_detail_tells_not_found_forbidden_and_the_row_apart() {
    let world = World::new().await.unwrap();
    let sync = world
        .queued(world.north, "inventory.sync", &json!({"scope": "full"}))
        .await
        .unwrap();
    let restore = world
        .queued(world.north, "restore.execute", &json!({}))
        .await
        .unwrap();
    let foreign = world
        .queued(world.north, "billing.export", &json!({}))
        .await
        .unwrap();
    let south = world
        .queued(world.south, "inventory.sync", &json!({}))
        .await
        .unwrap();
    let mut developer = world.connect(&world.developer).await.unwrap();
    let mut reader = world.connect(&world.reader).await.unwrap();
    let mut oncall = world.connect(&world.oncall).await.unwrap();

    let (answer, capability, run) = detail(&mut developer, sync).await;
    assert_eq!((answer.as_str(), capability), ("ok", None));
    let run = run.unwrap();
    assert_eq!(
        (&run["context"]["input"]["scope"], &run["tenant_name"]),
        (&json!("full"), &json!("north"))
    );
    assert_eq!(
        detail(&mut developer, restore).await,
        ("forbidden".into(), Some("restore.execute".into()), None)
    );
    assert_eq!(
        detail(&mut reader, restore).await.0,
        "ok",
        "an operator holds it"
    );
    assert_eq!(
        detail(&mut developer, foreign).await.0,
        "ok",
        "a type nobody registered is every member's"
    );
    let nothing = ("not_found".to_owned(), None, None);
    for id in [south, south + 1000, 0, -1, i64::MAX] {
        assert_eq!(detail(&mut developer, id).await, nothing, "{id}");
    }
    assert_eq!(detail(&mut oncall, south).await.0, "ok");
}

#[tokio::test]
async fn what_the_detail_is_made_of_follows_the_same_rule() {
    let world = World::new().await.unwrap();
    let restore = world
        .queued(world.north, "restore.execute", &json!({}))
        .await
        .unwrap();
    change(&world, &format!(
        "insert into opsroom.operation_run_items (tenant_id, run_id, item_key, label, status) values ({0}, {restore}, 'a', 'A', 'succeeded');
         insert into opsroom.run_attempts (tenant_id, run_id, claim_no, attempt, ended) values ({0}, {restore}, 1, 1, 'retry')",
        world.north
    )).await;
    for (login, rows) in [(&world.developer, 0), (&world.reader, 1)] {
        let mut reader = world.connect(login).await.unwrap();
        for query in [
            "run_items($1, null, 10)",
            "run_attempts_of($1)",
            "run_history($1)",
        ] {
            let count: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
                "select count(*) from opsroom.{query}"
            )))
            .bind(restore)
            .fetch_one(&mut reader)
            .await
            .unwrap();
            assert_eq!(count, rows, "{query}");
        }
    }
}

#[tokio::test]
async fn messages_and_context_are_not_in_the_list() {
    let world = World::new().await.unwrap();
    let mut oncall = world.connect(&world.oncall).await.unwrap();
    for query in [
        "select context from opsroom.operation_runs",
        "select failure_summary from opsroom.operation_runs",
        "select r from opsroom.operation_runs r",
        "select * from opsroom.operation_run_items",
        "select * from opsroom.run_attempts",
        "select * from opsroom.graph_connections",
        "select * from opsroom.inventory_items",
        "select * from opsroom.audit",
        "select * from opsroom.reach",
        "select * from opsroom.users",
        "select input from opsroom.schedules",
        "select pid from opsroom.workers",
    ] {
        let error = sqlx::raw_sql(query).execute(&mut oncall).await.unwrap_err();
        assert_eq!(
            error.as_database_error().unwrap().code().as_deref(),
            Some("42501"),
            "{query}"
        );
    }
}

#[tokio::test]
async fn searchable_keys_need_the_capability() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    sqlx::query(
        "insert into opsroom.operation_runs (tenant_id, type, initiator_name, run_identity_hash, context)
         values ($1, 'restore.execute', 'System', repeat('a', 64), '{\"restore_run_id\":7}')",
    )
    .bind(world.north)
    .execute(&mut owner)
    .await
    .unwrap();
    for (login, keys) in [
        (&world.developer, 0),
        (&world.reader, 1),
        (&world.oncall, 1),
    ] {
        let mut reader = world.connect(login).await.unwrap();
        let query =
            "select count(*) from opsroom.run_keys where key = 'restore_run_id' and value = '7'";
        let count: i64 = sqlx::query_scalar(query)
            .fetch_one(&mut reader)
            .await
            .unwrap();
        assert_eq!(count, keys, "{login}");
    }
}

#[tokio::test]
async fn searchable_keys_follow_a_capability_that_changes() {
    let world = World::new().await.unwrap();
    let key = |n: u8| {
        let (tenant, hash) = (world.north, n.to_string().repeat(64));
        format!(
            "insert into opsroom.operation_runs (tenant_id, type, initiator_name, run_identity_hash, context)
             values ({tenant}, 'restore.execute', 'System', '{hash}', '{{\"restore_run_id\":{n}}}')"
        )
    };
    world.database().script(&key(1)).await.unwrap();
    // One is being written while the type changes, under the former capability.
    let mut writer = world.owner().await.unwrap();
    let begun = format!("begin; {}", key(2));
    sqlx::raw_sql(AssertSqlSafe(begun))
        .execute(&mut writer)
        .await
        .unwrap();
    let change = "update opsroom.operation_types set capability = 'drift.generate' where type = 'restore.execute'";
    let mut administrator = world.owner().await.unwrap();
    let waiting =
        tokio::spawn(async move { sqlx::raw_sql(change).execute(&mut administrator).await });
    let patience = std::time::Duration::from_secs(20);
    opsroom_testkit::eventually(patience, "the change waits for the writer", async || {
        let waiting = "select count(*) from pg_locks where not granted and relation = 'opsroom.run_keys'::regclass";
        world.database().number(waiting).await.unwrap() == 1
    })
    .await
    .unwrap();
    sqlx::raw_sql("commit").execute(&mut writer).await.unwrap();
    waiting.await.unwrap().unwrap();
    world.database().script(&key(3)).await.unwrap();
    // Readonly holds the new one.
    let mut developer = world.connect(&world.developer).await.unwrap();
    let seen: i64 = sqlx::query_scalar("select count(*) from opsroom.run_keys")
        .fetch_one(&mut developer)
        .await
        .unwrap();
    assert_eq!(seen, 3);
    world
        .database()
        .script("update opsroom.operation_types set capability = 'restore.execute' where type = 'restore.execute'")
        .await
        .unwrap();
    let seen: i64 = sqlx::query_scalar("select count(*) from opsroom.run_keys")
        .fetch_one(&mut developer)
        .await
        .unwrap();
    assert_eq!(seen, 0, "and not the former one again");
}

#[tokio::test]
async fn notifications_are_the_initiators_while_it_is_a_member() {
    let world = World::new().await.unwrap();
    let mut starter = world.connect(&world.starter).await.unwrap();
    let insert = "insert into opsroom.operation_runs (tenant_id, type, run_identity_hash) values ($1, 'inventory.sync', repeat('a', 64))";
    sqlx::query(insert)
        .bind(world.north)
        .execute(&mut starter)
        .await
        .unwrap();
    change(&world, "update opsroom.operation_runs set status = 'completed', outcome = 'failed', failure_summary = '[{\"code\":\"dispatch.failed\"}]'").await;
    let mine = "select kind || coalesce(' ' || code, '') from opsroom.notifications order by id";
    let mut reader = world.connect(&world.reader).await.unwrap();
    let kinds: Vec<String> = sqlx::query_scalar(mine)
        .fetch_all(&mut reader)
        .await
        .unwrap();
    assert_eq!(kinds, ["queued", "failed dispatch.failed"]);
    let mut oncall = world.connect(&world.oncall).await.unwrap();
    assert!(
        sqlx::query_scalar::<_, String>(mine)
            .fetch_all(&mut oncall)
            .await
            .unwrap()
            .is_empty()
    );
    change(&world, "delete from opsroom.tenant_members where user_id = (select id from opsroom.users where name = 'Sam Reyes')").await;
    let kinds: Vec<String> = sqlx::query_scalar(mine)
        .fetch_all(&mut reader)
        .await
        .unwrap();
    assert!(
        kinds.is_empty(),
        "the run does not exist for it any more: {kinds:?}"
    );
}
