//! What hardening leaves: no more volatile functions than the checked-in list says, and everything
//! that opsroom itself needs.

use crate::scripted::{Scripted, TYPE, execute};
use opsroom_engine::Registry;
use opsroom_engine::access::{AccessError, LoginKind, NewLogin, add_login, harden, remove_login};
use opsroom_engine::migrate::migrate;
use opsroom_engine::start::{Initiator, Start, Wake, ensure_run};
use opsroom_model::TenantId;
use opsroom_testkit::{World, unique_name};
use sqlx::AssertSqlSafe;
use std::collections::BTreeSet;

/// `schema.name login-kinds`, by name over all majors: a name that an older server does not have is
/// no fault, one that is not here is.
const ALLOWED: &str = include_str!("attacks/volatile-functions.txt");

/// Volatile functions a login may call. Left out: what SQL cannot call (triggers, handlers, `internal`).
const CALLABLE: &str = "select distinct n.nspname || '.' || p.proname
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
 where p.provolatile = 'v' and has_function_privilege($1, p.oid, 'execute')
   and has_schema_privilege($1, n.oid, 'usage')
   and p.prorettype::regtype::text not in ('trigger', 'event_trigger', 'internal', 'language_handler', 'fdw_handler',
                                           'index_am_handler', 'tsm_handler', 'table_am_handler')
   and not 'internal'::regtype = any (p.proargtypes::oid[])";

fn allowed(kind: &str) -> BTreeSet<String> {
    let lines = ALLOWED
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let name = words.next()?;
            words.any(|word| word == kind).then(|| name.to_owned())
        })
        .collect()
}

#[tokio::test]
async fn no_volatile_function_beyond_the_list_can_be_called() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    harden(&mut owner).await.unwrap();
    let app = world.login(LoginKind::App, None, &["north"]).await.unwrap();
    for (kind, login) in [
        ("reader", &world.reader),
        ("starter", &world.starter),
        ("worker", &world.worker),
        ("app", &app),
    ] {
        let callable: Vec<String> = sqlx::query_scalar(CALLABLE)
            .bind(login)
            .fetch_all(&mut owner)
            .await
            .unwrap();
        let callable: BTreeSet<String> = callable.into_iter().collect();
        let allowed = allowed(kind);
        let beyond: Vec<_> = callable.difference(&allowed).collect();
        assert!(
            beyond.is_empty(),
            "a {kind} may call {beyond:?}: take it away in harden.rs, or say in volatile-functions.txt why not"
        );
        let ours: Vec<_> = allowed
            .difference(&callable)
            .filter(|name| name.starts_with("opsroom."))
            .collect();
        assert!(
            ours.is_empty(),
            "listed, but a {kind} may not call {ours:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starters_workers_and_migrations_go_on() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    harden(&mut owner).await.unwrap();
    // Started by a person, who wakes the workers.
    let registry = Registry::new()
        .with(Scripted::new(|_, _| Box::pin(async { Ok(()) })))
        .unwrap();
    registry.publish(&mut owner).await.unwrap();
    let mut starter = world.connect(&world.starter).await.unwrap();
    let started = ensure_run(
        &mut starter,
        &registry,
        Start {
            tenant: TenantId(world.north),
            run_type: TYPE,
            input: serde_json::Value::Null,
            initiator: Initiator::System,
            wake: Wake::Notify,
            priority: opsroom_engine::Priority::Normal,
            transport: opsroom_engine::Transport::Workers,
        },
    )
    .await;
    assert!(started.is_ok(), "{started:?}");
    let row = execute(
        &world,
        Scripted::new(|run, _| {
            Box::pin(async move {
                run.start_over(1);
                run.succeeded(1);
                Ok(())
            })
        }),
    )
    .await;
    assert_eq!(row["outcome"], "succeeded", "{row:#}");
    let again = migrate(&mut owner, |_, _| {}).await.unwrap();
    assert!(again.applied.is_empty());
    assert!(
        harden(&mut owner).await.unwrap().is_empty(),
        "migrating undid nothing"
    );
}

#[tokio::test]
async fn an_administrator_without_superuser_goes_on() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    harden(&mut owner).await.unwrap();
    let administrator = unique_name("administrator");
    let create = format!("create role {administrator} login createrole in role opsroom_owner");
    sqlx::raw_sql(AssertSqlSafe(create))
        .execute(&mut owner)
        .await
        .unwrap();
    let mut administrator = world.connect(&administrator).await.unwrap();
    let again = migrate(&mut administrator, |_, _| {}).await.unwrap();
    assert!(again.applied.is_empty());
    let login = unique_name("reader");
    let new = NewLogin {
        login: &login,
        kind: LoginKind::Reader,
        user: Some("Sam Reyes"),
        password: None,
        tenants: &[],
    };
    add_login(&mut administrator, &new).await.unwrap();
    world.connect(&login).await.unwrap();
    remove_login(&mut administrator, &login).await.unwrap();
}

#[tokio::test]
async fn only_a_superuser_hardens() {
    let world = World::new().await.unwrap();
    for login in [&world.worker, &world.reader] {
        let refused = harden(&mut world.connect(login).await.unwrap()).await;
        assert!(
            matches!(refused, Err(AccessError::NeedsSuperuser)),
            "{refused:?}"
        );
    }
}
