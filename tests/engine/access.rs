//! Logins: each is a member of exactly one group role, and no other role is taken for one.

use opsroom_engine::access::{
    AccessError, Change, LoginKind, NewLogin, add_login, remove_login, remove_user,
};
use opsroom_testkit::{World, unique_name};
use sqlx::{AssertSqlSafe, Connection as _};

fn reader<'a>(login: &'a str, user: Option<&'a str>) -> NewLogin<'a> {
    NewLogin {
        login,
        kind: LoginKind::Reader,
        user,
        password: None,
        tenants: &[],
    }
}

#[tokio::test]
async fn a_role_that_is_none_of_opsrooms_is_left_alone() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    for attributes in [
        "superuser login",
        "createrole login in role opsroom_reader",
        "login",
        "login in role opsroom_reader, opsroom_worker",
    ] {
        let role = unique_name("role");
        let create = format!("create role \"{role}\" {attributes}");
        sqlx::raw_sql(AssertSqlSafe(create))
            .execute(&mut owner)
            .await
            .unwrap();
        let refused = add_login(&mut owner, &reader(&role, None)).await;
        assert!(
            matches!(refused, Err(AccessError::Taken { .. })),
            "{attributes}: {refused:?}"
        );
        let untouched: bool = sqlx::query_scalar(
            "select rolconnlimit = -1 and rolconfig is null from pg_roles where rolname = $1",
        )
        .bind(&role)
        .fetch_one(&mut owner)
        .await
        .unwrap();
        assert!(untouched, "{attributes}");
    }
}

#[tokio::test]
async fn adding_twice_changes_nothing_and_another_kind_is_refused() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let login = unique_name("twice");
    assert_eq!(
        add_login(&mut owner, &reader(&login, Some("Sam Reyes")))
            .await
            .unwrap(),
        Change::Made
    );
    assert_eq!(
        add_login(&mut owner, &reader(&login, Some("Sam Reyes")))
            .await
            .unwrap(),
        Change::Already
    );
    let worker = NewLogin {
        kind: LoginKind::Worker,
        ..reader(&login, None)
    };
    assert!(matches!(
        add_login(&mut owner, &worker).await,
        Err(AccessError::Taken { .. })
    ));
    remove_login(&mut owner, &login).await.unwrap();
    assert!(world.connect(&login).await.is_err(), "the role is gone");
    assert!(matches!(
        remove_login(&mut owner, &login).await,
        Err(AccessError::NotFound { .. })
    ));
}

#[tokio::test]
async fn a_login_cannot_make_itself_unremovable() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    // As an administrator who is no superuser does it.
    let administrator = unique_name("administrator");
    let create = format!("create role \"{administrator}\" login createrole in role opsroom_owner");
    sqlx::raw_sql(AssertSqlSafe(create))
        .execute(&mut owner)
        .await
        .unwrap();
    for clinging in [
        "begin read write; select lo_create(0); commit",
        "begin read write; alter default privileges grant select on tables to public; commit",
    ] {
        let login = unique_name("clinging");
        add_login(&mut owner, &reader(&login, Some("Sam Reyes")))
            .await
            .unwrap();
        let mut itself = world.connect(&login).await.unwrap();
        sqlx::raw_sql(clinging).execute(&mut itself).await.unwrap();
        itself.close().await.unwrap();
        let mut administrator = world.connect(&administrator).await.unwrap();
        remove_login(&mut administrator, &login).await.unwrap();
        assert!(world.connect(&login).await.is_err(), "{clinging}");
    }
}

#[tokio::test]
async fn who_leaves_sees_nothing_any_more() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    remove_user(&mut owner, "Dana Cole").await.unwrap();
    assert!(world.connect(&world.developer).await.is_err());
    let left: i64 =
        sqlx::query_scalar("select count(*) from opsroom.reach where login_role = $1::name")
            .bind(&world.developer)
            .fetch_one(&mut owner)
            .await
            .unwrap();
    assert_eq!(left, 0);
}
