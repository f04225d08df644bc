//! `opsroom-worker access harden`: what it says, to whom, and that work goes on behind it.

use crate::program::{Said, run};
use opsroom_testkit::{World, unique_name};

fn harden(url: &str) -> Said {
    run(url, &["access", "harden"])
}

#[tokio::test]
async fn it_says_what_it_changed_and_the_second_time_that_nothing_was_left() {
    let world = World::new().await.unwrap();
    let superuser = world.database().superuser_url();
    let first = harden(&superuser);
    assert_eq!(first.code, Some(0), "{first:?}");
    for said in [
        "nobody else may make temporary tables",
        "nobody else may connect",
        "pg_sleep",
        "pg_advisory_lock",
        "lo_create",
        "opsroom_worker keeps pg_current_xact_id, pg_notify",
        "no DO blocks",
        "schema public is closed",
    ] {
        assert!(first.out.contains(said), "{said}: {first:?}");
    }
    let second = harden(&superuser);
    assert_eq!(second.code, Some(0), "{second:?}");
    assert!(second.out.starts_with("nothing to change"), "{second:?}");
}

#[tokio::test]
async fn no_other_login_may_and_is_told_who() {
    let world = World::new().await.unwrap();
    let refused = harden(&world.database().url(&world.worker));
    assert_eq!(refused.code, Some(8), "{refused:?}");
    assert!(refused.err.contains("as a superuser"), "{refused:?}");
}

#[tokio::test]
async fn a_hardened_database_is_migrated_administered_and_started_in() {
    let world = World::new().await.unwrap();
    let superuser = world.database().superuser_url();
    assert_eq!(harden(&superuser).code, Some(0));
    for command in [
        &["migrate"][..],
        &["access", "login", "list"],
        &["access", "tenant", "list"],
    ] {
        let said = run(&superuser, command);
        assert_eq!(said.code, Some(0), "{command:?}: {said:?}");
    }
    let start = ["start", "inventory.sync", "--tenant", "north"];
    let started = run(&world.database().url(&world.starter), &start);
    assert_eq!(started.code, Some(0), "{started:?}");
}

#[tokio::test]
async fn migrating_warns_where_everybody_may_make_temporary_things() {
    let world = World::new().await.unwrap();
    let login = unique_name("migrator");
    let database = world.database();
    let open = format!(
        "create role {login} login in role opsroom_owner; grant temporary on database {} to public",
        database.name()
    );
    database.script(&open).await.unwrap();
    let warned = run(&database.url(&login), &["migrate"]);
    assert_eq!(warned.code, Some(0), "{warned:?}");
    assert_eq!(warned.err.lines().count(), 1, "{warned:?}");
    assert!(
        warned.err.starts_with("warning: ") && warned.err.contains("access harden"),
        "{warned:?}"
    );
    let closed = run(&database.superuser_url(), &["migrate"]);
    assert_eq!((closed.code, closed.err.as_str()), (Some(0), ""));
    let quiet = run(&database.url(&login), &["migrate"]);
    assert_eq!((quiet.code, quiet.err.as_str()), (Some(0), ""));
    database
        .script(&format!("drop role {login}"))
        .await
        .unwrap();
}

#[tokio::test]
async fn limits_of_logins_are_refreshed_and_what_changed_is_said() {
    let world = World::new().await.unwrap();
    let superuser = world.database().superuser_url();
    let refresh = ["access", "login", "refresh"];
    let nothing = run(&superuser, &refresh);
    assert_eq!(nothing.code, Some(0), "{nothing:?}");
    assert!(nothing.out.starts_with("nothing to change"), "{nothing:?}");
    let reader = &world.reader;
    world
        .database()
        .script(&format!("alter role {reader} reset lock_timeout"))
        .await
        .unwrap();
    let refused = run(&world.database().url(&world.worker), &refresh);
    assert_eq!(refused.code, Some(8), "{refused:?}");
    let said = run(&superuser, &refresh);
    let expected = format!("login {reader}: lock_timeout 1s (was unset)\n");
    assert_eq!((said.code, said.out), (Some(0), expected));
}

#[tokio::test]
async fn a_role_of_the_server_is_not_offered_for_removal() {
    let world = World::new().await.unwrap();
    let add = ["access", "login", "add", "postgres", "--kind", "worker"];
    let refused = run(&world.database().superuser_url(), &add);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.err.contains("none of opsroom's logins"),
        "{refused:?}"
    );
    assert!(!refused.err.contains("remove"), "{refused:?}");
}
