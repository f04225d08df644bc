//! The diagnosis "stuck": never a state, always said over one. A pure function of facts.
//!
//! A run is stuck where its worker's lease has run out, where it waits and no live worker takes its
//! type, or where it has been running longer than the greater of 10 minutes and 5 × the p95 of its
//! type (at least 20 samples). The p95 is that of the last 30 days as far as the login sees them, from
//! the rollups (within 9 %); where those have not caught up, of the newest 200 completed runs. It is
//! asked for only once a run of the type passes 10 minutes.

use chrono::{DateTime, TimeDelta, Utc};
use opsroom_model::Status;
use uuid::Uuid;

use crate::workers::Worker;

/// The least running time that can be called too long.
pub const SLOW_FLOOR: TimeDelta = TimeDelta::minutes(10);
/// How many times the p95 is too long.
pub const SLOW_FACTOR: i32 = 5;
/// Completed runs a p95 needs before it counts.
pub const MIN_SAMPLES: i64 = 20;

/// Why a run does not move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stuck {
    /// Its worker stopped beating.
    LeaseRunOut,
    /// It waits, and no live worker takes its type.
    NoWorker,
    /// It runs far longer than its type does.
    Slow {
        /// The p95 of its type.
        p95: TimeDelta,
    },
}

/// What the diagnosis needs to know of a run.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Where it stands.
    pub status: Status,
    /// Its type, as stored.
    pub run_type: &'a str,
    /// Who holds it.
    pub worker_id: Option<Uuid>,
    /// Whether it may be claimed by now.
    pub waits: Waits,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
}

/// Whether a run may be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// It may be claimed now.
    ForWorker,
    /// It may be claimed from a moment that is still to come.
    Until(DateTime<Utc>),
    /// It waits for somebody's confirmation.
    ForConfirmation,
    /// Never here: another application executes it.
    Elsewhere,
}

/// The diagnosis as of `now`, the database's time; `p95` answers for types with enough samples.
#[must_use]
pub fn diagnose(
    facts: &Facts<'_>,
    workers: &[Worker],
    p95: impl Fn(&str) -> Option<TimeDelta>,
    now: DateTime<Utc>,
) -> Option<Stuck> {
    if facts.status == Status::Completed {
        return None;
    }
    match facts.worker_id {
        Some(holder) => {
            if !workers
                .iter()
                .any(|worker| worker.id == holder && worker.alive)
            {
                return Some(Stuck::LeaseRunOut);
            }
        }
        None => {
            let nobody = !workers.iter().any(|worker| worker.takes(facts.run_type));
            if facts.waits == Waits::ForWorker && nobody {
                return Some(Stuck::NoWorker);
            }
        }
    }
    if facts.status != Status::Running {
        return None;
    }
    let running = now - facts.started_at?;
    if running <= SLOW_FLOOR {
        return None;
    }
    let p95 = p95(facts.run_type)?;
    (running > p95 * SLOW_FACTOR).then_some(Stuck::Slow { p95 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use opsroom_model::Clean;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn worker(alive: bool) -> Worker {
        Worker {
            id: Uuid::from_u128(7),
            name: Clean::new("w"),
            started_at: at(0),
            beat_at: at(0),
            alive,
            stopping: false,
            stopped: false,
            types: vec!["inventory.sync".into()],
            slots: 4,
        }
    }

    fn running<'a>() -> Facts<'a> {
        Facts {
            status: Status::Running,
            run_type: "inventory.sync",
            worker_id: Some(Uuid::from_u128(7)),
            waits: Waits::ForWorker,
            started_at: Some(at(0)),
        }
    }

    #[test]
    fn a_run_of_a_dead_worker_is_stuck() {
        let verdict = |alive| diagnose(&running(), &[worker(alive)], |_| None, at(5));
        assert_eq!(verdict(false), Some(Stuck::LeaseRunOut));
        assert_eq!(verdict(true), None);
    }

    #[test]
    fn slow_needs_both_ten_minutes_and_five_times_p95() {
        let minute = TimeDelta::minutes(1);
        let verdict = |p95, seconds| diagnose(&running(), &[worker(true)], |_| p95, at(seconds));
        assert_eq!(verdict(Some(minute), 599), None);
        assert_eq!(
            verdict(Some(minute), 601),
            Some(Stuck::Slow { p95: minute })
        );
        assert_eq!(verdict(Some(minute * 3), 601), None);
        assert_eq!(verdict(None, 999_999), None);
    }

    #[test]
    fn queued_is_stuck_only_where_nobody_will_take_it() {
        let queued = Facts {
            status: Status::Queued,
            worker_id: None,
            started_at: None,
            ..running()
        };
        let verdict =
            |facts: &Facts<'_>, workers: &[Worker]| diagnose(facts, workers, |_| None, at(5));
        assert_eq!(verdict(&queued, &[worker(true)]), None);
        assert_eq!(verdict(&queued, &[]), Some(Stuck::NoWorker));
        let held = Facts {
            waits: Waits::ForConfirmation,
            ..queued
        };
        assert_eq!(verdict(&held, &[]), None);
        let foreign = Facts {
            waits: Waits::Elsewhere,
            ..queued
        };
        assert_eq!(verdict(&foreign, &[]), None);
    }
}
