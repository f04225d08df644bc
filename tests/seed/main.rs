//! Loading history: both ways leave the same rows and the same schema, an interrupted bulk load
//! leaves nothing.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where its world is not as it must be"
)]

use opsroom_seed::{Plan, Stage, Way, seed};
use opsroom_testkit::{TestDatabase, eventually};
use sqlx::PgConnection;
use std::time::Duration;

fn plan(way: Way) -> Plan {
    Plan {
        runs: 6_000,
        tenants: 40,
        days: 20,
        active: 120,
        on_call: None,
        way,
    }
}

async fn text(owner: &mut PgConnection, query: &'static str) -> String {
    let found: Option<String> = sqlx::query_scalar(query).fetch_one(owner).await.unwrap();
    found.unwrap()
}

/// What both ways must agree on: history ends at the moment it is made, so times count from its
/// first run.
const ROWS: &str = "
select md5(string_agg(x::text, ' ' order by x::text)) from (
  select r.id, r.tenant_id, r.user_id, r.initiator_name, r.type, r.status, r.outcome, r.run_identity_hash, r.summary_counts,
    r.failure_summary, r.context, r.completed_at - r.started_at, r.updated_at - r.completed_at, r.available_at - r.created_at,
    r.claim_no, r.attempt, r.max_attempts, r.worker_id, r.claimed_at, r.priority, r.duration_bucket,
    (select array_agg((f.ord, f.code, f.n, f.created_at = r.created_at, f.type, f.initiator_name, f.outcome)
       order by f.ord)
       from opsroom.run_failures f where f.run_id = r.id and f.tenant_id = r.tenant_id),
    (select array_agg((k.key, k.value, k.capability, k.created_at = r.created_at) order by k.key)
       from opsroom.run_keys k where k.run_id = r.id and k.tenant_id = r.tenant_id)
  from opsroom.operation_runs r where r.status = 'completed') x";

const SCHEMA: &str = "
select string_agg(line, ' ' order by line) from (
  select pg_get_indexdef(indexrelid) as line from pg_index where indrelid::regclass::text like 'opsroom.%'
  union all select conname || pg_get_constraintdef(oid) || conrelid::regclass from pg_constraint where conrelid::regclass::text like 'opsroom.%'
  union all select tgname || tgenabled::text || tgrelid::regclass from pg_trigger where not tgisinternal) s";

#[tokio::test]
async fn both_ways_leave_the_same_rows_and_the_same_schema() {
    let mut found = Vec::new();
    for way in [Way::Chunks, Way::Bulk] {
        let database = TestDatabase::new().await.unwrap();
        let mut owner = database.connect().await.unwrap();
        let before = text(&mut owner, SCHEMA).await;
        let mut stages = Vec::new();
        seed(&mut owner, &plan(way), &mut |stage| stages.push(stage))
            .await
            .unwrap();
        assert_eq!(text(&mut owner, SCHEMA).await, before, "{way:?}");
        let built = stages
            .iter()
            .filter(|stage| matches!(stage, Stage::Building { .. }))
            .count();
        assert_eq!(built > 15, way == Way::Bulk, "{built}");
        found.push(text(&mut owner, ROWS).await);
        let other = "select format('%s %s %s %s', (select count(*) from opsroom.run_failures), (select count(*) from opsroom.run_keys),
            (select count(*) from opsroom.notifications), (select count(*) from opsroom.audit where action = 'run.start'))";
        found.push(text(&mut owner, other).await);
        let active = "select format('%s %s %s', count(*) filter (where available_at is null) > 3,
            count(*) filter (where status = 'running') > 20, count(*) > 80) from opsroom.operation_runs where outcome = 'pending'";
        assert_eq!(text(&mut owner, active).await, "t t t");
    }
    assert_eq!(found[0], found[2]);
    assert_eq!(found[1], found[3]);
}

/// Ends where the load would begin to build: everything is taken off by then, and half is loaded.
#[tokio::test]
async fn an_interrupted_bulk_load_leaves_everything_as_it_was() {
    let database = TestDatabase::new().await.unwrap();
    let mut owner = database.connect().await.unwrap();
    seed(&mut owner, &plan(Way::Chunks), &mut |_| {})
        .await
        .unwrap();
    let (schema, rows) = (text(&mut owner, SCHEMA).await, text(&mut owner, ROWS).await);
    let url = database.superuser_url();
    let half = tokio::spawn(async move {
        let mut doomed = <PgConnection as sqlx::Connection>::connect(&url)
            .await
            .unwrap();
        let mut told = |stage| assert!(!matches!(stage, Stage::Building { at: 5, .. }), "enough");
        seed(&mut doomed, &plan(Way::Bulk), &mut told).await
    });
    assert!(half.await.is_err(), "it was interrupted");
    eventually(Duration::from_secs(20), "the tables are free again", async || {
        let free = "select (not exists (select from pg_locks where mode = 'AccessExclusiveLock' and database = (select oid from pg_database where datname = current_database())))::text";
        let mut watch = database.connect().await.unwrap();
        text(&mut watch, free).await == "true"
    })
    .await
    .unwrap();
    assert_eq!(text(&mut owner, SCHEMA).await, schema);
    assert_eq!(text(&mut owner, ROWS).await, rows);
}
