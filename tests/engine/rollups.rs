//! Rollups say what the runs say: whoever writes, ticks and counts anew at the same time.

use futures_util::future::join_all;
use opsroom_engine::rollups::{self, Tick};
use opsroom_testkit::{TestkitError, World};
use sqlx::{Connection as _, PgConnection};
use std::time::Duration;

/// Every count that differs between runs and rollups, per tenant, type and day, and their sums.
const DIFFERENCES: &str = "
with truth as (
  select coalesce(tenant_id, 0) as tenant_id, coalesce(type, '') as type, (created_at at time zone 'UTC')::date as day,
         count(*) filter (where outcome = 'succeeded') as a, count(*) filter (where outcome = 'partially_succeeded') as b,
         count(*) filter (where outcome = 'failed') as c, count(*) filter (where outcome = 'cancelled') as d
    from opsroom.operation_runs where status = 'completed'
   group by grouping sets ((tenant_id, type, 3), (tenant_id, 3), (type, 3), (3)))
select coalesce(t.tenant_id, r.tenant_id)::text || ' ' || coalesce(t.type, r.type) || ' ' || coalesce(t.day, r.day)
  from truth t full join opsroom.rollup_days r using (tenant_id, type, day)
 where (t.a, t.b, t.c, t.d) is distinct from (r.succeeded, r.partially_succeeded, r.failed, r.cancelled)
union all
select 'hour of ' || tenant_id from opsroom.rollup_hours where tenant_id = 0 group by tenant_id
having sum(succeeded + partially_succeeded + failed + cancelled)
       <> (select count(*) from opsroom.operation_runs where status = 'completed')
union all
select 'codes of ' || tenant_id from opsroom.rollup_code_days where tenant_id = 0 group by tenant_id
having sum(items) <> (select sum(f.n) from opsroom.run_failures f join opsroom.operation_runs o on o.id = f.run_id where o.status = 'completed')";

/// Completed runs of `tenant`, created `ago`, as another application or an import writes them.
pub(crate) async fn completed(connection: &mut PgConnection, tenant: i64, count: i32, ago: &str) {
    sqlx::query(
        "insert into opsroom.operation_runs (tenant_id, type, initiator_name, run_identity_hash, status, outcome, failure_summary,
                created_at, started_at, completed_at)
         select $1, case n % 3 when 0 then 'crm.sync' else 'inventory.sync' end, 'System',
                encode(sha256(gen_random_uuid()::text::bytea), 'hex'), 'completed', case n % 4 when 0 then 'failed' else 'succeeded' end,
                case n % 4 when 0 then '[{\"code\":\"graph.throttled\",\"count\":2},{\"code\":\"graph.timeout\"}]'::jsonb end,
                now() - $3::interval, now() - $3::interval + interval '2 s', now() - $3::interval + make_interval(secs => 2 + n)
           from generate_series(1, $2) n",
    )
    .bind(tenant)
    .bind(count)
    .bind(ago)
    .execute(connection)
    .await
    .unwrap();
}

pub(crate) async fn tick(connection: &mut PgConnection) -> Tick {
    rollups::tick(connection, Duration::ZERO)
        .await
        .unwrap()
        .tick
}

pub(crate) async fn differences(connection: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(DIFFERENCES)
        .fetch_all(connection)
        .await
        .unwrap()
}

pub(crate) async fn number(connection: &mut PgConnection, query: &'static str) -> i64 {
    sqlx::query_scalar(query)
        .fetch_one(connection)
        .await
        .unwrap()
}

/// Everything that was counted, as text.
async fn contents(connection: &mut PgConnection) -> Vec<String> {
    let mut all = Vec::new();
    for table in [
        "days",
        "hours",
        "recent",
        "code_days",
        "code_hours",
        "tenant_codes",
    ] {
        let query =
            format!("select '{table} ' || t::text from opsroom.rollup_{table} t order by 1");
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
            .fetch_all(&mut *connection)
            .await
            .unwrap();
        all.extend(rows);
    }
    all
}

async fn worlds_worker(world: &World) -> Result<PgConnection, TestkitError> {
    world.connect(&world.worker).await
}

#[tokio::test]
async fn a_transaction_open_over_several_ticks_is_counted_once() {
    let world = World::new().await.unwrap();
    let mut late = world.owner().await.unwrap();
    let mut other = world.owner().await.unwrap();
    let mut worker = worlds_worker(&world).await.unwrap();
    assert_eq!(tick(&mut worker).await, Tick::Folded(0));
    let mut open = late.begin().await.unwrap();
    completed(&mut open, world.north, 3, "1 hour").await;
    for _ in 0..3 {
        completed(&mut other, world.south, 2, "1 hour").await;
        assert_eq!(tick(&mut worker).await, Tick::Folded(2));
    }
    open.commit().await.unwrap();
    assert_eq!(tick(&mut worker).await, Tick::Folded(3));
    assert_eq!(tick(&mut worker).await, Tick::Folded(0));
    assert_eq!(differences(&mut late).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_number_of_tickers_and_writers_count_each_run_once() {
    let world = World::new().await.unwrap();
    let round = async |at: usize| {
        let mut writer = world.owner().await.unwrap();
        let mut worker = worlds_worker(&world).await.unwrap();
        for n in 0..15 {
            let tenant = if (at + n).is_multiple_of(2) {
                world.north
            } else {
                world.south
            };
            let ago = format!("{} hours", (at * 7 + n * 5) % 40);
            let mut transaction = writer.begin().await.unwrap();
            completed(&mut transaction, tenant, 4, &ago).await;
            tick(&mut worker).await;
            transaction.commit().await.unwrap();
            tick(&mut worker).await;
            if n == 7 && at.is_multiple_of(4) {
                rollups::rebuild(&mut worker, |_, _, _| {}).await.unwrap();
            }
        }
    };
    join_all((0..8).map(round)).await;
    let mut owner = world.owner().await.unwrap();
    rollups::catch_up(&mut owner).await.unwrap();
    assert_eq!(differences(&mut owner).await, Vec::<String>::new());
    let counted = "select sum(succeeded + failed)::bigint from opsroom.rollup_days where tenant_id = 0 and type = ''";
    assert_eq!(number(&mut owner, counted).await, 8 * 15 * 4);
    assert_eq!(
        rollups::check(&mut owner, |_, _, _| {})
            .await
            .unwrap()
            .differing,
        []
    );
}

#[tokio::test]
async fn a_backlog_is_folded_in_slices_that_lose_and_repeat_nothing() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let mut late = world.owner().await.unwrap();
    let mut worker = worlds_worker(&world).await.unwrap();
    let mut open = late.begin().await.unwrap();
    completed(&mut open, world.south, 5, "2 hours").await;
    for _ in 0..6 {
        completed(&mut owner, world.north, 4, "1 hour").await;
    }
    let slice = "select runs from opsroom.rollup_tick(5)";
    let mut folded = vec![number(&mut worker, slice).await];
    open.commit().await.unwrap();
    while folded.last() != Some(&0) {
        folded.push(number(&mut worker, slice).await);
    }
    assert!(folded.len() > 3, "{folded:?}");
    assert!(folded.iter().all(|runs| *runs <= 13), "{folded:?}");
    assert_eq!(folded.iter().sum::<i64>(), 29);
    assert_eq!(differences(&mut owner).await, Vec::<String>::new());
}

#[tokio::test]
async fn more_than_a_tick_can_hold_is_counted_day_by_day() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let mut worker = worlds_worker(&world).await.unwrap();
    for ago in ["1 hour", "3 days", "40 days"] {
        completed(&mut owner, world.north, 30, ago).await;
    }
    let state = "select (state = 'restarted')::int::bigint from opsroom.rollup_tick(2)";
    assert_eq!(number(&mut worker, state).await, 1);
    completed(&mut owner, world.south, 3, "3 days").await;
    rollups::catch_up(&mut worker).await.unwrap();
    assert_eq!(differences(&mut owner).await, Vec::<String>::new());
    assert_eq!(
        rollups::check(&mut owner, |_, _, _| {})
            .await
            .unwrap()
            .differing,
        []
    );
}

#[tokio::test]
async fn counting_anew_gives_what_ticks_gave() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let mut worker = worlds_worker(&world).await.unwrap();
    rollups::catch_up(&mut worker).await.unwrap();
    for ago in [
        "1 minute", "5 hours", "3 days", "29 days", "31 days", "5 hours", "80 days",
    ] {
        completed(&mut owner, world.north, 9, ago).await;
        completed(&mut owner, world.south, 4, ago).await;
        tick(&mut worker).await;
    }
    let ticked = contents(&mut owner).await;
    let mut seen = 0;
    let days = rollups::rebuild(&mut worker, |_, _, _| seen += 1)
        .await
        .unwrap();
    assert_eq!(days, seen);
    assert_eq!(contents(&mut owner).await, ticked);
    assert!(ticked.len() > 100, "{}", ticked.len());
}

#[tokio::test]
async fn a_tampered_row_is_reported_with_its_day_and_mended() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    for ago in ["1 hour", "2 days", "9 days"] {
        completed(&mut owner, world.north, 9, ago).await;
    }
    rollups::catch_up(&mut owner).await.unwrap();
    let good = contents(&mut owner).await;
    for (tamper, what) in [
        (
            "update opsroom.rollup_days set failed = failed + 1 where tenant_id <> 0 and type = 'crm.sync' and day = X",
            "days by tenant and type",
        ),
        (
            "update opsroom.rollup_days set durations = null where tenant_id <> 0 and type = 'crm.sync' and day = X",
            "days by tenant and type",
        ),
        (
            "update opsroom.rollup_days set failed = failed + 1 where type = '' and day = X",
            "days by tenant",
        ),
        (
            "delete from opsroom.rollup_hours where hour::date = X",
            "hours",
        ),
        (
            "update opsroom.rollup_code_days set items = 0 where day = X",
            "failure codes by day",
        ),
        (
            "update opsroom.rollup_code_hours set runs = runs + 1 where hour::date = X",
            "failure codes by hour",
        ),
    ] {
        let day = "((now() - interval '2 days') at time zone 'UTC')::date";
        let tamper = format!("set time zone 'UTC'; {}", tamper.replace('X', day));
        sqlx::raw_sql(sqlx::AssertSqlSafe(tamper.clone()))
            .execute(&mut owner)
            .await
            .unwrap();
        let found = rollups::check(&mut owner, |_, _, _| {})
            .await
            .unwrap()
            .differing;
        assert!(
            found.iter().any(|found| found.what == what),
            "{tamper}: {found:?}"
        );
        let two_days_ago = chrono::Utc::now().date_naive() - chrono::TimeDelta::days(2);
        assert!(
            // What is summed up over days no longer fits the day that was tampered with.
            found.iter().all(
                |found| found.day == two_days_ago || found.what.starts_with("the last 30 days")
            ),
            "{tamper}: {found:?}"
        );
        rollups::rebuild(&mut owner, |_, _, _| {}).await.unwrap();
        assert_eq!(contents(&mut owner).await, good, "{tamper}");
    }
}

#[tokio::test]
async fn a_database_restored_from_a_dump_is_counted_anew() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let mut worker = worlds_worker(&world).await.unwrap();
    completed(&mut owner, world.north, 5, "1 hour").await;
    rollups::catch_up(&mut worker).await.unwrap();
    completed(&mut owner, world.north, 5, "2 hours").await;
    // As a dump of a server that has seen more transactions brings it: stamps and cursor from the
    // future, one counted run missing.
    sqlx::raw_sql(
        "set session_replication_role = replica;
         update opsroom.operation_runs set changed_xid = (changed_xid::text::bigint + 1000000)::text::xid8;
         update opsroom.rollup_state set snap = '2000000:2000000:', system_identifier = 1;
         set session_replication_role = origin",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let before = opsroom_engine::rollups::tick(&mut worker, Duration::ZERO)
        .await
        .unwrap()
        .tick;
    assert_eq!(before, Tick::Restamped(10));
    assert_eq!(tick(&mut worker).await, Tick::Restarted);
    rollups::catch_up(&mut worker).await.unwrap();
    assert_eq!(differences(&mut owner).await, Vec::<String>::new());
    completed(&mut owner, world.south, 3, "3 hours").await;
    assert_eq!(tick(&mut worker).await, Tick::Folded(3));
    assert_eq!(tick(&mut worker).await, Tick::Folded(0));
    assert_eq!(differences(&mut owner).await, Vec::<String>::new());
    let guarded = sqlx::query("update opsroom.operation_runs set changed_xid = '3'")
        .execute(&mut owner)
        .await;
    assert!(guarded.is_err(), "nobody else restamps");
}

#[tokio::test]
async fn a_redacted_run_leaves_the_counts_of_codes() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    completed(&mut owner, world.north, 8, "1 hour").await;
    rollups::catch_up(&mut owner).await.unwrap();
    let redact =
        "select opsroom.redact_run((select min(run_id) from opsroom.run_failures))::int::bigint";
    assert_eq!(number(&mut owner, redact).await, 1);
    rollups::catch_up(&mut owner).await.unwrap();
    assert_eq!(differences(&mut owner).await, Vec::<String>::new());
    assert_eq!(
        number(
            &mut owner,
            "select sum(runs)::bigint from opsroom.rollup_code_days where tenant_id = 0"
        )
        .await,
        2
    );
}

#[tokio::test]
async fn a_worker_ticks_as_part_of_its_life() {
    use crate::scripted::{SOON, Scripted, Working, options};
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    completed(&mut owner, world.north, 4, "1 hour").await;
    let operation = Scripted::new(|_, _| Box::pin(async { Ok(()) }));
    let working = Working::start(
        world.pool(&world.worker, 8).unwrap(),
        operation.registry(),
        options("one"),
    );
    let counted = "select coalesce(sum(succeeded + failed), 0)::bigint from opsroom.rollup_recent where tenant_id = 0 and type = ''";
    let looked = opsroom_testkit::eventually(SOON, "the worker counts", async || {
        number(&mut owner, counted).await == 4
    })
    .await;
    working.end().await;
    looked.unwrap();
}
