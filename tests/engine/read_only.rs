//! A reader's login cannot write: not to any table there is, not by any statement, not after asking
//! for a session that may.

use crate::scripted::TYPE;
use opsroom_testkit::World;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

async fn relations(world: &World) -> Vec<String> {
    sqlx::query_scalar(
        "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where n.nspname = 'opsroom' and c.relkind in ('r', 'p', 'v', 'm') order by 1",
    )
    .fetch_all(&mut world.owner().await.unwrap())
    .await
    .unwrap()
}

async fn sqlstate(reader: &mut PgConnection, statement: &str) -> Option<String> {
    let error = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(reader)
        .await
        .err()?;
    Some(
        error
            .as_database_error()
            .and_then(|e| e.code())
            .unwrap_or_default()
            .into_owned(),
    )
}

/// Views are no tables to change, and not all of them can be written through.
const NO_TABLE: [&str; 2] = ["42809", "55000"];

/// The writes of a relation, none of which depends on what is in it.
fn writes(relation: &str) -> [String; 6] {
    [
        format!("insert into {relation} default values"),
        format!("update {relation} set {} = default", "ctid"),
        format!("delete from {relation}"),
        format!("truncate {relation} cascade"),
        format!("alter table {relation} add column x int"),
        format!("drop table {relation}"),
    ]
}

async fn update_of(world: &World, relation: &str) -> String {
    let column: String = sqlx::query_scalar(
        "select attname::text from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped limit 1",
    )
    .bind(relation)
    .fetch_one(&mut world.owner().await.unwrap())
    .await
    .unwrap();
    format!("update {relation} set {column} = {column}")
}

const DEFINITIONS: &[&str] = &[
    "create table opsroom.mine (x int)",
    "create table public.mine (x int)",
    "create schema mine",
    "create function opsroom.mine() returns int language sql as 'select 1'",
    "create function public.mine() returns int language sql as 'select 1'",
    "create view opsroom.mine as select 1",
    "create index on opsroom.operation_runs (type)",
    "create policy mine on opsroom.operation_runs using (true)",
    "alter table opsroom.operation_runs disable row level security",
    "alter table opsroom.operation_runs disable trigger all",
    "create role mine",
    "grant opsroom_worker to current_user",
    "grant select on opsroom.audit to current_user",
    "set role opsroom_owner",
    "set role opsroom_worker",
    "set session_replication_role = replica",
    "alter role current_user superuser",
    "create database mine",
    "create extension pg_trgm",
    "copy opsroom.operation_runs (id) to '/dev/null'",
    "copy (select 1) to program 'true'",
    "select opsroom.claim(gen_random_uuid(), 1, '{}', 0)",
    "select opsroom.beat(gen_random_uuid())",
    "select opsroom.declare_dead()",
    "select opsroom.release_dead(1, '')",
    "select opsroom.redact_run(1)",
    "select opsroom.register_operation_type('inventory.sync', 'x', null, 1, '{}')",
    "select opsroom.sync_reach('{}', '{}')",
];

#[tokio::test]
async fn every_write_to_every_table_is_refused() {
    let world = World::new().await.unwrap();
    // So that a write that was let through would have something to change.
    world.queued(world.north, TYPE, &json!({})).await.unwrap();
    let relations = relations(&world).await;
    assert!(
        relations.len() > 20,
        "the catalogue was read: {relations:?}"
    );
    for login in [&world.reader, &world.developer, &world.oncall] {
        for permitted in [false, true] {
            let mut reader = world.connect(login).await.unwrap();
            if permitted {
                let ask =
                    "set default_transaction_read_only = off; set transaction_read_only = off";
                sqlx::raw_sql(ask).execute(&mut reader).await.unwrap();
            }
            let refusals: &[&str] = if permitted {
                &["42501"]
            } else {
                &["42501", "25006"]
            };
            for relation in &relations {
                let mut statements = writes(relation).to_vec();
                statements[1] = update_of(&world, relation).await;
                for statement in statements {
                    let state = sqlstate(&mut reader, &statement).await;
                    let refused = state.as_deref().is_some_and(|state| {
                        refusals.contains(&state) || NO_TABLE.contains(&state)
                    });
                    assert!(
                        refused,
                        "{login}, read-write {permitted}: {statement}: {state:?}"
                    );
                }
            }
            for statement in DEFINITIONS {
                let state = sqlstate(&mut reader, statement).await;
                let refused = state
                    .as_deref()
                    .is_some_and(|state| refusals.contains(&state) || state == "42501");
                assert!(
                    refused,
                    "{login}, read-write {permitted}: {statement}: {state:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_transaction_that_asks_to_write_is_refused_as_well() {
    let world = World::new().await.unwrap();
    let run = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    let mut reader = world.connect(&world.reader).await.unwrap();
    for begin in [
        "begin read write",
        "begin; set transaction read write",
        "begin isolation level serializable read write",
    ] {
        for write in [
            "delete from opsroom.operation_runs",
            "select id from opsroom.operation_runs for update",
        ] {
            assert_eq!(
                sqlstate(&mut reader, &format!("{begin}; {write}"))
                    .await
                    .as_deref(),
                Some("42501"),
                "{begin}: {write}"
            );
            sqlx::raw_sql("rollback")
                .execute(&mut reader)
                .await
                .unwrap();
        }
    }
    let mut plain = world.connect(&world.reader).await.unwrap();
    let read_only: String = sqlx::query_scalar("show transaction_read_only")
        .fetch_one(&mut plain)
        .await
        .unwrap();
    assert_eq!(
        read_only, "on",
        "a session begins without the wish to write"
    );
    plain.close().await.unwrap();
    assert_eq!(world.run(run).await.unwrap()["status"], "queued");
}

#[tokio::test]
async fn every_table_has_row_security_and_no_function_is_public() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let open: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relnamespace = 'opsroom'::regnamespace and relkind in ('r', 'p') and not relrowsecurity",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    assert!(open.is_empty(), "without row security: {open:?}");
    let public: Vec<String> = sqlx::query_scalar(
        "select p.oid::regprocedure::text from pg_proc p
          where p.pronamespace = 'opsroom'::regnamespace
            and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0)",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    assert!(public.is_empty(), "executable by everybody: {public:?}");
    let unpinned: Vec<String> = sqlx::query_scalar(
        "select p.oid::regprocedure::text from pg_proc p
          where p.pronamespace = 'opsroom'::regnamespace and p.prosecdef
            and not coalesce('search_path=pg_catalog, pg_temp' = any (p.proconfig), false)",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    assert!(
        unpinned.is_empty(),
        "definer functions with a search path of the caller's: {unpinned:?}"
    );
    let granted: Vec<String> = sqlx::query_scalar(
        "select c.relname || ' ' || a.privilege_type from pg_class c, aclexplode(c.relacl) a
          where c.relnamespace = 'opsroom'::regnamespace and a.grantee = 0",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    assert!(granted.is_empty(), "granted to everybody: {granted:?}");
}

#[tokio::test]
async fn a_function_of_a_later_migration_is_not_public_either() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let later = "set role opsroom_owner; create function opsroom.later() returns int language sql as 'select 1'; reset role";
    sqlx::raw_sql(later).execute(&mut owner).await.unwrap();
    let mut reader = world.connect(&world.reader).await.unwrap();
    assert_eq!(
        sqlstate(&mut reader, "select opsroom.later()")
            .await
            .as_deref(),
        Some("42501")
    );
}
