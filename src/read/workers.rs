//! The workers there are, alive or lately dead: one row a process, a thousand at most.

use crate::error::ReadError;
use crate::moment;
use chrono::{DateTime, Utc};
use opsroom_model::Clean;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use uuid::Uuid;

/// One worker process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// Fresh per process.
    pub id: Uuid,
    /// What its operator called it.
    pub name: Clean,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it was last heard of.
    pub beat_at: DateTime<Utc>,
    /// True while it is not declared dead and its lease has not run out.
    pub alive: bool,
    /// True while it finishes what it has and takes nothing new.
    pub stopping: bool,
    /// True where it was told to stop and left in order: it signed off while its lease still ran. One that
    /// was killed meanwhile is declared dead after its lease, by another.
    pub stopped: bool,
    /// The types it takes, as stored.
    pub types: Vec<String>,
    /// Runs it executes at once, at most.
    pub slots: i32,
}

impl Worker {
    /// True where it would take a new run of `run_type`.
    #[must_use]
    pub fn takes(&self, run_type: &str) -> bool {
        self.alive && !self.stopping && self.types.iter().any(|taken| taken == run_type)
    }
}

pub(crate) fn query() -> QueryBuilder<Postgres> {
    QueryBuilder::new(
        // The living come first: one that is cut off would make its runs look abandoned.
        "select w.id, w.name, w.started_at, w.beat_at, s.alive, \
         w.stopping_at is not null as stopping, \
         coalesce(w.stopping_at is not null and w.dead_at <= w.beat_at + w.lease, false) as stopped, w.types, w.slots \
         from opsroom.workers w \
         cross join lateral (select w.dead_at is null and w.beat_at + w.lease > now() as alive) s \
         where s.alive or coalesce(w.dead_at, w.beat_at) > now() - interval '1 hour' \
         order by s.alive desc, w.name, w.started_at desc limit 1000",
    )
}

pub(crate) fn decode(row: &PgRow) -> Result<Worker, ReadError> {
    let worker = || -> Result<Worker, sqlx::Error> {
        Ok(Worker {
            id: row.try_get("id")?,
            name: Clean::limited(row.try_get("name")?, 80),
            started_at: moment::always(row, "started_at")?,
            beat_at: moment::always(row, "beat_at")?,
            alive: row.try_get("alive")?,
            stopping: row.try_get("stopping")?,
            stopped: row.try_get("stopped")?,
            types: row
                .try_get::<Option<Vec<String>>, _>("types")?
                .unwrap_or_default(),
            slots: row.try_get("slots")?,
        })
    };
    worker().map_err(ReadError::malformed)
}
