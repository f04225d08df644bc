//! Who is let in, and what they see.

use crate::world::{World, ids};
use opsroom_read::{ReadError, ReadOptions, Reader};
use opsroom_testkit::{TestDatabase, unique_name};

async fn refusal(url: &str) -> ReadError {
    Reader::connect(ReadOptions::new(Some(url)).unwrap())
        .await
        .unwrap_err()
}

#[tokio::test]
async fn whoever_could_write_is_refused_and_told_how_to_get_a_login() {
    let world = World::new().await;
    let superuser = refusal(&world.database.superuser_url()).await;
    assert!(
        matches!(superuser, ReadError::CanWrite { .. }),
        "{superuser}"
    );
    for role in [
        "opsroom_owner",
        "opsroom_worker",
        "opsroom_starter",
        "opsroom_app",
    ] {
        let login = unique_name("writer");
        let script = format!("create role {login} login in role {role}, opsroom_reader");
        world.database.script(&script).await.unwrap();
        let error = refusal(&world.database.url(&login)).await;
        assert!(
            matches!(error, ReadError::CanWrite { .. }),
            "{role}: {error}"
        );
        assert!(error.remedy().contains("opsroom-worker access login add"));
    }
    let login = unique_name("column");
    let script = format!(
        "create role {login} login in role opsroom_reader; \
         grant update (outcome) on opsroom.operation_runs to {login}"
    );
    world.database.script(&script).await.unwrap();
    let error = refusal(&world.database.url(&login)).await;
    assert!(
        matches!(error, ReadError::CanWrite { .. }),
        "one column: {error}"
    );
}

#[tokio::test]
async fn a_right_to_write_anything_at_all_is_found() {
    let world = World::new().await;
    let name = world.database.name();
    for (rights, said) in [
        ("grant delete on opsroom.workers to LOGIN", "workers"),
        ("grant truncate on opsroom.schedules to LOGIN", "schedules"),
        ("grant insert (name) on opsroom.tenants to LOGIN", "tenants"),
        (
            "grant update (role) on opsroom.my_reach to LOGIN",
            "my_reach",
        ),
        (
            "alter table opsroom.inventory_items owner to LOGIN",
            "owner",
        ),
        ("alter schema opsroom owner to LOGIN", "owner"),
        ("alter database DATABASE owner to LOGIN", "owner"),
        ("grant create on schema opsroom to LOGIN", "opsroom"),
        ("alter role LOGIN bypassrls", "BYPASSRLS"),
        ("alter role LOGIN createrole", "CREATEROLE"),
        ("alter role LOGIN replication", "REPLICATION"),
        ("alter role LOGIN superuser", "SUPERUSER"),
        ("grant pg_write_all_data to LOGIN", "pg_write_all_data"),
        // What it has to ask for first counts as well.
        (
            "create role ROLE; grant update on opsroom.operation_runs to ROLE; \
             create role ROLE_between noinherit in role ROLE; grant ROLE_between to LOGIN",
            "operation_runs",
        ),
        (
            "create role ROLE superuser; grant ROLE to LOGIN",
            "SUPERUSER",
        ),
    ] {
        let login = unique_name("writer");
        let rights = rights
            .replace("LOGIN", &login)
            .replace("ROLE", &unique_name("role"))
            .replace("DATABASE", name);
        let script = format!("create role {login} login in role opsroom_reader; {rights}");
        world.database.script(&script).await.unwrap();
        let error = refusal(&world.database.url(&login)).await;
        assert!(
            matches!(&error, ReadError::CanWrite { what, .. } if what.contains(said)),
            "{rights}: {error}"
        );
    }
}

#[tokio::test]
async fn strangers_and_empty_databases_are_told_apart() {
    let world = World::new().await;
    let stranger = unique_name("stranger");
    world
        .database
        .script(&format!("create role {stranger} login"))
        .await
        .unwrap();
    let error = refusal(&world.database.url(&stranger)).await;
    assert!(matches!(error, ReadError::NoReader { .. }), "{error}");
    let empty = TestDatabase::empty().await.unwrap();
    assert_eq!(refusal(&empty.url(&stranger)).await, ReadError::NotMigrated);
    let unknown = refusal(&world.database.url("nobody_at_all")).await;
    assert!(
        matches!(unknown, ReadError::LoginRefused { .. }),
        "{unknown}"
    );
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let world = World::new().await;
    let newer = "create or replace function opsroom.schema_version() returns bigint \
                 language sql as 'select 999999::bigint'";
    world.database.script(newer).await.unwrap();
    let error = refusal(&world.database.url(&world.oncall)).await;
    assert!(
        matches!(error, ReadError::TooNew { found: 999_999, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_member_of_one_tenant_sees_that_tenant() {
    let world = World::new().await;
    let mut dev = world.reader(&world.dev).await;
    assert_eq!(ids(&mut dev, "").await, [1, 2, 11, 10]);
    assert_eq!(ids(&mut dev, "tenant:fabrikam").await, [0i64; 0]);
    assert_eq!(ids(&mut dev, "id:3").await, [0i64; 0]);
    assert_eq!(ids(&mut dev, "graph").await, [2]);
    let directory = dev.directory().await.unwrap();
    let names: Vec<_> = directory
        .tenants
        .iter()
        .map(|tenant| tenant.name.as_str())
        .collect();
    assert_eq!(names, ["contoso"]);
    assert!(!directory.sees_all);
}
