//! The schema comes about once, whole, and only from a program that knows it.

use opsroom_engine::migrate::{MigrateError, SchemaState, known_version, migrate, schema_state};
use opsroom_engine::rollups;
use opsroom_testkit::TestDatabase;
use sqlx::PgConnection;

async fn versions(connection: &mut PgConnection) -> Vec<i64> {
    sqlx::query_scalar("select version from opsroom.schema_migrations order by version")
        .fetch_all(connection)
        .await
        .unwrap()
}

/// Every object of the schema, with what it is made of.
async fn objects(connection: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "select format('%s %s %s', c.relname, a.attname, a.atttypid::regtype) from pg_class c
           left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
          where c.relnamespace = 'opsroom'::regnamespace
         union all
         select p.oid::regprocedure || md5(p.prosrc) from pg_proc p where p.pronamespace = 'opsroom'::regnamespace
         union all
         select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
         union all
         select format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint
          where connamespace = 'opsroom'::regnamespace
         order by 1",
    )
    .fetch_all(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn twice_changes_nothing() {
    let database = TestDatabase::empty().await.unwrap();
    let mut owner = database.connect().await.unwrap();
    assert_eq!(
        schema_state(&mut owner).await.unwrap(),
        SchemaState::Missing
    );
    let mut told = Vec::new();
    let first = migrate(&mut owner, |version, _| told.push(version))
        .await
        .unwrap();
    assert_eq!(
        told,
        first
            .applied
            .iter()
            .map(|(version, _)| *version)
            .collect::<Vec<_>>()
    );
    assert_eq!(
        schema_state(&mut owner).await.unwrap(),
        SchemaState::Current
    );
    let before = objects(&mut owner).await;
    let second = migrate(&mut owner, |version, _| panic!("migration {version} again"))
        .await
        .unwrap();
    assert!(second.applied.is_empty());
    assert_eq!(second.version, known_version());
    assert_eq!(objects(&mut owner).await, before);
    let who: (String, String) = sqlx::query_as("select current_user::text, session_user::text")
        .fetch_one(&mut owner)
        .await
        .unwrap();
    assert_eq!(who.0, who.1, "the session is who it was");
}

#[tokio::test]
async fn a_migration_that_fails_leaves_what_was_before_it() {
    // The group roles are the server's, so that a schema of theirs can be in the way.
    TestDatabase::new().await.unwrap();
    let database = TestDatabase::empty().await.unwrap();
    let mut owner = database.connect().await.unwrap();
    // In the way of a late migration: everything before it must stay, nothing of it.
    sqlx::raw_sql(
        "create schema opsroom authorization opsroom_owner;
         create view opsroom.inventory_items as select 1 as one",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let error = migrate(&mut owner, |_, _| {}).await.unwrap_err();
    let MigrateError::Failed { version, .. } = &error else {
        panic!("{error}")
    };
    let applied = versions(&mut owner).await;
    assert_eq!(applied, (1..*version).collect::<Vec<_>>());
    let halves = "select count(*) from pg_class where relname = 'graph_connections'";
    let left: i64 = sqlx::query_scalar(halves)
        .fetch_one(&mut owner)
        .await
        .unwrap();
    assert_eq!(
        left, 0,
        "what the failing migration had done by then is gone"
    );
    assert!(matches!(
        schema_state(&mut owner).await.unwrap(),
        SchemaState::Missing | SchemaState::Older(_)
    ));

    sqlx::raw_sql("drop view opsroom.inventory_items")
        .execute(&mut owner)
        .await
        .unwrap();
    let repaired = migrate(&mut owner, |_, _| {}).await.unwrap();
    assert_eq!(
        repaired.applied[0].0, *version,
        "it goes on where it stopped"
    );
}

#[tokio::test]
async fn a_newer_database_is_left_alone() {
    let database = TestDatabase::new().await.unwrap();
    let mut owner = database.connect().await.unwrap();
    sqlx::query("insert into opsroom.schema_migrations (version, description, success, checksum, execution_time)
                 values (9999, 'of the future', true, '', 0)")
        .execute(&mut owner)
        .await
        .unwrap();
    let error = migrate(&mut owner, |_, _| {}).await.unwrap_err();
    assert!(
        matches!(error, MigrateError::TooNew { found: 9999, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("newer"), "{error}");
    assert_eq!(
        schema_state(&mut owner).await.unwrap(),
        SchemaState::Newer(9999)
    );
}

#[tokio::test]
async fn another_form_of_an_applied_migration_is_noticed() {
    let database = TestDatabase::new().await.unwrap();
    let mut owner = database.connect().await.unwrap();
    sqlx::query("update opsroom.schema_migrations set checksum = '\\x00' where version = 3")
        .execute(&mut owner)
        .await
        .unwrap();
    let error = migrate(&mut owner, |_, _| {}).await.unwrap_err();
    assert!(matches!(error, MigrateError::Changed(3)), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrators_at_once_wait_for_each_other() {
    let database = TestDatabase::empty().await.unwrap();
    let mut migrators = Vec::new();
    for _ in 0..4 {
        let mut owner = database.connect().await.unwrap();
        migrators.push(tokio::spawn(async move {
            migrate(&mut owner, |_, _| {}).await.unwrap().applied.len()
        }));
    }
    let mut applied = Vec::new();
    for migrator in migrators {
        applied.push(migrator.await.unwrap());
    }
    applied.sort_unstable();
    // Numbers may have gaps: what counts is the files.
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let all = std::fs::read_dir(folder).unwrap().count();
    assert_eq!(applied, [0, 0, 0, all]);
}

#[tokio::test]
async fn a_login_without_the_right_hears_which_one_it_lacks() {
    let database = TestDatabase::empty().await.unwrap();
    let login = opsroom_testkit::unique_name("plain");
    let create = format!("create role \"{login}\" login");
    let mut owner = database.connect().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(create))
        .execute(&mut owner)
        .await
        .unwrap();
    let mut plain = <PgConnection as sqlx::Connection>::connect(&database.url(&login))
        .await
        .unwrap();
    let error = migrate(&mut plain, |_, _| {}).await.unwrap_err();
    assert!(matches!(error, MigrateError::NotAllowed(_)), "{error}");
}

/// The migrations that are in databases already, with the beginnings of their checksums. Whoever adds
/// one adds its line; a line that is here is never changed: `migrate` refuses such databases.
const LANDED: &str = include_str!("landed.tsv");

#[tokio::test]
async fn what_landed_is_never_edited() {
    let database = TestDatabase::new().await.unwrap();
    let mut owner = database.connect().await.unwrap();
    let query = "select version || E'\\t' || left(encode(checksum, 'hex'), 16) from opsroom.schema_migrations order by version";
    let found: Vec<String> = sqlx::query_scalar(query)
        .fetch_all(&mut owner)
        .await
        .unwrap();
    assert_eq!(found, LANDED.lines().collect::<Vec<_>>());
}

/// A database as the first landing left it: migrations 1 to 11 and 13, and in use.
const USED: &str = r#"
insert into opsroom.workspaces (id, name) overriding system value values (1, 'emea');
insert into opsroom.tenants (id, workspace_id, name) overriding system value values (1, 1, 'contoso'), (2, 1, 'fabrikam');
insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, status, outcome, failure_summary,
  created_at, started_at, completed_at)
select 1 + n % 2, 'System', 'inventory.sync', encode(sha256(n::text::bytea), 'hex'), 'completed', 'failed',
  '[{"code":"graph.timeout","message":"m","count":9000000000000000000}]', t.at, t.at, t.at
  from generate_series(1, 40) n cross join lateral (select now() - n * interval '5 hours' as at) t;
insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash)
values (1, 'System', 'crm.sync', repeat('a', 64))"#;

#[tokio::test]
async fn a_database_in_use_is_brought_up_to_date() {
    let fresh = TestDatabase::new().await.unwrap();
    let database = TestDatabase::empty().await.unwrap();
    let mut owner = database.connect().await.unwrap();
    database
        .script(
            "create schema opsroom authorization opsroom_owner;
             create view opsroom.runs_initiator_type as select 1 as one;
             alter view opsroom.runs_initiator_type owner to opsroom_owner",
        )
        .await
        .unwrap();
    let error = migrate(&mut owner, |_, _| {}).await.unwrap_err();
    assert!(
        matches!(error, MigrateError::Failed { version: 12, .. }),
        "{error}"
    );
    let changes = include_str!("../../migrations/0013_changes.sql");
    database
        .script(&format!(
            "drop view opsroom.runs_initiator_type; set role opsroom_owner; {changes}"
        ))
        .await
        .unwrap();
    sqlx::query("insert into opsroom.schema_migrations (version, description, success, checksum, execution_time)
                 values (13, 'changes', true, sha384(convert_to($1, 'UTF8')), 0)")
        .bind(changes)
        .execute(&mut owner)
        .await
        .unwrap();
    database.script(USED).await.unwrap();

    let migrated = migrate(&mut owner, |_, _| {}).await.unwrap();
    let applied: Vec<i64> = migrated
        .applied
        .iter()
        .map(|(version, _)| *version)
        .collect();
    let landed = LANDED
        .lines()
        .filter_map(|line| line.split('\t').next()?.parse::<i64>().ok());
    let missing: Vec<_> = landed
        .filter(|version| *version == 12 || *version > 13)
        .collect();
    assert_eq!(applied, missing);
    let expected = objects(&mut fresh.connect().await.unwrap()).await;
    let found = objects(&mut owner).await;
    let differing: Vec<_> = (found.iter().filter(|object| !expected.contains(object)))
        .chain(expected.iter().filter(|object| !found.contains(object)))
        .collect();
    assert_eq!(
        differing,
        Vec::<&String>::new(),
        "not as in a fresh database"
    );
    rollups::catch_up(&mut owner).await.unwrap();
    let counted =
        "select sum(failed)::bigint from opsroom.rollup_days where tenant_id = 0 and type = ''";
    assert_eq!(database.number(counted).await.unwrap(), 40);
    let checked = rollups::check(&mut owner, |_, _, _| {}).await.unwrap();
    assert_eq!(checked.differing, []);
}
