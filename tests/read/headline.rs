//! Counts, the oldest queued run, stuck runs.

use crate::world::{World, page};
use opsroom_model::query::{Query, parse};
use opsroom_model::{Bucket, RunId};
use opsroom_read::Stuck;

const WORKER: &str = "insert into opsroom.workers (id, name, pid, version, types, slots, lease) values \
    ('00000000-0000-4000-8000-000000000001', 'w', 1, '1', '{backup_schedule.run_now}', 4, '10 min');";

/// Queued, running, succeeded, partial, failed.
fn counts(headline: &opsroom_read::Headline) -> [u64; 5] {
    let of = |bucket| headline.count(bucket).n;
    [
        Bucket::Queued,
        Bucket::Running,
        Bucket::Succeeded,
        Bucket::Partial,
        Bucket::Failed,
    ]
    .map(of)
}

#[tokio::test]
async fn counts_are_per_bucket_whatever_states_are_asked_for() {
    let world = World::new().await;
    let mut reader = world.oncall().await;
    let all = reader.headline(&Query::default()).await.unwrap();
    assert_eq!(counts(&all), [2, 1, 4, 1, 2]);
    let failed = reader.headline(&parse("is:failed").unwrap()).await.unwrap();
    assert_eq!(counts(&failed), counts(&all));
    let one = reader
        .headline(&parse("tenant:contoso").unwrap())
        .await
        .unwrap();
    assert_eq!(counts(&one), [1, 0, 1, 0, 2]);
}

#[tokio::test]
async fn what_is_searched_is_counted_from_below_where_not_all_was_looked_at() {
    let world = World::new().await;
    let many = "insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, status, outcome, created_at, started_at, completed_at) \
        select 1, 'System', 'inventory.sync', repeat('d', 64), 'completed', 'succeeded', c.at, c.at, c.at \
          from generate_series(1, 10100) n cross join lateral (select now() - n * interval '1 min' as at) c";
    world.database.script(many).await.unwrap();
    let mut reader = world.oncall().await;
    for (query, cut) in [
        ("nothing-has-this", false),
        ("tenant:contoso,adatum nothing-has-this", true),
        ("took:>10h", false),
        ("tenant:contoso,adatum took:>10h", true),
        (
            "tenant:contoso,adatum -by:system -type:inventory.sync -type:restore.execute",
            true,
        ),
        ("tenant:contoso,adatum code:nothing.*", true),
    ] {
        let headline = reader.headline(&parse(query).unwrap()).await.unwrap();
        let succeeded = headline.count(Bucket::Succeeded);
        assert_eq!((succeeded.n, succeeded.more), (0, cut), "{query}");
        assert!(!headline.count(Bucket::Failed).more, "{query}");
    }
}

#[tokio::test]
async fn a_code_of_very_many_runs_is_counted_from_below() {
    let world = World::new().await;
    let script = "insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, status, outcome,
             created_at, started_at, completed_at, failure_summary)
           select 1, 'System', 'crm.sync', encode(sha256(('m' || n)::bytea), 'hex'), 'completed', o.outcome,
             now() - interval '1 h', now() - interval '1 h', now(), '[{\"code\":\"test.many\"}]'
           from generate_series(1, 1001) n, unnest(array['failed', 'partially_succeeded']) o (outcome)
           where n < 1001 or o.outcome = 'failed'";
    world.database.script(script).await.unwrap();
    for reader in [
        &mut world.oncall().await,
        &mut world.reader(&world.dev).await,
    ] {
        let headline = reader
            .headline(&parse("code:test.many").unwrap())
            .await
            .unwrap();
        let of = |bucket| headline.count(bucket);
        assert_eq!(
            (of(Bucket::Failed).n, of(Bucket::Failed).more),
            (1_000, true)
        );
        assert_eq!(
            (of(Bucket::Partial).n, of(Bucket::Partial).more),
            (1_000, false)
        );
    }
}

/// A run that is tried again carries the failures of its last attempt.
#[tokio::test]
async fn runs_with_a_code_are_counted_by_their_own_states() {
    let world = World::new().await;
    let script = "insert into opsroom.operation_runs (id, tenant_id, initiator_name, type, run_identity_hash, status, outcome,
             created_at, started_at, completed_at, failure_summary)
           select 400 + n, 1 + n % 2, 'System', 'crm.sync', encode(sha256(('c' || n)::bytea), 'hex'), s.status, s.outcome,
             now() - interval '1 h', case when s.status <> 'queued' then now() end, case when s.status = 'completed' then now() end,
             jsonb_build_array(jsonb_build_object('code', 'test.once'), jsonb_build_object('code', case when n % 2 = 0 then 'test.even' else 'test.once' end))
           from generate_series(0, 11) n cross join lateral (select
             (array['queued', 'running', 'completed', 'completed'])[1 + n % 4] as status,
             (array['pending', 'pending', 'failed', 'partially_succeeded'])[1 + n % 4] as outcome) s";
    world.database.script(script).await.unwrap();
    let mut oncall = world.oncall().await;
    let mut dev = world.reader(&world.dev).await;
    for (query, expected) in [
        ("code:test.once", [3, 3, 0, 3, 3]),
        ("code:test.even", [3, 0, 0, 0, 3]),
        ("code:test.once,test.even", [3, 3, 0, 3, 3]),
        ("code:test.once type:crm.sync by:system", [3, 3, 0, 3, 3]),
        ("code:test.once tenant:contoso", [3, 0, 0, 0, 3]),
        ("code:test.once tenant:contoso,fabrikam", [3, 3, 0, 3, 3]),
        ("code:test.once since:10m", [0; 5]),
    ] {
        let headline = oncall.headline(&parse(query).unwrap()).await.unwrap();
        assert_eq!(counts(&headline), expected, "{query}");
    }
    let mine = dev.headline(&parse("code:test.once").unwrap()).await;
    assert_eq!(counts(&mine.unwrap()), [3, 0, 0, 0, 3]);
    let running = page(&mut oncall, "code:test.once is:running").await;
    assert_eq!(running.rows.len(), 3);
}

#[tokio::test]
async fn what_waits_for_a_confirmation_is_not_the_oldest_queued() {
    let world = World::new().await;
    let mut reader = world.oncall().await;
    let headline = reader.headline(&Query::default()).await.unwrap();
    let age = headline.as_of - headline.oldest_queued.unwrap();
    assert!(age.num_minutes() < 5, "{age}");
}

/// Behind a backlog each count is asked for by itself: what is told stays the same.
#[tokio::test]
async fn a_backlog_is_told_as_few_are() {
    let world = World::new().await;
    let script = "insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, status,
             created_at, available_at, started_at)
           select 2, 'System', 'crm.sync', encode(sha256(('b' || n)::bytea), 'hex'), s.status, now() - n * interval '1 s',
             case s.status when 'queued' then now() end, case s.status when 'running' then now() end
           from generate_series(1, 2400) n cross join lateral (select case when n % 3 = 0 then 'running' else 'queued' end) s (status)";
    let mut oncall = world.oncall().await;
    let mut dev = world.reader(&world.dev).await;
    let before = dev.headline(&Query::default()).await.unwrap();
    world.database.script(script).await.unwrap();
    let all = oncall.headline(&Query::default()).await.unwrap();
    assert_eq!(counts(&all), [1_602, 801, 4, 1, 2]);
    let age = all.as_of - all.oldest_queued.unwrap();
    assert!((2_398..2_460).contains(&age.num_seconds()), "{age}");
    assert!(all.stuck.n > 600 && all.stuck.more, "{:?}", all.stuck);
    let one = oncall
        .headline(&parse("tenant:fabrikam type:crm.sync since:301s").unwrap())
        .await
        .unwrap();
    assert_eq!(counts(&one), [200, 100, 0, 0, 0]);
    // Others' runs are neither counted nor waited for.
    let mine = dev.headline(&Query::default()).await.unwrap();
    let told = |headline: &opsroom_read::Headline| {
        let stuck = (headline.stuck.n, headline.stuck.more);
        (counts(headline), headline.oldest_queued, stuck)
    };
    assert_eq!(told(&mine), told(&before));
}

#[tokio::test]
async fn since_holds_for_the_whole_headline() {
    let world = World::new().await;
    let script = "insert into opsroom.operation_runs (id, tenant_id, initiator_name, type, run_identity_hash, created_at, available_at) \
                  values (300, 1, 'System', 'crm.sync', encode(sha256('300'), 'hex'), now() - interval '3 h', now())";
    world.database.script(script).await.unwrap();
    let mut reader = world.oncall().await;
    for (query, stuck, oldest) in [
        ("", 2, Some(179..182)),
        ("since:1h", 1, Some(0..5)),
        ("since:1s", 0, None),
        // A run that is named is meant, however old; what else is asked must hold, too.
        ("id:300", 1, Some(179..182)),
        ("since:1h id:300", 0, None),
    ] {
        let headline = reader.headline(&parse(query).unwrap()).await.unwrap();
        assert_eq!(headline.stuck.n, stuck, "{query}");
        let age = headline
            .oldest_queued
            .map(|since| (headline.as_of - since).num_minutes());
        let fits = match (&oldest, age) {
            (Some(range), Some(age)) => range.contains(&age),
            (None, None) => true,
            _ => false,
        };
        assert!(fits, "{query}: {age:?}");
    }
}

#[tokio::test]
async fn any_number_of_the_dead_hides_none_of_the_living() {
    let world = World::new().await;
    let script = "insert into opsroom.workers (id, name, pid, version, types, slots, lease, beat_at, dead_at) \
          select gen_random_uuid(), 'a' || n, 1, '1', '{}', 1, '10 s', now() - ago, case when n % 2 = 0 then now() - ago end \
            from generate_series(1, 12000) n, lateral (select make_interval(mins => n % 50 + 1)) a (ago); \
        insert into opsroom.workers (id, name, pid, version, types, slots, lease, beat_at) \
          values (gen_random_uuid(), 'long-gone', 1, '1', '{}', 1, '10 s', now() - interval '1 d'); \
        insert into opsroom.workers (id, name, pid, version, types, slots, lease) \
          select gen_random_uuid(), 'w' || n, 1, '1', '{}', 1, '10 min' from generate_series(1, 700) n";
    world.database.script(script).await.unwrap();
    let workers = world.oncall().await.workers().await.unwrap();
    let alive = workers.iter().take_while(|worker| worker.alive).count();
    assert_eq!(alive, 700);
    assert!(workers.len() < 2_000, "{}", workers.len());
    assert!(
        workers
            .iter()
            .all(|worker| worker.name.as_str() != "long-gone")
    );
}

#[tokio::test]
async fn whoever_left_in_order_is_told_from_whoever_died() {
    let world = World::new().await;
    let script = "insert into opsroom.workers (id, name, pid, version, types, slots, lease, beat_at, stopping_at, dead_at)
           select gen_random_uuid(), name, 1, '1', '{}', 1, '10 s', now() - interval '5 min', stopping, dead
             from (values ('draining', now() - interval '6 min', null),
                          ('killed', null, now() - interval '4 min'),
                          ('killed-draining', now() - interval '6 min', now() - interval '4 min'),
                          ('stopped', now() - interval '6 min', now() - interval '5 min' + interval '1 s')) v (name, stopping, dead);
         update opsroom.workers set beat_at = now() where name = 'draining'";
    world.database.script(script).await.unwrap();
    let workers = world.oncall().await.workers().await.unwrap();
    let stopped: Vec<_> = workers
        .iter()
        .map(|worker| (worker.name.as_str(), worker.alive, worker.stopped))
        .collect();
    assert_eq!(
        stopped,
        [
            ("draining", true, false),
            ("killed", false, false),
            ("killed-draining", false, false),
            ("stopped", false, true)
        ]
    );
}

#[tokio::test]
async fn queued_is_stuck_until_a_live_worker_takes_its_type() {
    let world = World::new().await;
    let mut reader = world.oncall().await;
    let stuck = page(&mut reader, "").await.stuck;
    assert_eq!(stuck.len(), 1, "{stuck:?}");
    assert_eq!(stuck.get(&RunId(6)), Some(&Stuck::NoWorker));
    assert_eq!(reader.headline(&Query::default()).await.unwrap().stuck.n, 1);
    world.database.script(WORKER).await.unwrap();
    assert!(page(&mut reader, "").await.stuck.is_empty());
    let headline = reader.headline(&Query::default()).await.unwrap();
    assert_eq!((headline.stuck.n, headline.live_workers), (0, 1));
}

#[tokio::test]
async fn a_run_of_a_dead_worker_and_a_slow_one_are_stuck() {
    let world = World::new().await;
    let script = format!(
        "{WORKER}
         insert into opsroom.operation_runs (id, tenant_id, initiator_name, type, run_identity_hash, status, outcome,
             created_at, started_at, worker_id, available_at)
           select id, 1, 'System', 'drift.generate', encode(sha256(id::text::bytea), 'hex'), 'running', 'pending',
             now() - interval '2 h', now() - interval '2 h', worker::uuid, now()
           from (values (100, '00000000-0000-4000-8000-000000000001'), (101, '00000000-0000-4000-8000-000000000009')) v (id, worker);
         insert into opsroom.operation_runs (id, tenant_id, initiator_name, type, run_identity_hash, status, outcome,
             created_at, started_at, completed_at)
           select 200 + n, 1, 'System', 'drift.generate', encode(sha256(('s' || n)::bytea), 'hex'), 'completed', 'succeeded',
             now() - interval '3 h', now() - interval '3 h', now() - interval '3 h' + interval '1 min'
           from generate_series(1, 25) n;"
    );
    world.database.script(&script).await.unwrap();
    let mut reader = world.oncall().await;
    let stuck = page(&mut reader, "is:running type:drift.generate")
        .await
        .stuck;
    assert_eq!(stuck.get(&RunId(101)), Some(&Stuck::LeaseRunOut));
    assert!(
        matches!(stuck.get(&RunId(100)), Some(Stuck::Slow { p95 }) if p95.num_seconds() <= 60),
        "{stuck:?}"
    );
}
