//! Honours fire times. Every worker does it, none leads: whoever locks a due schedule first decides
//! its fire times, and the primary key of `schedule_fires` is what makes a fire time happen at most
//! once, ever. Fire time, run and the schedule's new state commit together or not at all.
//!
//! The time is the database's. What a process takes for the time plays no part.

use super::ledger::{self, Due, Outcome, ROUND, lock, mark, record_skipped, save, unrecorded};
use super::missed::{PAGE, View, decide};
use super::timetable::Timetable;
use crate::deadline::{STATEMENT, within};
use crate::error::{EngineError, StartError};
use crate::registry::Registry;
use crate::start::{Initiator, Occasion, Priority, Start, Transport, Wake, ensure_scheduled_run};
use chrono::{DateTime, Utc};
use opsroom_model::RunId;
use sqlx::{Acquire as _, PgConnection, PgPool};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The longest wait between two looks: a schedule that was added meanwhile is noticed by then.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The wait after something that passes.
const SHORT_WAIT: Duration = Duration::from_secs(1);

/// Honours schedules whose types it knows.
#[derive(Clone)]
pub struct Scheduler {
    pool: PgPool,
    registry: Registry,
    clock: Clock,
}

/// Whose time it is.
#[derive(Clone)]
enum Clock {
    Database,
    Given(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>),
}

/// What one round came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// Runs started.
    pub fired: u64,
    /// Fire times that got none.
    pub missed: u64,
    /// Schedules that cannot fire.
    pub broken: u64,
    /// When to look again; zero where there is more to do already.
    pub wait: Duration,
}

/// What a turn of one schedule came to.
enum Turn {
    /// Another scheduler has it, or it is not due any more.
    Elsewhere,
    /// Its fire times are known now; they are for others to honour.
    Planned,
    /// Somebody is in the way for a moment.
    Busy,
    /// Done.
    Done {
        fired: u64,
        missed: u64,
        /// Until its next fire time, which may be due already.
        next: Duration,
    },
    /// It cannot fire, for the reason with this code.
    Broken(&'static str),
}

impl Scheduler {
    /// On a pool whose login is a member of `opsroom_worker`, for the types of `registry`.
    #[must_use]
    pub fn new(pool: PgPool, registry: Registry) -> Self {
        Self {
            pool,
            registry,
            clock: Clock::Database,
        }
    }

    /// With another time than the database's: for rehearsals and tests.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self {
            clock: Clock::Given(Arc::new(clock)),
            ..self
        }
    }

    /// Looks again and again until `stop` is cancelled. Errors of the database are waited out.
    pub async fn work(self, stop: CancellationToken) {
        loop {
            let round = tokio::select! {
                () = stop.cancelled() => return,
                round = self.round() => round,
            };
            let wait = match round {
                Ok(round) => round.wait,
                Err(error) => {
                    tracing::debug!(%error, "looking for due schedules failed; trying again");
                    SHORT_WAIT
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// One look: decides what is due, at most 100 schedules and 50 runs of each. Idempotent, and safe
    /// to cancel at any point: what did not commit is due again.
    ///
    /// # Errors
    /// Where the database cannot be asked what is due. A schedule that cannot fire is none: it is
    /// marked and the others go on.
    pub async fn round(&self) -> Result<Round, EngineError> {
        let (due, wait) = within(
            STATEMENT,
            ledger::due(&self.pool, self.given(), &self.registry.types()),
        )
        .await?;
        let mut round = Round {
            fired: 0,
            missed: 0,
            broken: 0,
            wait: wait.unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT),
        };
        if due.len() as i64 >= ROUND {
            round.wait = Duration::ZERO;
        }
        for schedule in due {
            match within(STATEMENT, self.turn(schedule)).await {
                Ok(Turn::Elsewhere | Turn::Planned) => {}
                Ok(Turn::Busy) => round.wait = round.wait.min(SHORT_WAIT),
                Ok(Turn::Done {
                    fired,
                    missed,
                    next,
                }) => {
                    round.fired += fired;
                    round.missed += missed;
                    round.wait = round.wait.min(next);
                }
                Ok(Turn::Broken(code)) => {
                    round.broken += 1;
                    within(STATEMENT, mark(&self.pool, self.given(), schedule, code)).await?;
                }
                // It stays due; the others must not wait for it.
                Err(error) => {
                    tracing::warn!(schedule, %error, "a schedule was not decided; trying again");
                    round.wait = round.wait.min(SHORT_WAIT);
                }
            }
        }
        Ok(round)
    }

    fn given(&self) -> Option<DateTime<Utc>> {
        match &self.clock {
            Clock::Database => None,
            Clock::Given(clock) => Some(clock()),
        }
    }

    /// Decides what is due of one schedule, in one transaction.
    async fn turn(&self, schedule: i64) -> Result<Turn, EngineError> {
        let mut transaction = self.pool.begin().await?;
        let turn = self.decide(&mut transaction, schedule).await?;
        // Waited for either way: a lock that lasts longer would be in the way of what comes next.
        match turn {
            Turn::Planned | Turn::Done { .. } => transaction.commit().await?,
            Turn::Elsewhere | Turn::Busy | Turn::Broken(_) => transaction.rollback().await?,
        }
        Ok(turn)
    }

    async fn decide(
        &self,
        transaction: &mut PgConnection,
        schedule: i64,
    ) -> Result<Turn, EngineError> {
        let Some(due) = lock(transaction, self.given(), schedule).await? else {
            return Ok(Turn::Elsewhere);
        };
        let timetable = match Timetable::new(&due.cron, &due.zone) {
            Ok(timetable) => timetable,
            Err(error) => return Ok(Turn::Broken(error.code())),
        };
        let (times, view) = due_times(&timetable, &due);
        if !times.is_empty() && self.registry.get(&due.run_type).is_none() {
            if due.next_fire_at.is_some() {
                return Ok(Turn::Broken("schedule.type_unknown"));
            }
            // Whoever knows the type finds it due.
            let planned = Outcome {
                until: due.decided_until,
                next: times[0],
                last: None,
                skip: &[],
            };
            save(transaction, &due, planned).await?;
            return Ok(Turn::Planned);
        }
        let open = unrecorded(transaction, &due, &times).await?;
        let decision = decide(&open, view, due.now, due.missed);
        let mut last = None;
        for fire_at in &decision.fire {
            match self.fire(transaction, &due, *fire_at).await {
                Ok(run) => last = run.map(|run| (*fire_at, run)).or(last),
                Err(error) => return broken(error),
            }
        }
        record_skipped(transaction, &due, &decision.skip).await?;
        let decided = times
            .iter()
            .take_while(|at| decision.rest.is_none_or(|rest| **at < rest));
        let until = decided.last().copied().unwrap_or(due.decided_until);
        let Some(next) = timetable.after(until) else {
            return Ok(Turn::Broken("schedule.cron_invalid"));
        };
        let outcome = Outcome {
            until,
            next,
            last,
            skip: &decision.skip,
        };
        save(transaction, &due, outcome).await?;
        if let Some(newest) = decision.skip.last() {
            let count = decision.skip.len();
            tracing::warn!(schedule, count, %newest, "fire times were missed");
        }
        Ok(Turn::Done {
            fired: decision.fire.len() as u64,
            missed: decision.skip.len() as u64,
            next: (next - due.now).to_std().unwrap_or_default(),
        })
    }

    /// The run of one fire time; `None` where somebody recorded that fire time before.
    async fn fire(
        &self,
        connection: &mut PgConnection,
        due: &Due,
        fire_at: DateTime<Utc>,
    ) -> Result<Option<RunId>, StartError> {
        let mut step = connection.begin().await?;
        let start = Start {
            tenant: due.tenant,
            run_type: &due.run_type,
            input: due.input.clone(),
            initiator: Initiator::System,
            wake: Wake::Notify,
            priority: Priority::Normal,
            transport: Transport::Workers,
        };
        let occasion = Occasion {
            schedule: due.id,
            fire_at,
        };
        let run = ensure_scheduled_run(&mut step, &self.registry, start, occasion)
            .await?
            .run();
        let recorded = sqlx::query(
            "insert into opsroom.schedule_fires (tenant_id, schedule_id, fire_at, run_id) values ($1, $2, $3, $4)
             on conflict do nothing",
        )
        .bind(due.tenant.0)
        .bind(due.id)
        .bind(fire_at)
        .bind(run.0)
        .execute(&mut *step)
        .await?;
        if recorded.rows_affected() == 0 {
            step.rollback().await?;
            return Ok(None);
        }
        step.commit().await?;
        Ok(Some(run))
    }
}

/// The fire times that are due, the oldest of them where there are very many.
fn due_times(timetable: &Timetable, due: &Due) -> (Vec<DateTime<Utc>>, View) {
    let mut times = Vec::new();
    let mut last = due.decided_until;
    while let Some(at) = timetable.after(last)
        && at <= due.now
    {
        if times.len() == PAGE {
            return (times, View::Oldest);
        }
        times.push(at);
        last = at;
    }
    (times, View::Whole)
}

/// What the schedule itself is to blame for; the rest passes or is the database's.
fn broken(error: StartError) -> Result<Turn, EngineError> {
    match error {
        StartError::Engine(error) => Err(error),
        StartError::InvalidInput { .. } | StartError::SensitiveInput(_) => {
            Ok(Turn::Broken("schedule.input_invalid"))
        }
        StartError::UnknownType { .. } => Ok(Turn::Broken("schedule.type_unknown")),
        // Somebody is in the way for now: it stays due.
        StartError::Busy | StartError::Contended => Ok(Turn::Busy),
        _ => Ok(Turn::Broken("schedule.refused")),
    }
}
