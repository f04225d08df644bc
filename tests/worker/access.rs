//! Logins and tenants from the command line: what is said is what was done, and what is refused left
//! nothing behind.

use crate::program::{Said, program, run};
use opsroom_engine::access::LoginKind;
use opsroom_testkit::{World, unique_name};
use sqlx::PgConnection;

fn refused(said: &Said, code: i32, says: &[&str]) {
    assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{said:?}");
    for part in says {
        assert!(said.err.contains(part), "'{part}' is missing: {said:?}");
    }
}

async fn person(owner: &mut PgConnection, login: &str) -> String {
    let query = "select u.name from opsroom.logins l join opsroom.users u on u.id = l.user_id where login_role = $1::name";
    let name = sqlx::query_scalar(query).bind(login);
    name.fetch_one(owner).await.unwrap()
}

#[tokio::test]
async fn a_login_added_again_says_that_its_password_changed() {
    let world = World::new().await.unwrap();
    let url = world.database().superuser_url();
    let login = world
        .login(LoginKind::Reader, Some("Dana Cole"), &[])
        .await
        .unwrap();
    let add = [
        "access",
        "login",
        "add",
        &login,
        "--kind",
        "reader",
        "--user",
        "Dana Cole",
    ];
    let password = async || {
        let query = "select rolpassword from pg_authid where rolname = $1";
        let mut owner = world.owner().await.unwrap();
        let hash: Option<String> = sqlx::query_scalar(query)
            .bind(&login)
            .fetch_one(&mut owner)
            .await
            .unwrap();
        hash
    };
    let plain = run(&url, &add);
    assert_eq!(plain.out, format!("login {login} was there already\n"));
    let before = password().await;
    let mut command = program(&url);
    command
        .args(add)
        .env("OPSROOM_LOGIN_PASSWORD", "another-one");
    let output = command.output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        format!("login {login} was there already; its password was changed\n")
    );
    assert_ne!(password().await, before);
}

#[tokio::test]
async fn a_login_stays_its_persons() {
    let world = World::new().await.unwrap();
    let url = world.database().superuser_url();
    let mut owner = world.owner().await.unwrap();
    let before = person(&mut owner, &world.reader).await;
    let other = ["access", "user", "add", "Alice Meyer"];
    assert_eq!(run(&url, &other).code, Some(0));
    let add = |kind| {
        let args = [
            "access",
            "login",
            "add",
            &world.reader,
            "--kind",
            kind,
            "--user",
            "Alice Meyer",
        ];
        run(&url, &args)
    };
    let whose = format!("is {before}'s already");
    refused(&add("reader"), 2, &[&whose, "remove it first", "another"]);
    refused(&add("starter"), 2, &["as reader", "remove it first"]);
    assert_eq!(person(&mut owner, &world.reader).await, before);
}

#[tokio::test]
async fn the_list_says_how_many_tenants_a_login_has() {
    let world = World::new().await.unwrap();
    let url = world.database().superuser_url();
    let app = unique_name("app");
    let add = [
        "access", "login", "add", &app, "--kind", "app", "--tenant", "north", "--tenant", "south",
    ];
    assert_eq!(run(&url, &add).code, Some(0));
    let listed = run(&url, &["access", "login", "list"]).out;
    let last = |login: &str| {
        let line = listed.lines().find(|line| line.starts_with(login));
        line.unwrap().split_whitespace().last().unwrap().to_owned()
    };
    assert_eq!(
        (last(&world.worker), last(&app)),
        ("all".to_owned(), "2".to_owned()),
        "{listed}"
    );
    assert_eq!(
        run(&url, &["access", "login", "remove", &app]).code,
        Some(0)
    );
}

#[tokio::test]
async fn a_tenant_is_added_whole_or_not_at_all() {
    let world = World::new().await.unwrap();
    let url = world.database().superuser_url();
    let mut owner = world.owner().await.unwrap();
    let count = "select count(*) from opsroom.tenants where name = 'contoso'";
    let workspace: String = sqlx::query_scalar(
        "select w.name from opsroom.tenants t join opsroom.workspaces w on w.id = t.workspace_id where t.name = 'north'",
    )
    .fetch_one(&mut owner)
    .await
    .unwrap();
    let add = |directory: &str, client: &str, secret: &str| {
        let args = [
            "access",
            "tenant",
            "add",
            "contoso",
            "--workspace",
            &workspace,
        ];
        let graph = [
            "--directory-id",
            directory,
            "--client-id",
            client,
            "--secret-name",
            secret,
        ];
        run(&url, &[&args[..], &graph].concat())
    };
    for (said, names) in [
        (
            add("contoso.example", "app-1", "../../etc/passwd"),
            "--secret-name",
        ),
        (add("contoso.example", "app-1", ".."), "--secret-name"),
        (add("contoso.example", "app/1", "file"), "--client-id"),
        (add("contoso example", "app-1", "file"), "--directory-id"),
    ] {
        refused(&said, 2, &[names, "write a"]);
    }
    let there: i64 = sqlx::query_scalar(count)
        .fetch_one(&mut owner)
        .await
        .unwrap();
    assert_eq!(there, 0);
    let added = add("contoso.example", "app-1", "contoso");
    assert_eq!(added.code, Some(0), "{added:?}");
}

#[tokio::test]
async fn a_tenant_of_another_workspace_is_not_taken_for_one_of_this() {
    let world = World::new().await.unwrap();
    let url = world.database().superuser_url();
    assert_eq!(
        run(&url, &["access", "workspace", "add", "apac"]).code,
        Some(0)
    );
    let add = ["access", "tenant", "add", "north", "--workspace", "apac"];
    refused(
        &run(&url, &add),
        2,
        &["'north' is in workspace '", "stays there"],
    );
}
