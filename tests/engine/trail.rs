//! The audit trail: who did what, when, to which run. What changes something for people leaves an
//! entry, whoever does it. The list is in `listed`, and the catalogue tells what it forgets.

mod listed;

use crate::scripted::{Scripted, TYPE};
use crate::start::of;
use listed::{AUDITED, actions_of};
use opsroom_engine::access::{
    self, GraphConnection, LoginKind, NewLogin, Place, UserRemoval, remove_login,
};
use opsroom_engine::retention::{self, Pruned};
use opsroom_engine::schedule::admin::{self, NewSchedule};
use opsroom_engine::schedule::{Missed, Scheduler};
use opsroom_engine::settings::{self, Change, Limit};
use opsroom_engine::{Registry, ensure_run, rollups};
use opsroom_model::{Role, TenantId};
use opsroom_testkit::{World, unique_name};
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection};
use std::collections::BTreeSet;

/// The trail as a test reads it: from one doing to the next.
struct Trail {
    owner: PgConnection,
    read: i64,
    seen: BTreeSet<String>,
}

impl Trail {
    async fn of(world: &World) -> Self {
        let mut owner = world.owner().await.unwrap();
        let read = sqlx::query_scalar("select coalesce(max(id), 0) from opsroom.audit")
            .fetch_one(&mut owner)
            .await
            .unwrap();
        let seen = BTreeSet::new();
        Self { owner, read, seen }
    }

    /// What was just done left these entries and no other; each says who and when, those of runs which.
    async fn has(&mut self, what: &str, expected: &[&str]) {
        let entries: Vec<(i64, String, bool)> = sqlx::query_as(
            "select id, action, subject <> '' and login_role in (select rolname from pg_catalog.pg_roles)
                    and at between now() - interval '10 minutes' and clock_timestamp()
                    and (action !~ '^run[.]' or run_id is not null and tenant_id is not null)
               from opsroom.audit where id > $1 order by id",
        )
        .bind(self.read)
        .fetch_all(&mut self.owner)
        .await
        .unwrap();
        let actions: Vec<&str> = entries.iter().map(|entry| entry.1.as_str()).collect();
        assert_eq!(actions, expected, "{what}");
        assert!(entries.iter().all(|entry| entry.2), "{what}: {entries:?}");
        self.read = entries.last().map_or(self.read, |entry| entry.0);
        self.seen.extend(entries.into_iter().map(|entry| entry.1));
    }

    /// What no program does, an administrator may.
    async fn by_hand(&mut self, statement: &str, expected: &[&str]) {
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
            .execute(&mut self.owner)
            .await
            .unwrap();
        self.has(statement, expected).await;
    }
}

fn registry(attempts: u16) -> Registry {
    let mut operation = Scripted::new(|_, _| Box::pin(async { Ok(()) }));
    operation.policy.max_attempts = attempts;
    operation.registry()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_doing_leaves_its_entry_and_doing_it_again_none() {
    let world = World::new().await.unwrap();
    let mut trail = Trail::of(&world).await;
    people(&world, &mut trail).await;
    administration(&world, &mut trail).await;
    schedules(&world, &mut trail).await;
    runs(&world, &mut trail).await;
    let listed: BTreeSet<String> = AUDITED
        .iter()
        .flat_map(|(table, actions)| actions_of(table, actions))
        .collect();
    assert_eq!(trail.seen, listed, "what is listed was done");
}

async fn people(world: &World, trail: &mut Trail) {
    let mut owner = world.owner().await.unwrap();
    for expected in [&["workspaces.insert"][..], &[]] {
        access::add_workspace(&mut owner, "lab").await.unwrap();
        trail.has("a workspace is added", expected).await;
    }
    for expected in [&["tenants.insert"][..], &[]] {
        access::add_tenant(&mut owner, "bench", "lab")
            .await
            .unwrap();
        trail.has("a tenant is added", expected).await;
    }
    for expected in [&["users.insert"][..], &[]] {
        access::add_user(&mut owner, "Kim Ray").await.unwrap();
        trail.has("a person is added", expected).await;
    }
    for (kind, place, again) in [
        (
            "workspace_members",
            Place::Workspace("lab".into(), None),
            Place::Workspace("lab".into(), Some(Role::Owner)),
        ),
        (
            "tenant_members",
            Place::Tenant("bench".into(), Role::Readonly),
            Place::Tenant("bench".into(), Role::Operator),
        ),
    ] {
        for (place, action) in [
            (&place, Some("insert")),
            (&again, Some("update")),
            (&again, None),
        ] {
            access::add_member(&mut owner, "Kim Ray", place)
                .await
                .unwrap();
            let expected = action.map(|action| format!("{kind}.{action}"));
            let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
            trail.has("a membership", &expected).await;
        }
        access::remove_member(&mut owner, "Kim Ray", &place)
            .await
            .unwrap();
        trail
            .has("a membership ends", &[&format!("{kind}.delete")])
            .await;
    }
    logins(&mut owner, trail).await;
    for secret in ["one", "two"] {
        let graph = GraphConnection {
            directory_id: "8a0a4d3e-0000-4000-8000-000000000001".into(),
            client_id: "8a0a4d3e-0000-4000-8000-000000000002".into(),
            secret_name: secret.into(),
        };
        access::connect_graph(&mut owner, "bench", &graph)
            .await
            .unwrap();
        let action = if secret == "one" { "insert" } else { "update" };
        trail
            .has(
                "a connection to Graph",
                &[&format!("graph_connections.{action}")],
            )
            .await;
    }
    for (rename, action) in [
        (
            "update opsroom.users set name = 'Kim R' where name = 'Kim Ray'",
            "users.update",
        ),
        (
            "update opsroom.workspaces set name = 'lab 2' where name = 'lab'",
            "workspaces.update",
        ),
    ] {
        trail.by_hand(rename, &[action]).await;
    }
    let removed = access::remove_user(&mut owner, "Kim R").await.unwrap();
    assert_eq!(removed, UserRemoval::Gone);
    trail.has("a person is removed", &["users.delete"]).await;
    access::remove_tenant(&mut owner, "bench").await.unwrap();
    trail
        .has(
            "a tenant is removed with its connection",
            &["tenants.delete", "graph_connections.delete"],
        )
        .await;
    access::remove_workspace(&mut owner, "lab 2").await.unwrap();
    trail
        .has("a workspace is removed", &["workspaces.delete"])
        .await;
}

async fn logins(owner: &mut PgConnection, trail: &mut Trail) {
    let login = unique_name("app");
    let tenants = ["north".to_owned()];
    let mut new = NewLogin {
        login: &login,
        kind: LoginKind::App,
        user: None,
        password: None,
        tenants: &tenants,
    };
    for expected in [&["logins.insert", "app_registrations.insert"][..], &[]] {
        access::add_login(owner, &new).await.unwrap();
        trail.has("a login is added", expected).await;
    }
    new.user = Some("Kim Ray");
    access::add_login(owner, &new).await.unwrap();
    trail.has("a login gets a person", &["logins.update"]).await;
    remove_login(owner, &login).await.unwrap();
    trail
        .has(
            "a login is removed",
            &["logins.delete", "app_registrations.delete"],
        )
        .await;
}

async fn administration(world: &World, trail: &mut Trail) {
    let mut owner = world.owner().await.unwrap();
    let change = Change {
        tenant_limit: Some(Limit::AtMost(5)),
        wake: Some(true),
        notification_days: Some(30),
    };
    settings::change_settings(&mut owner, change).await.unwrap();
    trail.has("settings", &["settings.update"]).await;
    settings::limit_tenant(&mut owner, TenantId(world.north), Limit::AtMost(3))
        .await
        .unwrap();
    trail.has("a tenant's limit", &["tenants.update"]).await;
    for expected in [&["retention.set"][..], &[]] {
        retention::set(&mut owner, TYPE, 7).await.unwrap();
        trail.has("retention of a type", expected).await;
    }
    for expected in [&["retention.reset"][..], &[]] {
        retention::reset(&mut owner, TYPE).await.unwrap();
        trail.has("retention as usual", expected).await;
    }
    let mut worker = world.connect(&world.worker).await.unwrap();
    let registered = [
        "role_capabilities.insert",
        "role_capabilities.insert",
        "role_capabilities.insert",
        "role_capabilities.insert",
        "operation_types.insert",
    ];
    for (attempts, expected) in [
        (3, &registered[..]),
        (3, &[]),
        (4, &["operation_types.update"]),
    ] {
        registry(attempts).publish(&mut worker).await.unwrap();
        trail.has("an operation is registered", expected).await;
    }
    for (by_hand, action) in [
        (
            "update opsroom.role_capabilities set role = 'readonly', capability = 'test.other' where capability = 'test.scripted' and role = 'manager'",
            "role_capabilities.update",
        ),
        (
            "delete from opsroom.role_capabilities where capability = 'test.other'",
            "role_capabilities.delete",
        ),
        (
            "delete from opsroom.operation_types where type = 'drift.generate'",
            "operation_types.delete",
        ),
    ] {
        trail.by_hand(by_hand, &[action]).await;
    }
}

async fn schedules(world: &World, trail: &mut Trail) {
    let mut worker = world.connect(&world.worker).await.unwrap();
    let registry = registry(3);
    let mut new = NewSchedule {
        tenant: TenantId(world.north),
        name: "every minute",
        run_type: TYPE,
        cron: "* * * * *",
        zone: "UTC",
        input: json!({}),
        missed: Missed::FireOnce,
    };
    let mut id = 0;
    for (missed, expected) in [
        (Missed::FireOnce, &["schedules.insert"][..]),
        (Missed::FireOnce, &[]),
        (Missed::Skip, &["schedules.update"]),
        (Missed::FireOnce, &["schedules.update"]),
    ] {
        new.missed = missed;
        id = admin::put(&mut worker, &registry, &new).await.unwrap().0.id;
        trail.has("a schedule is put", expected).await;
    }
    for expected in [&["schedules.pause"][..], &[]] {
        admin::pause(&mut worker, id).await.unwrap();
        trail.has("a schedule is paused", expected).await;
    }
    for expected in [&["schedules.resume"][..], &[]] {
        admin::resume(&mut worker, id).await.unwrap();
        trail.has("a schedule is resumed", expected).await;
    }
    let later = admin::now(&mut worker).await.unwrap() + chrono::TimeDelta::minutes(2);
    let pool = world.pool(&world.worker, 2).unwrap();
    let round = Scheduler::new(pool, registry)
        .with_clock(move || later)
        .round()
        .await
        .unwrap();
    assert_eq!(round.fired, 1);
    trail.has("a schedule fires", &["run.start"]).await;
    admin::remove(&mut worker, id).await.unwrap();
    trail
        .has("a schedule is removed", &["schedules.delete"])
        .await;
}

async fn runs(world: &World, trail: &mut Trail) {
    for login in [&world.starter, &world.worker] {
        let mut connection = world.connect(login).await.unwrap();
        for expected in [&["run.start"][..], &[]] {
            let start = of(world.north, json!({ "by": login }));
            ensure_run(&mut connection, &registry(3), start)
                .await
                .unwrap();
            trail.has("a run is started, and reused", expected).await;
        }
    }
    let app = world.login(LoginKind::App, None, &["north"]).await.unwrap();
    trail
        .has(
            "an application's login",
            &["logins.insert", "app_registrations.insert"],
        )
        .await;
    let insert = format!(
        "insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash)
         values ({}, 'System', 'billing.export', repeat('c', 64))",
        world.north
    );
    sqlx::raw_sql(AssertSqlSafe(insert))
        .execute(&mut world.connect(&app).await.unwrap())
        .await
        .unwrap();
    trail.has("an application's run", &["run.start"]).await;

    let end = "update opsroom.operation_runs set status = 'completed', outcome = 'failed', failure_summary = '[{\"code\":\"a.b\",\"message\":\"x\"}]'";
    trail.by_hand(end, &[]).await;
    let redact = "select opsroom.redact_run(min(id)) from opsroom.operation_runs";
    trail.by_hand(redact, &["run.redact"]).await;
    let old = "begin; set local session_replication_role = replica;
         update opsroom.operation_runs set created_at = now() - interval '99 days', completed_at = now() - interval '99 days';
         insert into opsroom.notifications (tenant_id, user_id, run_id, kind, run_type, created_at)
         select r.tenant_id, u.id, 0, 'failed', r.type, now() - interval '999 days' from opsroom.operation_runs r, opsroom.users u limit 1;
         update opsroom.notifications set created_at = now() - interval '999 days'; commit";
    trail.by_hand(old, &[]).await;
    let mut worker = world.connect(&world.worker).await.unwrap();
    rollups::catch_up(&mut worker).await.unwrap();
    trail.has("runs are counted", &[]).await;
    let forget = "select opsroom.prune_notifications(100)";
    for expected in [&["notifications.prune"][..], &[]] {
        sqlx::query(forget).execute(&mut worker).await.unwrap();
        trail.has("notifications are forgotten", expected).await;
    }
    let pruned = retention::prune(&mut worker, 100, None).await.unwrap();
    assert!(matches!(pruned, Pruned::Batch { .. }), "{pruned:?}");
    trail.has("runs are pruned", &["runs.prune"]).await;
}
