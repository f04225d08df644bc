//! The edges of the counting: restarts after pruning, open transactions, redaction, numbers nobody means.

use crate::rollups::{completed, differences, number, tick};
use opsroom_engine::retention::{self, Pruned};
use opsroom_engine::rollups::{self, Tick};
use opsroom_testkit::{World, eventually};
use sqlx::{Connection as _, PgConnection};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);
const COUNTED: &str = "select coalesce(sum(succeeded + failed), 0)::bigint from opsroom.rollup_days where tenant_id = 0 and type = ''";
const LEFT: &str = "select count(*) from opsroom.operation_runs";

async fn script(connection: &mut PgConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.unwrap();
}

async fn prune_all(connection: &mut PgConnection) -> u64 {
    let mut gone = 0;
    while let Pruned::Batch { runs, .. } = retention::prune(connection, 100, None).await.unwrap() {
        gone += runs;
    }
    gone
}

#[tokio::test]
async fn a_restart_counts_late_runs_of_pruned_days_before_they_may_go() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    completed(&mut owner, world.north, 12, "100 days").await;
    rollups::catch_up(&mut owner).await.unwrap();
    assert_eq!(prune_all(&mut owner).await, 12);
    // An import brings more of the same day, too much for a tick; and the system goes on.
    completed(&mut owner, world.north, 24, "100 days").await;
    completed(&mut owner, world.south, 30, "1 hour").await;
    let state = "select (state = 'restarted')::int::bigint from opsroom.rollup_tick(2)";
    assert_eq!(number(&mut owner, state).await, 1);
    rollups::catch_up(&mut owner).await.unwrap();
    assert_eq!(number(&mut owner, COUNTED).await, 12 + 24 + 30);
    let types = "select sum(succeeded + failed)::bigint from opsroom.rollup_days where tenant_id <> 0 and type <> ''";
    assert_eq!(number(&mut owner, types).await, 12 + 24 + 30);
    assert_eq!(prune_all(&mut owner).await, 24);
    assert_eq!(number(&mut owner, COUNTED).await, 12 + 24 + 30);
    let checked = rollups::check(&mut owner, |_, _, _| {}).await.unwrap();
    assert_eq!(checked.differing, []);
    let pruned_day = chrono::Utc::now().date_naive() - chrono::TimeDelta::days(100);
    assert_eq!(checked.pruned, [pruned_day]);
}

#[tokio::test]
async fn nothing_is_pruned_past_a_day_that_waits_to_be_counted() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    completed(&mut owner, world.north, 5, "100 days").await;
    rollups::catch_up(&mut owner).await.unwrap();
    let pend = "insert into opsroom.rollup_pending values (current_date - 120)";
    script(&mut owner, pend).await;
    assert_eq!(
        prune_all(&mut owner).await,
        0,
        "the earlier day could not be counted any more"
    );
    let by_hand = sqlx::query("delete from opsroom.operation_runs")
        .execute(&mut owner)
        .await
        .unwrap_err();
    let code = by_hand.as_database_error().and_then(|e| e.code());
    assert_eq!(code.as_deref(), Some("OP004"));
    rollups::catch_up(&mut owner).await.unwrap();
    assert_eq!(prune_all(&mut owner).await, 5);
}

#[tokio::test]
async fn a_tick_does_not_count_what_its_own_transaction_completed() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let mut open = owner.begin().await.unwrap();
    completed(&mut open, world.north, 3, "1 hour").await;
    let refused = rollups::tick(&mut open, Duration::ZERO).await.unwrap_err();
    assert_eq!(refused.sqlstate(), Some("25001"));
    open.rollback().await.unwrap();
    completed(&mut owner, world.north, 3, "1 hour").await;
    assert_eq!(tick(&mut owner).await, Tick::Folded(3));
    assert_eq!(tick(&mut owner).await, Tick::Folded(0));
}

#[tokio::test]
async fn a_limit_nobody_means_is_one() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    for limit in ["0", "-5", "null"] {
        completed(&mut owner, world.north, 3, "1 hour").await;
        let query = format!("select state, runs from opsroom.rollup_tick({limit})");
        let folded: (String, i64) = sqlx::query_as(sqlx::AssertSqlSafe(query))
            .fetch_one(&mut owner)
            .await
            .unwrap();
        assert_eq!(folded, ("folded".to_owned(), 3), "{limit}");
    }
}

#[tokio::test]
async fn a_redaction_beside_a_recount_is_not_lost() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let mut redactor = world.owner().await.unwrap();
    completed(&mut owner, world.north, 8, "1 hour").await;
    rollups::catch_up(&mut owner).await.unwrap();
    let day = "(now() - interval '1 hour') at time zone 'UTC'";
    let pend = format!("insert into opsroom.rollup_pending values (({day})::date)");
    sqlx::raw_sql(sqlx::AssertSqlSafe(pend))
        .execute(&mut owner)
        .await
        .unwrap();
    let mut open = redactor.begin().await.unwrap();
    let redact =
        "select opsroom.redact_run((select min(run_id) from opsroom.run_failures))::int::bigint";
    assert_eq!(number(&mut open, redact).await, 1);
    let mut worker = world.connect(&world.worker).await.unwrap();
    let recount = tokio::spawn(async move { rollups::rebuild_pending(&mut worker).await });
    let waits = "select count(*) from pg_locks where not granted and pid <> pg_backend_pid()
                    and database = (select oid from pg_database where datname = current_database())
                  union all select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
                  order by 1 desc limit 1";
    eventually(
        SOON,
        "the recount ends, or waits for the redaction",
        async || recount.is_finished() || number(&mut owner, waits).await > 0,
    )
    .await
    .unwrap();
    open.commit().await.unwrap();
    recount.await.unwrap().unwrap();
    rollups::catch_up(&mut owner).await.unwrap();
    assert_eq!(differences(&mut owner).await, Vec::<String>::new());
    let runs = "select sum(runs)::bigint from opsroom.rollup_code_days where tenant_id = 0 and code = 'graph.timeout'";
    assert_eq!(number(&mut owner, runs).await, 1);
}

#[tokio::test]
async fn a_redacted_code_survives_nowhere() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    completed(&mut owner, world.north, 8, "100 days").await;
    script(
        &mut owner,
        "insert into opsroom.operation_runs (tenant_id, type, initiator_name, run_identity_hash, status, outcome, failure_summary,
                created_at, started_at, completed_at)
         select tenant_id, type, 'System', repeat('b', 64), 'completed', 'failed', '[{\"code\":\"hunter2.hunter2\"},{\"code\":\"graph.timeout\"}]',
                created_at, started_at, completed_at
           from opsroom.operation_runs where type = 'inventory.sync' and failure_summary is not null limit 1;
         insert into opsroom.notifications (tenant_id, user_id, run_id, kind, run_type, code)
         select tenant_id, (select min(id) from opsroom.users), id, 'failed', type, 'hunter2.hunter2'
           from opsroom.operation_runs where run_identity_hash = repeat('b', 64);
         insert into opsroom.operation_run_items (tenant_id, run_id, item_key, label, status, code)
         select tenant_id, id, 'k', 'l', 'failed', 'hunter2.hunter2'
           from opsroom.operation_runs where run_identity_hash = repeat('b', 64)",
    )
    .await;
    rollups::catch_up(&mut owner).await.unwrap();
    let kept = "delete from opsroom.operation_runs where type = 'inventory.sync' and failure_summary is null";
    script(&mut owner, kept).await;
    let found =
        "select (select count(*) from opsroom.rollup_tenant_codes t where t::text ~ 'hunter2')
              + (select count(*) from opsroom.rollup_code_days t where t::text ~ 'hunter2')
              + (select count(*) from opsroom.rollup_code_hours t where t::text ~ 'hunter2')
              + (select count(*) from opsroom.run_failures t where t::text ~ 'hunter2')
              + (select count(*) from opsroom.operation_run_items t where t::text ~ 'hunter2')
              + (select count(*) from opsroom.notifications t where t::text ~ 'hunter2')";
    assert_eq!(number(&mut owner, found).await, 2 + 2 + 1 + 1 + 1 + 1);
    let redact = "select opsroom.redact_run((select id from opsroom.operation_runs where run_identity_hash = repeat('b', 64)))::int::bigint";
    assert_eq!(number(&mut owner, redact).await, 1);
    assert_eq!(number(&mut owner, found).await, 0);
    let others = "select count(*) from opsroom.rollup_tenant_codes where code = 'graph.timeout' and type = 'inventory.sync'";
    assert_eq!(
        number(&mut owner, others).await,
        1,
        "what other runs carry, too, stays"
    );
}

#[tokio::test]
async fn a_run_that_never_started_has_no_duration_and_no_wait() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    script(
        &mut owner,
        "insert into opsroom.operation_runs (tenant_id, type, initiator_name, run_identity_hash, status, outcome, created_at, completed_at)
         select min(id), 'crm.sync', 'System', repeat('c', 64), 'completed', 'failed', now() - interval '1 hour', now() from opsroom.tenants",
    )
    .await;
    rollups::catch_up(&mut owner).await.unwrap();
    let counted = "select count(*) from opsroom.rollup_days where failed = 1";
    let timed =
        "select count(*) from opsroom.rollup_days where durations is not null or waits is not null";
    assert_eq!(number(&mut owner, counted).await, 4);
    assert_eq!(number(&mut owner, timed).await, 0);
}

#[tokio::test]
async fn counts_nobody_means_do_not_stop_the_counting() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    script(
        &mut owner,
        "insert into opsroom.operation_runs (tenant_id, type, initiator_name, run_identity_hash, status, outcome, failure_summary,
                created_at, started_at, completed_at)
         select (select min(id) from opsroom.tenants), 'crm.sync', 'System', repeat(to_hex(n), 64), 'completed', 'failed',
                '[{\"code\":\"a.b\",\"count\":9223372036854775807},{\"code\":\"a.b\",\"count\":1e40}]', now() - interval '1 hour', now(), now()
           from generate_series(1, 4) n",
    )
    .await;
    assert_eq!(tick(&mut owner).await, Tick::Folded(4));
    let items = "select items from opsroom.rollup_code_days where tenant_id = 0";
    assert_eq!(number(&mut owner, items).await, 8_000_000_000);
    // As a row that was written some other way.
    completed(&mut owner, world.north, 4, "1 hour").await;
    let most = "update opsroom.run_failures set n = 9223372036854775807";
    script(&mut owner, most).await;
    assert_eq!(tick(&mut owner).await, Tick::Folded(4));
    rollups::rebuild(&mut owner, |_, _, _| {}).await.unwrap();
    let checked = rollups::check(&mut owner, |_, _, _| {}).await.unwrap();
    assert_eq!(checked.differing, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_ends_with_the_sums_made_anew_whatever_comes_between() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let mut other = world.owner().await.unwrap();
    completed(&mut owner, world.north, 8, "1 hour").await;
    rollups::catch_up(&mut owner).await.unwrap();
    let tamper = "update opsroom.rollup_recent set failed = 99; update opsroom.rollup_tenant_codes set last_at = '2000-01-01'";
    script(&mut owner, tamper).await;
    let mut told = 0;
    rollups::rebuild(&mut owner, |_, at, of| {
        told += 1;
        if at == of {
            let pend = script(
                &mut other,
                "insert into opsroom.rollup_pending values (current_date - 3)",
            );
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(pend));
        }
    })
    .await
    .unwrap();
    assert!(told > 0);
    for left in [
        "select count(*) from opsroom.rollup_recent where failed = 99",
        "select count(*) from opsroom.rollup_tenant_codes where last_at = '2000-01-01'",
        "select count(*) from opsroom.rollup_pending",
    ] {
        assert_eq!(number(&mut owner, left).await, 0, "{left}");
    }
}

#[tokio::test]
async fn no_default_is_short_enough_to_take_todays_runs() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    completed(&mut owner, world.north, 3, "1 minute").await;
    rollups::catch_up(&mut owner).await.unwrap();
    for default in [-2, 0, i32::MIN] {
        let pruned = retention::prune(&mut owner, 5, Some(default)).await;
        assert_eq!(pruned.unwrap(), Pruned::Done, "{default}");
        let due = retention::prunable(&mut owner, Some(default))
            .await
            .unwrap();
        assert_eq!(due.iter().map(|due| due.runs).sum::<u64>(), 0, "{default}");
    }
    assert_eq!(number(&mut owner, LEFT).await, 3);
    completed(&mut owner, world.north, 3, "100 days").await;
    rollups::catch_up(&mut owner).await.unwrap();
    let pruned = retention::prune(&mut owner, -1, None).await.unwrap();
    assert!(
        matches!(pruned, Pruned::Batch { runs: 1, .. }),
        "{pruned:?}"
    );
}
