//! What a person gets who typed something wrong, or whose database is not as it should be: one line
//! with a remedy, and an exit code that scripts can rely on.

use crate::program::{self, Said, program, run};
use opsroom_engine::access::LoginKind;
use opsroom_postgres::{Auth, Cluster, Durability, Kept};
use opsroom_testkit::{TestDatabase, World, unique_name};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

/// One line on standard error, nothing on standard output.
pub(crate) fn one_line(said: &Said, code: i32, says: &[&str]) {
    assert_eq!(said.code, Some(code), "{said:?}");
    assert_eq!(said.out, "", "{said:?}");
    assert!(
        said.err.starts_with("opsroom-worker: ") && said.err.ends_with('\n'),
        "{said:?}"
    );
    assert_eq!(
        said.err.trim_end_matches('\n').lines().count(),
        1,
        "{said:?}"
    );
    for part in says {
        assert!(said.err.contains(part), "'{part}' is missing: {said:?}");
    }
}

#[tokio::test]
async fn a_start_that_cannot_be_meant_is_refused_in_one_line() {
    let world = World::new().await.unwrap();
    let url = world.database().url(&world.starter);
    let north = ["--tenant", "north"];
    let start = |run_type: &'static str, more: &[&'static str]| {
        let args = [&["start", run_type], &north[..], more].concat();
        run(&url, &args)
    };
    one_line(
        &start("inventory.snyc", &[]),
        2,
        &["inventory.snyc", "one of inventory.sync"],
    );
    one_line(
        &start("inventory.sync", &["--input", "{\"scope\":"]),
        2,
        &["JSON", "ends too early", "--input '{"],
    );
    one_line(
        &start("inventory.sync", &["--input", "[1]"]),
        2,
        &["JSON object", "--input '{"],
    );
    one_line(
        &start("inventory.sync", &["--input", "{\"scop\":\"full\"}"]),
        2,
        &["scop", "expected"],
    );
    let secret = start(
        "inventory.sync",
        &["--input", "{\"token\":\"hunter2hunter2\"}"],
    );
    one_line(&secret, 2, &["$.token", "refer to it by an id"]);
    assert!(!secret.err.contains("hunter2"), "{secret:?}");
    let elsewhere = run(&url, &["start", "inventory.sync", "--tenant", "nrth"]);
    one_line(
        &elsewhere,
        7,
        &["unknown tenant 'nrth'", "opsroom-worker access tenant list"],
    );
    let foreign = run(&url, &["start", "inventory.sync", "--tenant", "south"]);
    one_line(&foreign, 7, &["unknown tenant 'south'"]);
}

#[tokio::test]
async fn a_login_without_the_right_is_told_what_it_takes() {
    let world = World::new().await.unwrap();
    let viewer = world
        .login(LoginKind::Starter, Some("Dana Cole"), &[])
        .await
        .unwrap();
    let start = ["start", "inventory.sync", "--tenant", "north"];
    one_line(
        &run(&world.database().url(&viewer), &start),
        8,
        &["may not start inventory.sync", "other than readonly"],
    );
    one_line(
        &run(&world.database().url(&world.reader), &start),
        8,
        &["right"],
    );
    let migrate = run(&world.database().url(&world.starter), &["migrate"]);
    one_line(&migrate, 8, &["CREATEROLE"]);
    one_line(
        &run(
            &world.database().url(&world.reader),
            &["work", "--graph-secrets", "."],
        ),
        8,
        &["right"],
    );
}

#[tokio::test]
async fn a_login_of_the_wrong_role_is_told_which_it_takes() {
    let world = World::new().await.unwrap();
    let (reader, starter) = (&world.reader, &world.starter);
    for (login, command, takes) in [
        (reader, &["migrate"][..], "CREATEROLE"),
        (
            reader,
            &["start", "inventory.sync", "--tenant", "north"],
            "start takes a starter's login",
        ),
        (
            reader,
            &["rollups", "check"],
            "rollups takes a worker's login",
        ),
        (
            reader,
            &["work", "--graph-secrets", "."],
            "work takes a worker's login",
        ),
        (reader, &["prune"], "prune takes a worker's login"),
        (reader, &["settings"], "settings takes the owner's login"),
        (
            reader,
            &["access", "user", "list"],
            "access takes the owner's login",
        ),
        (
            starter,
            &["schedule", "list"],
            "schedule list takes a worker's or a reader's login",
        ),
    ] {
        let said = run(&world.database().url(login), command);
        one_line(&said, 8, &["login", takes]);
        assert!(!said.err.contains("SQLSTATE"), "{command:?}: {said:?}");
    }
}

#[test]
fn an_unknown_host_is_named() {
    let said = run(
        "postgres://me:hunter2@no-such-host.invalid:5433/opsroom",
        &["access", "tenant", "list"],
    );
    one_line(
        &said,
        9,
        &["cannot be reached (no-such-host.invalid:5433: "],
    );
    for wrong in ["connection lost", "hunter2"] {
        assert!(!said.err.contains(wrong), "{said:?}");
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_or_not_ready_says_what_to_do() {
    let world = World::new().await.unwrap();
    let start = ["start", "inventory.sync", "--tenant", "north"];
    for command in [
        &start[..],
        &["work"],
        &["migrate"],
        &["access", "tenant", "list"],
    ] {
        let nowhere = run(
            "postgres:///opsroom?host=/nonexistent/socket&user=x",
            command,
        );
        one_line(
            &nowhere,
            9,
            &["cannot be reached", "check that the server runs"],
        );
        let refused = run("postgres://x@127.0.0.1:1/opsroom", command);
        one_line(&refused, 9, &["connection refused", "DATABASE_URL"]);
        one_line(
            &run("mysql://x/y", command),
            2,
            &["PostgreSQL", "postgres://"],
        );
        let unknown = world.database().url(&unique_name("nobody"));
        one_line(
            &run(&unknown, command),
            9,
            &["refused this login", "check the user"],
        );
        let gone = world
            .database()
            .server()
            .connection()
            .url("no_such_database", &world.worker);
        one_line(&run(&gone, command), 9, &["no such database", "create it"]);
    }
    let empty = TestDatabase::empty().await.unwrap();
    for command in [&start[..], &["work"], &["access", "tenant", "list"]] {
        let never = run(&empty.superuser_url(), command);
        one_line(&never, 1, &["never migrated", "run opsroom-worker migrate"]);
    }
    let newer = "insert into opsroom.schema_migrations (version, description, success, checksum, execution_time)
                 values (9999, 'of the future', true, '', 0)";
    sqlx::query(newer)
        .execute(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    let url = world.database().superuser_url();
    for command in [
        &start[..],
        &["work"],
        &["migrate"],
        &["access", "tenant", "list"],
    ] {
        one_line(
            &run(&url, command),
            1,
            &["newer", "use a newer opsroom-worker"],
        );
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused_in_one_line_that_does_not_repeat_it() {
    let folder = tempfile::tempdir().unwrap();
    // As root, the server is another user's, who must reach its data.
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let cluster = Cluster::named("passwords")
        .kept(Kept::Fresh)
        .durability(Durability::TestOnly)
        .auth(Auth::ScramPasswords)
        .data_root(folder.path());
    let server = tokio::task::spawn_blocking(move || cluster.start())
        .await
        .unwrap()
        .unwrap();
    let url = server
        .connection()
        .url_with_password("postgres", "postgres", "hunter2hunter2");
    for command in [&["work"][..], &["migrate"], &["access", "tenant", "list"]] {
        let said = run(&url, command);
        one_line(&said, 9, &["refused this login", "PGPASSWORD"]);
        assert!(!said.err.contains("hunter2"), "{said:?}");
    }
}

#[tokio::test]
async fn a_worker_told_nonsense_does_not_begin() {
    let world = World::new().await.unwrap();
    let url = world.database().url(&world.worker);
    one_line(
        &run(&url, &["work", "--types", "inventory.snyc"]),
        2,
        &["inventory.snyc", "one of"],
    );
    one_line(
        &run(&url, &["work", "--graph-url", "http://graph.example"]),
        1,
        &["https"],
    );
    // It would fail every run of theirs, and another worker could have executed them.
    for more in [&["work"][..], &["work", "--graph-secrets", "/nonexistent"]] {
        one_line(
            &run(&url, more),
            2,
            &[
                "inventory.sync",
                "--graph-secrets",
                "OPSROOM_GRAPH_SECRETS",
                "--types",
            ],
        );
    }
    for lease in ["5", "500ms", "2h"] {
        let said = run(&url, &["work", "--lease", lease]);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains("--lease"), "{said:?}");
    }
}

#[tokio::test]
async fn a_start_says_which_run_whether_it_is_new_and_how_to_see_it() {
    let world = World::new().await.unwrap();
    let url = world.database().url(&world.starter);
    let first = program::start(&url, &[]);
    let second = program::start(&url, &["--input", "{\"scope\":\"full\"}"]);
    assert_eq!(
        (first.code, second.code, first.err.as_str()),
        (Some(0), Some(0), "")
    );
    let id: i64 = sqlx::query_scalar("select id from opsroom.operation_runs")
        .fetch_one(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    assert!(
        first.out.contains(&format!("run {id} created"))
            && first.out.contains(&format!("opsroom run {id}")),
        "{first:?}"
    );
    assert!(
        second.out.contains(&format!("run {id} reused")),
        "{second:?}"
    );
}

#[tokio::test]
async fn migrating_twice_says_so() {
    let empty = TestDatabase::empty().await.unwrap();
    let first = run(&empty.superuser_url(), &["migrate"]);
    assert!(
        first.code == Some(0) && first.out.contains("migrations applied"),
        "{first:?}"
    );
    let second = run(&empty.superuser_url(), &["migrate"]);
    assert!(
        second.code == Some(0) && second.out.contains("is current"),
        "{second:?}"
    );
    assert_eq!(second.err, "");
}

#[test]
fn whoever_stops_reading_its_words_does_not_break_a_command() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let args = ["schedule", "next", "--cron", "@hourly", "-n", "50"];
    let output = program("postgres://nobody@127.0.0.1:1/none")
        .args(args)
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
