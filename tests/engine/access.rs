//! Logins: each is a member of exactly one group role, and no other role is taken for one.

use opsroom_engine::access::{
    AccessError, Change, LoginKind, NewLogin, add_login, harden, refresh_logins, remove_login,
    remove_user,
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
            matches!(refused, Err(AccessError::ForeignRole { .. })),
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
async fn limits_are_brought_up_to_date_once() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    assert_eq!(refresh_logins(&mut owner).await.unwrap(), [""; 0]);
    // As an earlier version left them, and as a login left itself.
    let (worker, reader) = (&world.worker, &world.reader);
    let former = format!(
        "alter role {worker} reset lock_timeout; alter role {worker} connection limit 3; alter role {worker} set work_mem = '8MB'"
    );
    sqlx::raw_sql(AssertSqlSafe(former))
        .execute(&mut owner)
        .await
        .unwrap();
    let mut itself = world.connect(reader).await.unwrap();
    sqlx::raw_sql("begin read write; alter role current_user set statement_timeout = 0; commit")
        .execute(&mut itself)
        .await
        .unwrap();
    assert_eq!(
        refresh_logins(&mut owner).await.unwrap(),
        [
            format!("login {reader}: statement_timeout 8s (was 0)"),
            format!("login {worker}: lock_timeout 10s (was unset)"),
            format!("login {worker}: connections 100 (was 3)"),
        ]
    );
    assert_eq!(refresh_logins(&mut owner).await.unwrap(), [""; 0]);
    let mut worker = world.connect(worker).await.unwrap();
    let has: (String, String, String, String) = sqlx::query_as(
        "select current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout'),
                current_setting('temp_file_limit'), current_setting('work_mem')",
    )
    .fetch_one(&mut worker)
    .await
    .unwrap();
    let has = [&has.0, &has.1, &has.2, &has.3];
    assert_eq!(has, ["10s", "1min", "2GB", "8MB"]);
    let refused = sqlx::raw_sql("set temp_file_limit = -1")
        .execute(&mut worker)
        .await
        .unwrap_err();
    let code = refused.as_database_error().and_then(|error| error.code());
    assert_eq!(code.as_deref(), Some("42501"));
}

#[tokio::test]
async fn an_administrator_refreshes_all_but_what_takes_a_superuser() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let administrator = unique_name("administrator");
    let former = format!(
        "create role {administrator} login createrole in role opsroom_owner;
         alter role {reader} reset temp_file_limit; alter role {reader} set lock_timeout = 0",
        reader = world.reader
    );
    sqlx::raw_sql(AssertSqlSafe(former))
        .execute(&mut owner)
        .await
        .unwrap();
    let mut administrator = world.connect(&administrator).await.unwrap();
    let reader = &world.reader;
    assert_eq!(
        refresh_logins(&mut administrator).await.unwrap(),
        [format!("login {reader}: lock_timeout 1s (was 0)")]
    );
    // Hardening takes a superuser, and does the rest.
    let done = harden(&mut owner).await.unwrap();
    let limit = format!("login {reader}: temp_file_limit 256MB (was unset)");
    assert!(done.contains(&limit), "{done:?}");
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
