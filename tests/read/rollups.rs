//! What the rollups answer is what the runs say, for whoever asks, before and after a tick.

use crate::world::World;
use opsroom_model::Bucket;
use opsroom_model::query::parse;
use opsroom_read::{By, Capped, Headline, Reader};

const TICK: &str = "do $$ begin perform opsroom.rollup_tick(); \
    while exists (select from opsroom.rollup_pending) loop perform opsroom.rollup_rebuild(); end loop; \
    perform opsroom.rollup_refresh(); end $$";

/// Many runs over 40 days, more at the edges of windows; a slow one and fast ones.
const RUNS: &str = r#"
alter table opsroom.operation_runs alter id restart with 10000;
insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, status, outcome, failure_summary,
  created_at, started_at, completed_at)
select 1 + n % 4, 'System', (array['inventory.sync', 'crm.export', 'drift.generate'])[1 + n % 3], encode(sha256(('r' || n)::bytea), 'hex'),
       'completed', (array['succeeded', 'failed', 'partially_succeeded', 'succeeded', 'cancelled'])[1 + n % 5],
       case when n % 5 in (1, 2) then '[{"code":"graph.throttled","count":3}]'::jsonb end,
       t.at, t.at + interval '10 s', t.at + interval '40 s'
  from generate_series(1, 900) n cross join lateral (select now() - interval '1 min' - n * interval '64 min' as at) t;
"#;

async fn counts(reader: &mut Reader, query: &str) -> Vec<(Bucket, u64, bool)> {
    let headline: Headline = reader.headline(&parse(query).unwrap()).await.unwrap();
    let count = |bucket: &Bucket| {
        (
            *bucket,
            headline.count(*bucket).n,
            headline.count(*bucket).more,
        )
    };
    Bucket::ALL.iter().map(count).collect()
}

const QUERIES: &[&str] = &[
    "",
    "since:1h",
    "since:26h",
    "since:3d",
    "since:39d",
    "tenant:contoso",
    "tenant:contoso since:26h",
    "tenant:contoso since:5d",
    // One of these begins in the first half of a UTC day, one in the second.
    "tenant:contoso since:122h",
    "tenant:contoso since:134h",
    "tenant:contoso,adatum type:crm.export since:122h",
    "tenant:contoso,adatum type:crm.export since:134h",
    "tenant:contoso,adatum,quiet* since:122h",
    "tenant:contoso,adatum,quiet* since:134h",
    "type:crm.export",
    "type:crm.export,inventory.sync since:4d",
    "tenant:contoso,adatum type:crm.export",
    "tenant:contoso,adatum,quiet*",
    "tenant:contoso,adatum,quiet* type:crm.export",
    "tenant:contoso,adatum,quiet* since:5d",
    "tenant:nobody",
];

/// Tenants without a run: many make a sum of days where few are counted by the day.
const QUIET: &str = "insert into opsroom.tenants (workspace_id, name) select 1, 'quiet' || n from generate_series(1, 9) n";

#[tokio::test]
async fn headlines_count_exactly_whether_ticked_or_not() {
    let world = World::new().await;
    world.database.script(QUIET).await.unwrap();
    let mut oncall = world.oncall().await;
    let mut dev = world.reader(&world.dev).await;
    world
        .database
        .script("insert into opsroom.rollup_pending values (current_date - 1)")
        .await
        .unwrap();
    world.database.script(RUNS).await.unwrap();
    let mut live = Vec::new();
    for query in QUERIES {
        live.push((
            counts(&mut oncall, query).await,
            counts(&mut dev, query).await,
        ));
    }
    world
        .database
        .script("delete from opsroom.rollup_pending")
        .await
        .unwrap();
    for stage in ["all of it the tail", "folded"] {
        for (query, (all, one)) in QUERIES.iter().zip(&live) {
            assert_eq!(&counts(&mut oncall, query).await, all, "{stage}: {query}");
            assert_eq!(&counts(&mut dev, query).await, one, "{stage}, dev: {query}");
        }
        world.database.script(TICK).await.unwrap();
    }
}

#[tokio::test]
async fn a_sparkline_has_the_last_24_hours() {
    let world = World::new().await;
    world.database.script(RUNS).await.unwrap();
    let mut oncall = world.oncall().await;
    let mut dev = world.reader(&world.dev).await;
    let before = oncall
        .sparkline(&parse("").unwrap())
        .await
        .unwrap()
        .unwrap();
    world.database.script(TICK).await.unwrap();
    let points = oncall
        .sparkline(&parse("").unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(points.len(), 24);
    assert_eq!(points, before);
    let hour = "select count(*) from opsroom.operation_runs where status = 'completed' \
                and created_at >= date_trunc('hour', now(), 'UTC') - interval '23 hours'";
    let truth = world.database.number(hour).await.unwrap();
    assert_eq!(
        points.iter().map(|point| point.ended).sum::<u64>(),
        truth.unsigned_abs()
    );
    let mine = dev.sparkline(&parse("").unwrap()).await.unwrap().unwrap();
    let theirs = oncall
        .sparkline(&parse("tenant:contoso").unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(mine, theirs);
    assert_eq!(
        dev.sparkline(&parse("throttled").unwrap()).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn failures_are_grouped_by_code() {
    let world = World::new().await;
    world.database.script(RUNS).await.unwrap();
    let mut oncall = world.oncall().await;
    let mut dev = world.reader(&world.dev).await;
    for ticked in [false, true] {
        for (query, tenants) in [
            ("", 4),
            ("since:26h", 4),
            ("type:crm.export", 4),
            ("type:crm.export,inventory.sync", 4),
            ("tenant:contoso,adatum type:crm.export,inventory.sync", 2),
            ("tenant:contoso", 1),
            ("tenant:contoso,adatum since:9d", 2),
        ] {
            let board = oncall
                .failures(&parse(query).unwrap())
                .await
                .unwrap()
                .unwrap();
            let found = board
                .codes
                .iter()
                .find(|group| group.code.as_str() == "graph.throttled")
                .unwrap();
            assert_eq!(
                found.trend.iter().sum::<u64>(),
                found.runs,
                "{query}, ticked: {ticked}"
            );
            let tenants = Capped {
                n: tenants,
                more: false,
            };
            assert_eq!(found.tenants, tenants, "{query}, ticked: {ticked}");
            assert!(
                found.first_seen >= board.covers_from
                    && found.last_seen <= board.as_of
                    && board.narrowed
            );
            let page =
                crate::world::page(&mut oncall, &format!("code:graph.throttled {query}")).await;
            let listed = page.rows.len() as u64;
            assert!(
                page.more || found.runs >= listed,
                "{query}: {} {listed}",
                found.runs
            );
        }
        let mine = dev.failures(&parse("").unwrap()).await.unwrap().unwrap();
        let theirs = oncall
            .failures(&parse("tenant:contoso").unwrap())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(mine.codes, theirs.codes);
        world.database.script(TICK).await.unwrap();
    }
}

#[tokio::test]
async fn tenants_of_a_code_are_counted_up_to_a_thousand_of_all_and_exactly_of_some() {
    let world = World::new().await;
    let script = "insert into opsroom.tenants (workspace_id, name) select 1, 'many' || n from generate_series(1, 1001) n;
         insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, status, outcome, failure_summary,
           created_at, started_at, completed_at)
         select t.id, 'System', y.type, encode(sha256((t.id || y.type)::bytea), 'hex'), 'completed', 'failed',
           c.codes, now() - interval '1 h', now() - interval '1 h', now()
         from opsroom.tenants t cross join unnest(array['crm.sync', 'crm.export']) y (type) cross join lateral (select
           case t.name when 'many1001' then '[{\"code\":\"test.all\"}]'::jsonb else '[{\"code\":\"test.all\"},{\"code\":\"test.most\"}]' end) c (codes)
         where t.name like 'many%'";
    world.database.script(script).await.unwrap();
    let mut oncall = world.oncall().await;
    for ticked in [false, true] {
        for (query, exact) in [
            ("", false),
            ("since:2h", false),
            ("type:crm.sync", false),
            ("type:crm.sync,crm.export", false),
            ("tenant:many*", true),
            ("tenant:many* type:crm.sync,crm.export", true),
        ] {
            let board = oncall.failures(&parse(query).unwrap()).await.unwrap();
            let tenants = |code: &str| {
                let codes = &board.as_ref().unwrap().codes;
                let group = codes.iter().find(|group| group.code.as_str() == code);
                group.map(|group| (group.tenants.n, group.tenants.more))
            };
            let all = if exact { (1_001, false) } else { (1_000, true) };
            assert_eq!(tenants("test.all"), Some(all), "{query}, ticked: {ticked}");
            let most = Some((1_000, false));
            assert_eq!(tenants("test.most"), most, "{query}, ticked: {ticked}");
        }
        world.database.script(TICK).await.unwrap();
    }
}

#[tokio::test]
async fn health_is_worst_first_and_ones_own_tenants_alone() {
    let world = World::new().await;
    world.database.script(RUNS).await.unwrap();
    world
        .database
        .script("insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, status, outcome, created_at, started_at, completed_at) \
                 select 3, 'System', 'crm.export', encode(sha256(('w' || n)::bytea), 'hex'), 'completed', 'failed', now() - interval '1 h', now() - interval '1 h', now() \
                   from generate_series(1, 300) n")
        .await
        .unwrap();
    let mut oncall = world.oncall().await;
    let mut dev = world.reader(&world.dev).await;
    assert_eq!(
        oncall
            .health(By::Tenant, &parse("").unwrap())
            .await
            .unwrap(),
        None,
        "not counted yet is said"
    );
    world.database.script(TICK).await.unwrap();
    let tenants = oncall
        .health(By::Tenant, &parse("").unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(tenants.rows.len(), 4);
    assert_eq!(tenants.rows[0].name.as_str(), "Zoë & Søns");
    assert!(tenants.rows[0].failure_rate().unwrap() > 0.5);
    let usual = tenants.rows[1].duration.unwrap();
    assert!((27..33).contains(&usual.p50.num_seconds()), "{usual:?}");
    let waited = tenants.rows[1].wait.unwrap();
    assert!((9..12).contains(&waited.p50.num_seconds()), "{waited:?}");
    let contoso = tenants
        .rows
        .iter()
        .find(|row| row.name.as_str() == "contoso")
        .unwrap();
    assert_eq!(contoso.queued, 1, "what waits for a confirmation waits");
    let types = oncall
        .health(By::Type, &parse("").unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(types.rows[0].name.as_str(), "crm.export");
    assert!(types.rows.iter().all(|row| row.tenant.is_none()));
    assert!(
        types
            .rows
            .iter()
            .any(|row| row.name.as_str() == "inventory.sync" && row.last_success.is_some())
    );

    let mine = dev
        .health(By::Tenant, &parse("").unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        mine.rows
            .iter()
            .map(|row| row.name.as_str())
            .collect::<Vec<_>>(),
        ["contoso"]
    );
    let mine = dev
        .health(By::Type, &parse("").unwrap())
        .await
        .unwrap()
        .unwrap();
    let theirs = oncall
        .health(By::Type, &parse("tenant:contoso").unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(mine.rows, theirs.rows);
}

#[tokio::test]
async fn whoever_ceases_to_see_all_is_not_told_that_there_is_nothing() {
    let world = World::new().await;
    let mut oncall = world.oncall().await;
    world.database.script(TICK).await.unwrap();
    let before = counts(&mut oncall, "").await;
    assert!(before.iter().any(|(_, n, _)| *n > 0));
    // The reader learns of it with the next directory, half a minute later.
    world
        .database
        .script(
            "insert into opsroom.workspaces (name) values ('not of theirs');
             insert into opsroom.tenants (workspace_id, name) select max(id), 'secret' from opsroom.workspaces",
        )
        .await
        .unwrap();
    assert_eq!(counts(&mut oncall, "").await, before);
}
