//! One life of a worker process under one id: from registering to stopping, or to being fenced.

use super::attempt::{self, Claimed, Executor};
use super::claim::Claimer;
use super::heartbeat::Heartbeat;
use super::outage::Outage;
use super::{WorkerOptions, finish, meters, reaper};
use crate::deadline::{STATEMENT, within};
use crate::error::EngineError;
use crate::registry::Registry;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The longest that jobs may take to notice that they were told to stop.
const GRACE: Duration = Duration::from_millis(500);

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
        .execute(pool);
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
        let reaping = tokio::spawn(reaper::reap_until(
            self.pool.clone(),
            self.options.lease,
            self.options.poll,
            fenced.clone(),
        ));

        let ending = self.claim_until(stop, &fenced).await;
        let ending = match ending {
            (Ending::Stopped, jobs) => self.drain(jobs, &fenced).await,
            (Ending::Fenced, jobs) => {
                self.abandon(jobs).await;
                Ending::Fenced
            }
        };
        reaping.abort();
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
    ) -> (Ending, JoinSet<()>) {
        let mut jobs = JoinSet::new();
        let mut claimer = Claimer::new(
            self.pool.clone(),
            self.id,
            self.options.name.clone(),
            self.registry.types(),
            self.outage.clone(),
        );
        let mut wakes = Wakes::new(self.pool.clone());
        while !stop.is_cancelled() {
            let free = (self.options.slots as usize).saturating_sub(jobs.len());
            let claimed = if free == 0 {
                Vec::new()
            } else {
                tokio::select! {
                    biased;
                    () = fenced.cancelled() => return (Ending::Fenced, jobs),
                    // Not dropped when told to stop: what it takes would never be executed.
                    claimed = claimer.claim(free) => claimed,
                }
            };
            let more = free > 0 && claimed.len() == free;
            ::metrics::gauge!(meters::RUNNING).set((jobs.len() + claimed.len()) as f64);
            for claimed in claimed {
                jobs.spawn(self.execute(claimed, fenced));
            }
            if more && jobs.len() < self.options.slots as usize {
                continue;
            }
            tokio::select! {
                biased;
                () = fenced.cancelled() => return (Ending::Fenced, jobs),
                () = stop.cancelled() => return (Ending::Stopped, jobs),
                Some(_) = jobs.join_next() => {}
                () = wakes.next(self.options.poll) => {}
            }
        }
        (Ending::Stopped, jobs)
    }

    fn execute(
        &self,
        claimed: Claimed,
        fenced: &CancellationToken,
    ) -> impl Future<Output = ()> + Send + 'static {
        let executor = Executor {
            pool: self.pool.clone(),
            registry: self.registry.clone(),
            worker: self.id,
            name: self.options.name.clone(),
            grace: self.grace(),
            fenced: fenced.clone(),
            outage: self.outage.clone(),
        };
        attempt::execute(executor, claimed)
    }

    /// Short enough for a fenced worker's jobs to be gone before its lease is.
    fn grace(&self) -> Duration {
        GRACE.min(self.options.lease / 6)
    }

    /// Jobs were told to stop; whoever does not listen within the grace time is dropped.
    async fn abandon(&self, mut jobs: JoinSet<()>) {
        let patience = tokio::time::sleep(self.grace());
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
    async fn drain(&self, mut jobs: JoinSet<()>, fenced: &CancellationToken) -> Ending {
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
                    self.abandon(jobs).await;
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
        self.abandon(jobs).await;
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

/// Wake-ups: a notification, or the poll interval with jitter. Notifications only save waiting, so a
/// listener that breaks is replaced at leisure.
struct Wakes {
    pool: PgPool,
    listener: Option<PgListener>,
}

impl Wakes {
    fn new(pool: PgPool) -> Self {
        Self {
            pool,
            listener: None,
        }
    }

    async fn next(&mut self, poll: Duration) {
        let due = Instant::now() + poll.mul_f64(0.75 + 0.5 * super::finish::spread());
        if self.listener.is_none() {
            self.listener = tokio::time::timeout_at(due, listen(&self.pool))
                .await
                .ok()
                .and_then(Result::ok);
            if self.listener.is_some() {
                // What was committed before the LISTEN was not announced to us.
                return;
            }
        }
        let Some(listener) = &mut self.listener else {
            return tokio::time::sleep_until(due).await;
        };
        if let Ok(Err(_)) = tokio::time::timeout_at(due, listener.recv()).await {
            self.listener = None;
            tokio::time::sleep_until(due).await;
        }
    }
}

async fn listen(pool: &PgPool) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen("opsroom_runs").await?;
    Ok(listener)
}
