//! Exactly one run per fire time, whoever looks at once, whatever they take for the time, and
//! wherever they die.

use super::stage::{Stage, instant};
use chrono::TimeDelta;
use opsroom_engine::schedule::Timetable;
use opsroom_testkit::eventually;
use proptest::strategy::{Strategy as _, ValueTree as _};
use std::collections::BTreeSet;
use std::time::Duration;

const BERLIN: &str = "Europe/Berlin";

/// Eight schedulers, up to an hour before and after each other, through `hours` hours; every quarter
/// of an hour all of them look at once.
async fn eight_schedulers(begin: &str, hours: i64, missed: &str) {
    let stage = Stage::new(begin).await;
    let start = stage.time.now();
    let mut schedules = Vec::new();
    for cron in ["*/15 * * * *", "30 2 * * *", "0 * * * *", "10 2,3 * * *"] {
        schedules.push((cron, stage.schedule(cron, cron, BERLIN, missed).await));
    }
    for _ in 0..=hours * 4 {
        let offsets = [-60, -45, -20, -1, 0, 7, 30, 60].map(TimeDelta::minutes);
        let looks = offsets.map(|off| {
            let scheduler = stage.scheduler(off);
            tokio::spawn(async move { scheduler.round().await.unwrap() })
        });
        for look in looks {
            look.await.unwrap();
        }
        stage.time.advance(TimeDelta::minutes(15));
    }
    // All of them see this moment, or a later one.
    let end = start + TimeDelta::hours(hours);
    for (cron, schedule) in schedules {
        let timetable = Timetable::new(cron, BERLIN).unwrap();
        let due: BTreeSet<String> = timetable
            .times(start)
            .map(|time| time.at)
            .take_while(|at| *at <= end)
            .map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
            .collect();
        assert!(!due.is_empty(), "{cron}");
        let (ran, skipped) = stage.fires(schedule).await;
        let runs = stage.runs(schedule).await;
        let mut distinct = BTreeSet::new();
        for (_, fire_at) in &runs {
            assert!(distinct.insert(fire_at), "{cron}: two runs for {fire_at}");
        }
        assert_eq!(ran.len(), runs.len(), "{cron}");
        if missed == "fire_all" {
            let missing: Vec<_> = due.iter().filter(|at| !distinct.contains(at)).collect();
            assert!(missing.is_empty(), "{cron}: no run for {missing:?}");
            assert!(skipped.is_empty(), "{cron}: {skipped:?}");
        } else {
            // The fast clocks take some for missed; decided is each of them, once.
            assert!(ran.len() + skipped.len() >= due.len(), "{cron}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_run_each_when_the_clock_is_put_forward() {
    eight_schedulers("2031-03-29T21:50:00Z", 9, "fire_all").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_run_each_when_the_clock_is_put_back() {
    eight_schedulers("2031-10-25T20:50:00Z", 9, "fire_all").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_most_one_where_missed_ones_are_not_made_up_for() {
    eight_schedulers("2031-10-25T22:50:00Z", 5, "fire_once").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_at_once_at_the_same_moment() {
    let stage = Stage::new("2031-06-01T00:00:30Z").await;
    let mut schedules = Vec::new();
    for n in 0..20 {
        schedules.push(
            stage
                .schedule(&format!("s{n}"), "* * * * *", "UTC", "skip")
                .await,
        );
    }
    stage.settle().await;
    for _ in 0..10 {
        stage.time.advance(TimeDelta::minutes(1));
        let together = std::sync::Arc::new(tokio::sync::Barrier::new(8));
        let looks = [(); 8].map(|()| {
            let (scheduler, together) = (stage.scheduler(TimeDelta::zero()), together.clone());
            tokio::spawn(async move {
                together.wait().await;
                scheduler.round().await.unwrap().fired
            })
        });
        let mut fired = 0;
        for look in looks {
            fired += look.await.unwrap();
        }
        assert_eq!(fired, 20);
    }
    for schedule in schedules {
        assert_eq!(stage.runs(schedule).await.len(), 10);
        assert_eq!(stage.fires(schedule).await.0.len(), 10);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_dies_in_the_middle_leaves_nothing_behind() {
    let stage = Stage::new("2031-06-01T00:00:30Z").await;
    let schedule = stage
        .schedule("hourly", "0 * * * *", "UTC", "fire_once")
        .await;
    stage.settle().await;
    stage.time.set("2031-06-01T01:00:00Z");
    for killed_at in ["operation_runs", "schedule_fires", "schedules"] {
        // Reading goes on, writing waits: the scheduler gets as far as this table.
        let mut gate = stage.world.owner().await.unwrap();
        let shut = match killed_at {
            "operation_runs" => "begin; lock table opsroom.operation_runs in share row exclusive mode",
            "schedule_fires" => "begin; lock table opsroom.schedule_fires in share row exclusive mode",
            // Its row is locked already; a trigger of the test's own holds up the last statement.
            _ => {
                "select pg_advisory_lock(77);
                 create function opsroom.hold_up() returns trigger language plpgsql as
                   $$ begin perform pg_advisory_xact_lock_shared(77); return new; end $$;
                 grant execute on function opsroom.hold_up() to public;
                 create trigger hold_up before update on opsroom.schedules for each row execute function opsroom.hold_up()"
            }
        };
        sqlx::raw_sql(shut).execute(&mut gate).await.unwrap();
        let scheduler = stage.scheduler(TimeDelta::zero());
        let dying = tokio::spawn(async move { scheduler.round().await });
        let waiting = "select pid from pg_stat_activity
            where datname = current_database() and usename = $1 and wait_event_type = 'Lock'";
        let mut victim = None;
        let mut owner = stage.world.owner().await.unwrap();
        eventually(
            Duration::from_secs(10),
            "it waits in the middle",
            async || {
                let found = sqlx::query_scalar::<_, i32>(waiting).bind(&stage.world.worker);
                victim = found.fetch_optional(&mut owner).await.unwrap();
                victim.is_some()
            },
        )
        .await
        .unwrap();
        sqlx::query("select pg_terminate_backend($1)")
            .bind(victim)
            .execute(&mut owner)
            .await
            .unwrap();
        dying.await.unwrap().unwrap();
        sqlx::raw_sql(match killed_at {
            "schedules" => "drop trigger hold_up on opsroom.schedules; drop function opsroom.hold_up(); select pg_advisory_unlock(77)",
            _ => "rollback",
        })
        .execute(&mut gate)
        .await
        .unwrap();
        assert_eq!(stage.fires(schedule).await.0.len(), 0, "{killed_at}");
        assert_eq!(stage.runs(schedule).await.len(), 0, "{killed_at}");
    }
    assert_eq!(stage.settle().await.fired, 1);
    assert_eq!(stage.fires(schedule).await.0, ["06-01 01:00:00"]);
    assert_eq!(stage.runs(schedule).await.len(), 1);
}

#[tokio::test]
async fn a_fire_time_on_record_is_never_honoured_again() {
    let stage = Stage::new("2031-06-01T00:30:00Z").await;
    let schedule = stage
        .schedule("hourly", "0 * * * *", "UTC", "fire_all")
        .await;
    for _ in 0..5 {
        stage.time.advance(TimeDelta::hours(1));
        stage.settle().await;
    }
    let runs = stage.runs(schedule).await;
    assert_eq!(runs.len(), 5);
    // Runs are pruned, the clock of the database goes back, and somebody lost the schedule's state.
    stage
        .sql(
            "delete from opsroom.run_attempts; set session_replication_role = replica; delete from opsroom.operation_runs;
             update opsroom.schedules set decided_until = '2031-06-01 00:30:00+00', next_fire_at = null where id = {}",
            schedule,
        )
        .await;
    assert_eq!(stage.settle().await.fired, 0);
    assert_eq!(stage.fires(schedule).await.0.len(), 5);
    assert!(stage.runs(schedule).await.is_empty());
    assert_eq!(stage.row(schedule).await["missed_fires"], 0);
    stage.time.advance(TimeDelta::hours(1));
    assert_eq!(stage.settle().await.fired, 1, "it goes on from there");
}

/// Random looks: any order of schedulers, times that jump to and fro by up to an hour.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_jump_honour_nothing_twice() {
    let stage = Stage::new("2031-10-26T00:00:00Z").await;
    let schedule = stage
        .schedule("often", "*/10 * * * *", BERLIN, "fire_all")
        .await;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let minutes = proptest::collection::vec(-60i64..=60, 60);
    let offsets = minutes.new_tree(&mut runner).unwrap().current();
    for off in offsets {
        stage.time.advance(TimeDelta::minutes(4));
        let looks = [off, -off].map(|off| {
            let scheduler = stage.scheduler(TimeDelta::minutes(off));
            tokio::spawn(async move { scheduler.round().await.unwrap() })
        });
        for look in looks {
            look.await.unwrap();
        }
    }
    let runs = stage.runs(schedule).await;
    let distinct: BTreeSet<_> = runs.iter().map(|(_, fire_at)| fire_at).collect();
    assert_eq!(distinct.len(), runs.len());
    let timetable = Timetable::new("*/10 * * * *", BERLIN).unwrap();
    let due = timetable.times(instant("2031-10-26T00:00:00Z"));
    let due = due.take_while(|time| time.at <= stage.time.now()).count();
    assert!(runs.len() >= due, "{} of {due}", runs.len());
}
