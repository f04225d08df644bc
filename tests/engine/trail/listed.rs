//! What leaves an entry in the audit trail and what does not, and that nothing is left out here.

use opsroom_testkit::World;
use std::collections::BTreeSet;

/// Every table that people's doings write, and the actions these leave.
pub(super) const AUDITED: &[(&str, &[&str])] = &[
    ("app_registrations", &["insert", "delete"]),
    ("graph_connections", &["insert", "update", "delete"]),
    ("logins", &["insert", "update", "delete"]),
    ("notifications", &["prune"]),
    ("operation_runs", &["run.start", "run.redact", "runs.prune"]),
    ("operation_types", &["insert", "update", "delete"]),
    ("retention", &["set", "reset"]),
    ("role_capabilities", &["insert", "update", "delete"]),
    (
        "schedules",
        &["insert", "update", "pause", "resume", "delete"],
    ),
    ("settings", &["update"]),
    ("tenant_members", &["insert", "update", "delete"]),
    ("tenants", &["insert", "update", "delete"]),
    ("users", &["insert", "update", "delete"]),
    ("workspace_members", &["insert", "update", "delete"]),
    ("workspaces", &["insert", "update", "delete"]),
];

/// Every other table, and why what is written there leaves no entry of its own.
const NOT_AUDITED: &[(&str, &str)] = &[
    ("audit", "is the trail"),
    ("claim_gate", "a lock"),
    ("inventory_items", "what a run observed; the run has one"),
    ("login_scope", "follows memberships"),
    ("operation_run_items", "part of a run"),
    ("reach", "follows memberships"),
    ("roles", "fixed by the migrations"),
    ("rollup_code_days", "counted from runs"),
    ("rollup_code_hours", "counted from runs"),
    ("rollup_days", "counted from runs"),
    ("rollup_horizons", "counted from runs"),
    ("rollup_hours", "counted from runs"),
    ("rollup_pending", "counted from runs"),
    ("rollup_recent", "counted from runs"),
    ("rollup_state", "counted from runs"),
    ("rollup_tenant_codes", "counted from runs"),
    ("run_attempts", "part of a run"),
    ("run_failures", "part of a run"),
    ("run_keys", "part of a run"),
    ("schedule_fires", "the run it fired has one"),
    ("schema_migrations", "a record of its own"),
    ("workers", "what programs say of themselves"),
];

/// Every function that writes and may be called, with the action it leaves, or in brackets why none.
const FUNCTIONS: &[(&str, &str)] = &[
    ("beat", "(what programs say of themselves)"),
    ("claim", "(the run's own record)"),
    ("declare_dead", "(what programs say of themselves)"),
    ("end_claims", "(the run's own record)"),
    ("ensure_run", "run.start"),
    ("pause_schedule", "schedules.pause"),
    ("prune_notifications", "notifications.prune"),
    ("prune_runs", "runs.prune"),
    ("prune_runs_after", "runs.prune"),
    ("prune_workers", "(what programs said of themselves)"),
    ("put_schedule", "schedules.insert"),
    ("redact_run", "run.redact"),
    ("refuse_future", "(writes nothing)"),
    ("register_operation_type", "operation_types.insert"),
    ("release_dead", "(the run's own record)"),
    ("remove_schedule", "schedules.delete"),
    ("resume_schedule", "schedules.resume"),
    ("rollup_add", "(counted from runs)"),
    ("rollup_rebuild", "(counted from runs)"),
    ("rollup_refresh", "(counted from runs)"),
    ("rollup_restart", "(counted from runs)"),
    ("rollup_tick", "(counted from runs)"),
    ("run_detail", "(writes nothing)"),
    ("show_progress", "(the run's own record)"),
    ("sync_reach", "(follows memberships)"),
];

pub(super) fn actions_of(table: &str, actions: &[&str]) -> Vec<String> {
    let named = |action: &&str| match action.contains('.') {
        true => (*action).to_owned(),
        false => format!("{table}.{action}"),
    };
    actions.iter().map(named).collect()
}

#[tokio::test]
async fn the_list_knows_every_table_and_every_function_that_writes() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let tables: BTreeSet<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relnamespace = 'opsroom'::regnamespace and relkind in ('r', 'p', 'f')",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap()
    .into_iter()
    .collect();
    let listed = AUDITED.iter().map(|(table, _)| *table);
    let listed = listed.chain(NOT_AUDITED.iter().map(|(table, _)| *table));
    assert_eq!(tables, listed.map(str::to_owned).collect());
    let functions: BTreeSet<String> = sqlx::query_scalar(
        "select proname::text from pg_proc
          where pronamespace = 'opsroom'::regnamespace and provolatile = 'v' and prorettype <> 'trigger'::regtype",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap()
    .into_iter()
    .collect();
    let listed = FUNCTIONS.iter().map(|(function, _)| (*function).to_owned());
    assert_eq!(functions, listed.collect());
    let actions: Vec<String> = AUDITED
        .iter()
        .flat_map(|(table, actions)| actions_of(table, actions))
        .collect();
    for (function, leaves) in FUNCTIONS {
        assert!(
            leaves.starts_with('(') || actions.iter().any(|action| action == leaves),
            "{function} leaves {leaves}, which nothing tests"
        );
    }
}
