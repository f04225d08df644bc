//! Databases are a test's own, templates are built once, the schema is there.

use opsroom_testkit::{TestDatabase, TestServer, TestkitError, unique_name};
use sqlx::Connection;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

#[tokio::test]
async fn two_migrated_databases_do_not_see_each_other() {
    let (one, two) = tokio::try_join!(TestDatabase::new(), TestDatabase::new()).unwrap();
    let mut here = one.connect().await.unwrap();
    let mut there = two.connect().await.unwrap();
    let insert = "create table opsroom.mark as select 1 as one";
    sqlx::query(insert).execute(&mut here).await.unwrap();
    let runs = "select count(*) from opsroom.operation_runs";
    let count: i64 = sqlx::query_scalar(runs)
        .fetch_one(&mut there)
        .await
        .unwrap();
    assert_eq!(count, 0);
    let marks =
        "select count(*) from pg_tables where schemaname = 'opsroom' and tablename = 'mark'";
    let count: i64 = sqlx::query_scalar(marks)
        .fetch_one(&mut there)
        .await
        .unwrap();
    assert_eq!(count, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_build_a_template_once_and_a_failed_build_is_done_again() {
    static BUILDS: AtomicU32 = AtomicU32::new(0);
    let key = unique_name("key");
    let failing = TestDatabase::from_template(&key, |_| async { Err("no".to_owned()) }).await;
    assert!(matches!(failing, Err(TestkitError::Template(_))));
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let key = key.clone();
            tokio::spawn(async move {
                let build = |url: String| async move {
                    BUILDS.fetch_add(1, Ordering::SeqCst);
                    let mut owner = sqlx::PgConnection::connect(&url).await?;
                    sqlx::query("create table built (n int)")
                        .execute(&mut owner)
                        .await?;
                    owner.close().await
                };
                TestDatabase::from_template(&key, build).await.unwrap()
            })
        })
        .collect();
    let mut names = std::collections::BTreeSet::new();
    for task in tasks {
        let database = task.await.unwrap();
        let mut owner = database.connect().await.unwrap();
        sqlx::query("insert into built values (1)")
            .execute(&mut owner)
            .await
            .unwrap();
        names.insert(database.name().to_owned());
    }
    assert_eq!((names.len(), BUILDS.load(Ordering::SeqCst)), (8, 1));
}

#[tokio::test]
async fn a_login_of_the_test_connects_without_a_password() {
    let database = TestDatabase::empty().await.unwrap();
    let login = unique_name("reader");
    let mut owner = database.connect().await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("create role {login} login"));
    sqlx::raw_sql(create).execute(&mut owner).await.unwrap();
    let mut reader = sqlx::PgConnection::connect(&database.url(&login))
        .await
        .unwrap();
    let who = "select current_user::text || ' in ' || current_database()";
    let who: String = sqlx::query_scalar(who)
        .fetch_one(&mut reader)
        .await
        .unwrap();
    assert_eq!(who, format!("{login} in {}", database.name()));
}

#[tokio::test]
async fn a_database_is_cheap_once_the_template_is_there() {
    TestServer::shared().await.unwrap();
    TestDatabase::new().await.unwrap();
    let started = Instant::now();
    TestDatabase::new().await.unwrap();
    // Some 50 ms; what this guards against is a migration for each.
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_standby_has_what_was_committed_and_takes_no_writes() {
    let database = TestDatabase::replicated().await.unwrap();
    database
        .script("create table mark as select 1 as one")
        .await
        .unwrap();
    database.replayed().await.unwrap();
    let url = database.standby_url("postgres").unwrap();
    let mut standby = sqlx::PgConnection::connect(&url).await.unwrap();
    let seen: (bool, i64) =
        sqlx::query_as("select pg_is_in_recovery(), (select count(*) from mark)")
            .fetch_one(&mut standby)
            .await
            .unwrap();
    assert_eq!(seen, (true, 1));
    let refused = sqlx::query("insert into mark values (2)")
        .execute(&mut standby)
        .await
        .unwrap_err();
    let code = refused.as_database_error().and_then(|error| error.code());
    assert_eq!(code.as_deref(), Some("25006"));
    let alone = TestDatabase::empty().await.unwrap();
    assert!(matches!(
        alone.replayed().await,
        Err(TestkitError::NoStandby)
    ));
}
