//! What a fire time starts, what becomes of those that were missed, and that a schedule that cannot
//! fire says so and is in nobody's way.

use super::stage::Stage;
use crate::scripted::TYPE;
use chrono::TimeDelta;
use opsroom_engine::Registry;
use opsroom_engine::schedule::Scheduler;
use serde_json::json;

#[tokio::test]
async fn a_fire_time_starts_a_run_that_names_it() {
    let stage = Stage::new("2031-06-01T02:59:50Z").await;
    let schedule = stage
        .schedule("nightly", "0 3 * * *", "UTC", "fire_once")
        .await;
    let round = stage.settle().await;
    assert_eq!((round.fired, round.wait.as_secs()), (0, 10));
    assert_eq!(
        stage.row(schedule).await["next_fire_at"],
        "2031-06-01T03:00:00+00:00"
    );
    stage.time.advance(TimeDelta::seconds(12));
    assert_eq!(stage.settle().await.fired, 1);

    let runs = stage.runs(schedule).await;
    let run = stage.world.run(runs[0].0).await.unwrap();
    assert_eq!(run["status"], "queued");
    assert_eq!(run["initiator_name"], "System");
    assert_eq!(run["user_id"], json!(null));
    assert!(run["available_at"].is_string());
    let context = json!({"schedule_id": schedule, "fire_at": "2031-06-01T03:00:00Z", "input": {"scope": "full"}});
    assert_eq!(run["context"], context);
    // sha256 of the canonical [tenant, type, inputs with schedule and fire time]: anybody can compute it.
    let inputs =
        json!({"fire_at": "2031-06-01T03:00:00Z", "schedule_id": schedule, "scope": "full"});
    let hash = opsroom_model::run_identity_hash(
        opsroom_model::TenantId(stage.world.north),
        &TYPE.parse().unwrap(),
        &inputs,
    );
    assert_eq!(run["run_identity_hash"], hash);
    let row = stage.row(schedule).await;
    assert_eq!(row["last_run_id"], runs[0].0);
    assert_eq!(row["last_fire_at"], "2031-06-01T03:00:00+00:00");
    assert_eq!(row["next_fire_at"], "2031-06-02T03:00:00+00:00");
    assert_eq!(row["missed_fires"], 0);
    let audited: i64 = sqlx::query_scalar(
        "select count(*) from opsroom.audit where run_id = $1 and action = 'run.start'",
    )
    .bind(runs[0].0)
    .fetch_one(&mut stage.world.owner().await.unwrap())
    .await
    .unwrap();
    assert_eq!(audited, 1);
}

#[tokio::test]
async fn after_hours_of_downtime_the_policy_decides() {
    let stage = Stage::new("2031-06-01T00:30:00Z").await;
    let mut schedules = Vec::new();
    for missed in ["skip", "fire_once", "fire_all"] {
        schedules.push(stage.schedule(missed, "0 * * * *", "UTC", missed).await);
    }
    stage.settle().await;
    stage
        .sql(
            "update opsroom.schedules set missed_limit = 3 where id = {}",
            schedules[2],
        )
        .await;
    stage.time.set("2031-06-01T06:30:00Z");
    let round = stage.settle().await;
    assert_eq!((round.fired, round.missed), (1 + 3, 6 + 5 + 3));
    for (schedule, ran, last_missed) in [
        (schedules[0], &[][..], "06"),
        (schedules[1], &["06-01 06:00:00"], "05"),
        (
            schedules[2],
            &["06-01 04:00:00", "06-01 05:00:00", "06-01 06:00:00"],
            "03",
        ),
    ] {
        let (found, skipped) = stage.fires(schedule).await;
        assert_eq!(found, ran);
        assert_eq!(found.len() + skipped.len(), 6);
        let row = stage.row(schedule).await;
        assert_eq!(row["missed_fires"], skipped.len());
        assert_eq!(
            row["last_missed_at"],
            format!("2031-06-01T{last_missed}:00:00+00:00")
        );
        assert_eq!(row["next_fire_at"], "2031-06-01T07:00:00+00:00");
    }
    stage.time.set("2031-06-01T07:00:05Z");
    assert_eq!(stage.settle().await.fired, 3, "on time all of them fire");
}

#[tokio::test]
async fn weeks_of_downtime_of_a_schedule_by_the_second_are_worked_off() {
    let stage = Stage::new("2031-06-01T00:00:00Z").await;
    let schedule = stage
        .schedule("busy", "* * * * * *", "UTC", "fire_all")
        .await;
    let other = stage
        .schedule("daily", "0 3 * * *", "UTC", "fire_once")
        .await;
    stage.time.advance(TimeDelta::seconds(10_000 + 3 * 3600));
    let first = stage.scheduler(TimeDelta::zero()).round().await.unwrap();
    assert!(first.fired <= 51 && first.missed < 5000, "{first:?}");
    assert_eq!(
        stage.fires(other).await.0.len(),
        1,
        "the other one does not wait for it"
    );
    stage.settle().await;
    // 24 that were missed, and those of the last minute.
    let (ran, skipped) = stage.fires(schedule).await;
    assert_eq!(ran.len(), 24 + 61);
    assert!(skipped.len() < 2000, "{}", skipped.len());
    assert_eq!(stage.row(schedule).await["missed_fires"], 20_800 - 24 - 61);
}

#[tokio::test]
async fn a_pause_is_never_made_up_for() {
    let stage = Stage::new("2031-06-01T00:30:00Z").await;
    let schedule = stage
        .schedule("hourly", "0 * * * *", "UTC", "fire_all")
        .await;
    stage.settle().await;
    stage
        .sql(
            "update opsroom.schedules set paused_at = now() where id = {}",
            schedule,
        )
        .await;
    assert_eq!(stage.row(schedule).await["next_fire_at"], json!(null));
    stage.time.set("2031-06-01T05:30:00Z");
    assert_eq!(stage.settle().await.fired, 0);
    // Resumed at the database's present, which is long before: the pause ends where the test says.
    stage
        .sql(
            "update opsroom.schedules set paused_at = null where id = {};
             update opsroom.schedules set decided_until = '2031-06-01 05:30:00+00' where id = {}",
            schedule,
        )
        .await;
    assert_eq!(stage.settle().await.fired, 0);
    stage.time.set("2031-06-01T06:00:00Z");
    assert_eq!(stage.settle().await.fired, 1);
    assert_eq!(
        stage.fires(schedule).await,
        (vec!["06-01 06:00:00".to_owned()], vec![])
    );
}

#[tokio::test]
async fn what_a_change_leaves_behind_is_decided_by_the_databases_time() {
    let stage = Stage::new("2031-06-01T00:30:00Z").await;
    let schedule = stage
        .schedule("hourly", "* * * * *", "UTC", "fire_all")
        .await;
    for change in [
        "cron = '*/2 * * * *'",
        "time_zone = 'Asia/Tokyo'",
        "paused_at = null",
    ] {
        let behind = "decided_until = now() - interval '3 hours', next_fire_at = now() - interval '3 hours', paused_at = null";
        stage
            .sql(
                &format!("update opsroom.schedules set {behind} where id = {{}}"),
                schedule,
            )
            .await;
        if change.starts_with("paused") {
            stage
                .sql(
                    "update opsroom.schedules set paused_at = now() where id = {}",
                    schedule,
                )
                .await;
        }
        stage
            .sql(
                &format!("update opsroom.schedules set {change} where id = {{}}"),
                schedule,
            )
            .await;
        // With the database's own time: three hours of minutes would be due otherwise.
        Scheduler::new(stage.pool.clone(), super::stage::registry())
            .round()
            .await
            .unwrap();
        assert!(stage.runs(schedule).await.len() <= 3, "{change}");
        assert_eq!(stage.row(schedule).await["missed_fires"], 0, "{change}");
    }
}

#[tokio::test]
async fn schedules_that_cannot_fire_say_so_and_stop_nobody() {
    let stage = Stage::new("2031-06-01T00:30:00Z").await;
    let good = stage
        .schedule("good", "0 * * * *", "UTC", "fire_once")
        .await;
    let mut bad = Vec::new();
    for (set, code) in [
        ("cron = 'every day'", "schedule.cron_invalid"),
        ("cron = '0 0 30 2 *'", "schedule.cron_invalid"),
        ("time_zone = 'Mars/Olympus'", "schedule.zone_unknown"),
        ("type = 'no.such'", "schedule.type_unknown"),
        (
            "input = '{\"note\":\"Bearer abcdef0123456789abcdef\"}'",
            "schedule.input_invalid",
        ),
    ] {
        let schedule = stage.schedule(set, "0 * * * *", "UTC", "fire_once").await;
        stage.sql(&format!("update opsroom.schedules set {set}, decided_until = '2031-06-01 00:30:00+00' where id = {{}}"), schedule).await;
        bad.push((schedule, code));
    }
    for hour in 1..4 {
        stage.time.set(&format!("2031-06-01T0{hour}:05:00Z"));
        let round = stage.settle().await;
        assert_eq!(round.fired, 1, "{round:?}");
        // Types are given to other workers first; after that nobody looks again within the minute.
        stage.settle().await;
        assert_eq!(stage.settle().await.broken, 0);
    }
    for (schedule, code) in &bad {
        let row = stage.row(*schedule).await;
        assert_eq!(row["error_code"], *code, "{row:#}");
        assert!(stage.runs(*schedule).await.is_empty());
        assert!(opsroom_model::catalogue::entry(code).is_some(), "{code}");
    }
    assert_eq!(stage.row(good).await["error_code"], json!(null));

    // Mended, they fire again: what they missed counts, but for a new expression or zone.
    let mended = "cron = '0 * * * *', time_zone = 'UTC', type = 'test.scripted', input = '{}'";
    for (schedule, _) in &bad {
        stage
            .sql(
                &format!("update opsroom.schedules set {mended} where id = {{}}"),
                *schedule,
            )
            .await;
    }
    stage.time.set("2031-06-01T04:00:05Z");
    assert_eq!(stage.settle().await.fired, 1 + bad.len() as u64);
    for (schedule, _) in &bad {
        assert_eq!(stage.row(*schedule).await["error_code"], json!(null));
    }
}

#[tokio::test]
async fn a_type_of_another_pool_is_left_to_it() {
    let stage = Stage::new("2031-06-01T00:59:50Z").await;
    let schedule = stage
        .schedule("hourly", "0 * * * *", "UTC", "fire_once")
        .await;
    let time = stage.time.clone();
    let other = Scheduler::new(stage.pool.clone(), Registry::new()).with_clock(move || time.now());
    other.round().await.unwrap();
    assert_eq!(
        stage.row(schedule).await["next_fire_at"],
        "2031-06-01T01:00:00+00:00"
    );
    stage.time.set("2031-06-01T01:00:10Z");
    let round = other.round().await.unwrap();
    assert_eq!(
        (round.fired, round.broken),
        (0, 0),
        "its own pool has a minute"
    );
    assert_eq!(stage.settle().await.fired, 1);
    stage.time.set("2031-06-01T02:02:00Z");
    assert_eq!(other.round().await.unwrap().broken, 1);
    assert_eq!(
        stage.row(schedule).await["error_code"],
        "schedule.type_unknown"
    );
    stage.time.set("2031-06-01T02:03:30Z");
    assert_eq!(stage.settle().await.fired, 1);
    assert_eq!(stage.row(schedule).await["error_code"], json!(null));
}
