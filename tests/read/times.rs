//! Moments no calendar holds: another application may have written them before they were refused.

use crate::world::World;
use opsroom_model::RunId;
use opsroom_model::query::{Query, parse};
use opsroom_read::{Lookup, PageRequest, Reader};
use std::collections::BTreeSet;

/// Rows as only somebody without our constraints and triggers could leave them: the latest and the
/// earliest moment there are, each finite and not, in every column, in each state.
const ODD: &str = "
do $$ declare c record; begin
  for c in select conname, conrelid::regclass as rel from pg_constraint
            where contype = 'c' and connamespace = 'opsroom'::regnamespace loop
    execute format('alter table %s drop constraint %I', c.rel, c.conname);
  end loop;
end $$;
set session_replication_role = replica;
insert into opsroom.operation_runs (id, tenant_id, initiator_name, type, run_identity_hash, status, outcome,
    created_at, updated_at, started_at, completed_at, available_at, worker_id)
  select 1000 + 10 * m.n + s.n, 1, 'System', 'inventory.sync', encode(sha256(('odd' || m.n * 10 + s.n)::bytea), 'hex'),
         s.status, s.outcome, m.at, m.at,
         case when s.status <> 'queued' then m.at end, case when s.status = 'completed' then m.at end, m.at,
         case when s.status <> 'queued' then '00000000-0000-4000-8000-000000000001'::uuid end
    from unnest('{infinity,-infinity,280000-01-01,294276-12-31 23:59:59.999999+00,4700-01-01 00:00:00+00 BC,1899-12-31}'::timestamptz[])
         with ordinality m (at, n),
         (values (0, 'queued', 'pending'), (1, 'running', 'pending'), (2, 'completed', 'succeeded')) s (n, status, outcome);
insert into opsroom.run_attempts (tenant_id, run_id, claim_no, attempt, started_at, ended_at, ended)
  select 1, 1012, n, 1, m.at, coalesce(m.at, now()), 'retry'
    from unnest('{infinity,-infinity,280000-01-01,null}'::timestamptz[]) with ordinality m (at, n);
insert into opsroom.operation_run_items (tenant_id, run_id, item_key, label, status, updated_at)
  select 1, 1012, 'k' || n, 'l', 'succeeded', m.at
    from unnest('{infinity,-infinity,280000-01-01}'::timestamptz[]) with ordinality m (at, n);
insert into opsroom.workers (id, name, pid, version, types, slots, lease, started_at, beat_at) values
  ('00000000-0000-4000-8000-000000000001', 'w', 1, '1', '{inventory.sync}', 4, '10 min', '-infinity', 'infinity');
";

async fn walk(reader: &mut Reader, query: Query, limit: u32) -> Vec<i64> {
    let mut request = PageRequest {
        query,
        limit,
        before: None,
    };
    let mut walked = Vec::new();
    loop {
        let page = reader.page(&request, &[]).await.unwrap();
        let again = reader.page(&request, &page.rows).await.unwrap();
        assert_eq!(page.rows, again.rows);
        walked.extend(page.rows.iter().map(|row| row.id.0));
        request.before = page.rows.last().map(|row| row.cursor());
        if !page.more || walked.len() > 1000 {
            return walked;
        }
    }
}

#[tokio::test]
async fn lists_go_through_rows_with_impossible_moments() {
    let world = World::new().await;
    let mut reader = world.oncall().await;
    let before = walk(&mut reader, Query::default(), 100).await;
    world.database.script(ODD).await.unwrap();
    let whole = walk(&mut reader, Query::default(), 100).await;
    for id in before {
        assert!(whole.contains(&id), "{id} left the list");
    }
    // Every active one, and those that ended within the window or after all time.
    for id in [1010, 1011, 1012, 1020, 1021, 1030, 1032, 1042, 1050, 1061] {
        assert!(whole.contains(&id), "{id} is missing");
    }
    assert_eq!(walk(&mut reader, Query::default(), 2).await, whole);
    let distinct: BTreeSet<_> = whole.iter().collect();
    assert_eq!(distinct.len(), whole.len());
}

#[tokio::test]
async fn the_rest_of_the_screen_survives_them_too() {
    let world = World::new().await;
    world.database.script(ODD).await.unwrap();
    let mut reader = world.oncall().await;
    reader.headline(&Query::default()).await.unwrap();
    reader.headline(&parse("since:1h").unwrap()).await.unwrap();
    reader.workers().await.unwrap();
    reader.checkup().await.unwrap();
    for moment in 1..=6 {
        for state in 0..3 {
            let id = RunId(1000 + 10 * moment + state);
            let found = reader.run(id).await.unwrap();
            assert!(matches!(found, Lookup::Found(_)), "{id}");
        }
    }
    assert_eq!(
        reader.items(RunId(1012), "", 10).await.unwrap().items.len(),
        3
    );
    let attempts = reader.attempts(RunId(1012)).await.unwrap();
    assert_eq!(attempts.len(), 4);
    assert!(attempts.iter().all(|attempt| attempt.started_at.is_none()));
}

#[tokio::test]
async fn the_oldest_queued_is_one_that_can_have_waited() {
    let world = World::new().await;
    world.database.script(ODD).await.unwrap();
    let mut reader = world.oncall().await;
    let headline = reader.headline(&Query::default()).await.unwrap();
    let age = headline.as_of - headline.oldest_queued.unwrap();
    assert!(age.num_minutes() < 5, "{age}");
}

#[tokio::test]
async fn an_attempt_that_never_began_has_no_beginning() {
    let world = World::new().await;
    let script = "insert into opsroom.run_attempts (tenant_id, run_id, claim_no, attempt, started_at, ended) \
                  values (2, 3, 1, 1, null, 'lost'), (2, 3, 2, 2, now() - interval '3 s', 'partially_succeeded')";
    world.database.script(script).await.unwrap();
    let attempts = world.oncall().await.attempts(RunId(3)).await.unwrap();
    let begun: Vec<_> = attempts.iter().map(|a| a.started_at.is_some()).collect();
    assert_eq!(begun, [false, true]);
}
