//! One life of a worker process under one id: from registering to stopping, or to being fenced.

use super::attempt::{self, Executor};
use super::claim::Claimer;
use super::connection;
use super::endings::Endings;
use super::heartbeat::Heartbeat;
use super::outage::Outage;
use super::slots::Slots;
use super::wakes::Wakes;
use super::{WorkerOptions, finish, housekeeping, meters, pruner, reaper};
use crate::deadline::{STATEMENT, within};
use crate::error::EngineError;
use crate::registry::Registry;
use crate::run::Progress;
use crate::schedule::Scheduler;
use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The longest that jobs may take to notice that they were told to stop.
const GRACE: Duration = Duration::from_millis(500);

/// The same once the drain time is over: the program is expected to be gone a second later.
const LAST_GRACE: Duration = Duration::from_millis(400);

/// How long slots that became free wait for others, so that one claim serves them, where more runs wait and
/// the most are in use.
const LINGER: Duration = Duration::from_millis(1);
/// How often they let others run before that, as long as others become free by it: jobs that do little.
const TURNS: usize = 16;

/// The jobs under way. Each tells how long its run waits for its next attempt, where one follows.
type Jobs = JoinSet<Option<Duration>>;

/// Why a life ended.
pub(super) enum Ending {
    /// It was asked to stop, and drained.
    Stopped,
    /// It was declared dead, or could not beat in time.
    Fenced,
}

pub(super) struct Incarnation {
    id: Uuid,
    pool: PgPool,
    registry: Registry,
    options: WorkerOptions,
    outage: Outage,
}

impl Incarnation {
    pub(super) async fn register(
        pool: &PgPool,
        registry: &Registry,
        options: &WorkerOptions,
        outage: &Outage,
    ) -> Result<Self, EngineError> {
        let id = Uuid::new_v4();
        // None of the pool's: after an outage those may be dead without knowing it.
        let mut connection = connection::connect(pool).await?;
        let inserted = sqlx::query(
            "insert into opsroom.workers (id, name, pid, version, types, slots, lease)
             values ($1, $2, $3, $4, $5, $6, make_interval(secs => $7))",
        )
        .bind(id)
        .bind(&options.name)
        .bind(i32::try_from(std::process::id()).unwrap_or(0))
        .bind(env!("CARGO_PKG_VERSION"))
        .bind(registry.types())
        .bind(i32::try_from(options.slots).unwrap_or(i32::MAX))
        .bind(options.lease.as_secs_f64())
        .execute(&mut connection);
        within(STATEMENT, inserted).await?;
        outage.answered();
        tracing::info!(worker = %id, name = options.name, slots = options.slots, "working");
        Ok(Self {
            id,
            pool: pool.clone(),
            registry: registry.clone(),
            options: options.clone(),
            outage: outage.clone(),
        })
    }

    pub(super) async fn serve(&self, stop: &CancellationToken) -> Ending {
        let fenced = CancellationToken::new();
        let beating = Heartbeat::start(
            self.pool.clone(),
            self.id,
            self.options.lease,
            fenced.clone(),
            self.outage.clone(),
        );
        let ended = Arc::new(Notify::new());
        let reaping = tokio::spawn(reaper::reap_until(
            self.pool.clone(),
            self.options.lease,
            self.options.poll,
            Arc::clone(&ended),
            fenced.clone(),
        ));
        let keeping = tokio::spawn(housekeeping::keep_house_until(
            self.pool.clone(),
            Arc::clone(&ended),
            fenced.clone(),
        ));

        let scheduling = tokio::spawn(
            Scheduler::new(self.pool.clone(), self.registry.clone()).work(stop.child_token()),
        );
        let pruning = tokio::spawn(pruner::prune_until(self.pool.clone(), fenced.clone()));

        let ending = self.claim_until(stop, &fenced, ended).await;
        scheduling.abort();
        let ending = match ending {
            (Ending::Stopped, jobs) => self.drain(jobs, &fenced).await,
            (Ending::Fenced, jobs) => {
                self.abandon(jobs, self.grace()).await;
                Ending::Fenced
            }
        };
        reaping.abort();
        keeping.abort();
        pruning.abort();
        beating.stop().await;
        if matches!(ending, Ending::Stopped) {
            self.sign_off().await;
        }
        ending
    }

    async fn claim_until(
        &self,
        stop: &CancellationToken,
        fenced: &CancellationToken,
        ended: Arc<Notify>,
    ) -> (Ending, Jobs) {
        let all = self.options.slots as usize;
        let slots = Slots::default();
        let mut jobs = Jobs::new();
        // The last claim found as many as it asked for.
        let mut more = false;
        let mut claimer = Claimer::new(
            self.pool.clone(),
            self.id,
            self.options.name.clone(),
            self.registry.types(),
            self.outage.clone(),
        );
        let mut wakes = Wakes::new(self.pool.clone(), self.options.poll, self.options.listen);
        let executor = self.executor(fenced, ended);
        while !stop.is_cancelled() {
            while let Some(joined) = jobs.try_join_next() {
                put_off(&mut wakes, joined);
            }
            let free = free_slots(all, &slots, &jobs);
            if free > 0 {
                let free = if more {
                    gather(all, &slots, &mut jobs, &mut wakes).await
                } else {
                    free
                };
                let claimed = tokio::select! {
                    biased;
                    () = fenced.cancelled() => return (Ending::Fenced, jobs),
                    // Not dropped when told to stop: what it takes would never be executed.
                    claimed = claimer.claim(free) => claimed,
                };
                let found = claimed.len();
                wakes.found(found);
                more = found == free;
                for claimed in claimed {
                    jobs.spawn(attempt::execute(executor.clone(), claimed, slots.take()));
                }
                ::metrics::gauge!(meters::RUNNING).set(jobs.len() as f64);
                // Less than was asked for does not mean that there is no more.
                if found > 0 && found < free {
                    continue;
                }
            }
            tokio::select! {
                biased;
                () = fenced.cancelled() => return (Ending::Fenced, jobs),
                () = stop.cancelled() => return (Ending::Stopped, jobs),
                Some(joined) = jobs.join_next() => put_off(&mut wakes, joined),
                // Where there was no more, the next look is worth its while once an ending is written:
                // it may make room below a limit.
                () = slots.freed(), if more => {}
                () = wakes.next() => {}
            }
        }
        (Ending::Stopped, jobs)
    }

    fn executor(&self, fenced: &CancellationToken, ended: Arc<Notify>) -> Executor {
        let name = self.options.name.clone();
        Executor {
            pool: self.pool.clone(),
            registry: self.registry.clone(),
            worker: self.id,
            progress: Progress::start(self.pool.clone(), self.id),
            endings: Endings::start(self.pool.clone(), self.id, name.clone()),
            ended,
            name,
            grace: self.grace(),
            fenced: fenced.clone(),
            outage: self.outage.clone(),
        }
    }

    /// Short enough for a fenced worker's jobs to be gone before its lease is.
    fn grace(&self) -> Duration {
        GRACE.min(self.options.lease / 6)
    }

    /// Jobs were told to stop; whoever does not listen within the grace time is dropped.
    async fn abandon(&self, mut jobs: Jobs, grace: Duration) {
        let patience = tokio::time::sleep(grace);
        tokio::pin!(patience);
        loop {
            tokio::select! {
                joined = jobs.join_next() => if joined.is_none() { return },
                () = &mut patience => break,
            }
        }
        jobs.shutdown().await;
    }

    /// Lets jobs finish, then stops what is left and gives it back.
    async fn drain(&self, mut jobs: Jobs, fenced: &CancellationToken) -> Ending {
        tracing::info!(worker = %self.id, jobs = jobs.len(), "draining");
        let stopping =
            sqlx::query("update opsroom.workers set stopping_at = clock_timestamp() where id = $1")
                .bind(self.id)
                .execute(&self.pool);
        if let Err(error) = within(STATEMENT, stopping).await {
            self.outage.failed("showing the drain", &error);
        }
        let deadline = Instant::now() + self.options.drain;
        loop {
            tokio::select! {
                biased;
                () = fenced.cancelled() => {
                    self.abandon(jobs, self.grace()).await;
                    return Ending::Stopped;
                }
                joined = jobs.join_next() => if joined.is_none() { return Ending::Stopped },
                () = tokio::time::sleep_until(deadline) => break,
            }
        }
        tracing::warn!(
            jobs = jobs.len(),
            "the drain time is over; giving back what is left"
        );
        fenced.cancel();
        self.abandon(jobs, LAST_GRACE.min(self.grace())).await;
        Ending::Stopped
    }

    /// Gives back whatever is still held and leaves. Where the database is away, the lease does it.
    async fn sign_off(&self) {
        let result = finish::release_all(&self.pool, self.id, &self.options.name).await;
        match result {
            Ok(0) => tracing::info!(worker = %self.id, "stopped"),
            Ok(released) => tracing::warn!(worker = %self.id, released, "stopped; runs given back"),
            Err(error) => {
                tracing::warn!(worker = %self.id, %error, "stopped without signing off; the lease will tell")
            }
        }
    }
}

/// How many runs may be claimed: no job is executed in so many slots, and the endings that are still to be
/// written are no more than there are slots.
fn free_slots(all: usize, slots: &Slots, jobs: &Jobs) -> usize {
    let executed = all.saturating_sub(slots.taken());
    executed.min((2 * all).saturating_sub(jobs.len()))
}

/// Waits for slots that become free together, and says how many are.
async fn gather(all: usize, slots: &Slots, jobs: &mut Jobs, wakes: &mut Wakes) -> usize {
    let (mut free, mut turns) = (free_slots(all, slots, jobs), 0);
    while turns < TURNS && free < all {
        tokio::task::yield_now().await;
        turns += 1;
        while let Some(joined) = jobs.try_join_next() {
            put_off(wakes, joined);
        }
        let now = free_slots(all, slots, jobs);
        if now > free {
            (free, turns) = (now, 0);
        }
    }
    if 2 * free < all {
        tokio::time::sleep(LINGER).await;
    }
    free_slots(all, slots, jobs)
}

/// A job that ended: its worker looks again when the run's next attempt is due.
fn put_off(wakes: &mut Wakes, joined: Result<Option<Duration>, JoinError>) {
    if let Ok(Some(wait)) = joined {
        wakes.expect(wait);
    }
}
