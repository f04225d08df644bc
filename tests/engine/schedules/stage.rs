//! What the tests of firing share: a world with schedules in it, and schedulers with a time of the
//! test's own. The time is far ahead, so that the database's own plays no part.

use crate::scripted::{Scripted, TYPE};
use chrono::{DateTime, TimeDelta, Utc};
use opsroom_engine::Registry;
use opsroom_engine::schedule::{Round, Scheduler};
use opsroom_testkit::World;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

pub(super) fn instant(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

pub(super) fn registry() -> Registry {
    Scripted::new(|_, _| Box::pin(async { Ok(()) })).registry()
}

/// A time that goes where the test wants it.
#[derive(Clone)]
pub(super) struct Time(Arc<AtomicI64>);

impl Time {
    pub(super) fn at(text: &str) -> Self {
        Self(Arc::new(AtomicI64::new(instant(text).timestamp())))
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0.load(Ordering::SeqCst), 0).unwrap()
    }

    pub(super) fn set(&self, text: &str) {
        self.0.store(instant(text).timestamp(), Ordering::SeqCst);
    }

    pub(super) fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_seconds(), Ordering::SeqCst);
    }
}

pub(super) struct Stage {
    pub(super) world: World,
    pub(super) pool: PgPool,
    pub(super) time: Time,
}

impl Stage {
    pub(super) async fn new(now: &str) -> Self {
        let world = World::new().await.unwrap();
        let mut owner = world.owner().await.unwrap();
        registry().publish(&mut owner).await.unwrap();
        Self {
            pool: world.pool(&world.worker, 8).unwrap(),
            world,
            time: Time::at(now),
        }
    }

    /// A schedule of `north` that was put at the test's present.
    pub(super) async fn schedule(&self, name: &str, cron: &str, zone: &str, missed: &str) -> i64 {
        let query = "insert into opsroom.schedules (tenant_id, type, name, cron, time_zone, input, missed, missed_limit, decided_until)
                     values ($1, $2, $3, $4, $5, '{\"scope\":\"full\"}', $6, 24, $7) returning id";
        sqlx::query_scalar(query)
            .bind(self.world.north)
            .bind(TYPE)
            .bind(name)
            .bind(cron)
            .bind(zone)
            .bind(missed)
            .bind(self.time.now())
            .fetch_one(&mut self.world.owner().await.unwrap())
            .await
            .unwrap()
    }

    /// A scheduler that believes it is `off` from the test's present.
    pub(super) fn scheduler(&self, off: TimeDelta) -> Scheduler {
        let time = self.time.clone();
        Scheduler::new(self.pool.clone(), registry()).with_clock(move || time.now() + off)
    }

    /// One scheduler, until nothing is due.
    pub(super) async fn settle(&self) -> Round {
        let scheduler = self.scheduler(TimeDelta::zero());
        let mut sum = scheduler.round().await.unwrap();
        while sum.wait.is_zero() {
            let round = scheduler.round().await.unwrap();
            sum = Round {
                fired: sum.fired + round.fired,
                missed: sum.missed + round.missed,
                broken: sum.broken + round.broken,
                wait: round.wait,
            };
        }
        sum
    }

    /// The fire times on record: those with a run, and those without.
    pub(super) async fn fires(&self, schedule: i64) -> (Vec<String>, Vec<String>) {
        let rows: Vec<(DateTime<Utc>, Option<i64>)> = sqlx::query_as(
            "select fire_at, run_id from opsroom.schedule_fires where schedule_id = $1 order by 1",
        )
        .bind(schedule)
        .fetch_all(&mut self.world.owner().await.unwrap())
        .await
        .unwrap();
        let text = |at: &DateTime<Utc>| at.format("%m-%d %H:%M:%S").to_string();
        let of = |ran: bool| {
            let rows = rows.iter().filter(|(_, run)| run.is_some() == ran);
            rows.map(|(at, _)| text(at)).collect()
        };
        (of(true), of(false))
    }

    /// The runs that name the schedule and the fire time they are for, oldest first.
    pub(super) async fn runs(&self, schedule: i64) -> Vec<(i64, String)> {
        sqlx::query_as(
            "select id, context ->> 'fire_at' from opsroom.operation_runs
              where context -> 'schedule_id' = to_jsonb($1) order by 2, 1",
        )
        .bind(schedule)
        .fetch_all(&mut self.world.owner().await.unwrap())
        .await
        .unwrap()
    }

    pub(super) async fn row(&self, schedule: i64) -> Value {
        let query = "select to_jsonb(s) from opsroom.schedules s where id = $1";
        let row = sqlx::query_scalar(query).bind(schedule);
        row.fetch_one(&mut self.world.owner().await.unwrap())
            .await
            .unwrap_or(json!(null))
    }

    /// As superuser, with `{}` for the schedule's id.
    pub(super) async fn sql(&self, statement: &str, schedule: i64) {
        let statement = statement.replace("{}", &schedule.to_string());
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut self.world.owner().await.unwrap())
            .await
            .unwrap();
    }
}
