//! A worker process: claims free runs, executes them, beats while it holds any, ends them through one
//! service, takes over what dead workers held, keeps the rollups and the retention. Any number of
//! processes on any number of machines.
//!
//! A process lives as a series of incarnations: each has an id of its own, and one
//! that was declared dead, or could not beat in time, stops all its jobs and never writes again.

mod attempt;
mod backlog;
mod claim;
mod connection;
mod endings;
mod finish;
mod heartbeat;
mod housekeeping;
mod incarnation;
pub mod meters;
mod outage;
mod pruner;
mod reaper;
mod slots;
mod vitals;
mod wakes;

pub use backlog::{Backlog, COUNTED, backlog};
pub use vitals::{Fitness, Vitals};

use crate::deadline::within;
use crate::error::EngineError;
use crate::hosts::{Hosts, Moved};
use crate::registry::Registry;
use incarnation::{Ending, Incarnation};
use outage::Outage;
use sqlx::PgPool;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// Longest time for what a worker does before it begins.
const PREPARE: Duration = Duration::from_secs(30);

/// How a worker works. Every field has a default that suits a small installation.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Shown in the console, e.g. `ams-2`. Default: `worker`.
    pub name: String,
    /// Runs executed at the same time; as many again may be claimed whose endings are being written.
    /// Default: 8.
    pub slots: u32,
    /// How long the worker counts as alive after a beat, 1 s to 1 h; it beats six times in it and
    /// stops its own jobs when two thirds passed without a beat. Default: 30 s.
    pub lease: Duration,
    /// The longest wait before looking for work; a wake-up comes sooner. A worker that listens and
    /// finds nothing waits up to four times as long. Default: 1 s.
    pub poll: Duration,
    /// Whether it is woken by notifications. Default: yes.
    pub listen: Listen,
    /// How long jobs may go on after the stop was asked for. Default: 30 s.
    pub drain: Duration,
}

/// How a worker learns of new work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    /// By notifications of those who start runs, and by polling.
    Notifications,
    /// By polling alone: where a pooler in between, or the load, forbids LISTEN.
    PollOnly,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            name: "worker".to_owned(),
            slots: 8,
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            listen: Listen::Notifications,
            drain: Duration::from_secs(30),
        }
    }
}

/// Executes what is queued, until it is told to stop.
pub struct Worker {
    pool: PgPool,
    registry: Registry,
    options: WorkerOptions,
    hosts: Option<Hosts>,
    vitals: Vitals,
    ready: CancellationToken,
}

impl Worker {
    /// A worker for the types of `registry`, on a pool whose login is a member of `opsroom_worker`.
    /// The pool wants `slots` + 4 connections at most; fewer make jobs wait for each other. Beside it a
    /// worker keeps three of its own, with the pool's connect options but none of its hooks: for
    /// claims, endings and beats.
    #[must_use]
    pub fn new(pool: PgPool, registry: Registry, options: WorkerOptions) -> Self {
        Self {
            pool,
            registry,
            options,
            hosts: None,
            vitals: Vitals::default(),
            ready: CancellationToken::new(),
        }
    }

    /// To ask how this worker is while it works.
    #[must_use]
    pub fn vitals(&self) -> Vitals {
        self.vitals.clone()
    }

    /// After a failover the pool is pointed at whichever of `hosts` takes writes by then. The pool should
    /// be [`Hosts::pool`]'s.
    #[must_use]
    pub fn following(mut self, hosts: Hosts) -> Self {
        self.hosts = Some(hosts);
        self
    }

    /// Is cancelled once this worker is registered and takes work: for whoever waits for its readiness.
    #[must_use]
    pub fn ready(&self) -> CancellationToken {
        self.ready.clone()
    }

    /// Works until `stop` is cancelled, then drains: claims no more, keeps beating, lets jobs finish
    /// for [`WorkerOptions::drain`], and gives back what is left without using up an attempt.
    ///
    /// A database that goes away is waited for. Dropping the future abandons the jobs; their runs are
    /// taken over after the lease.
    ///
    /// # Errors
    /// At start only: where the database cannot be reached or refuses this login.
    pub async fn work(self, stop: CancellationToken) -> Result<(), EngineError> {
        within(PREPARE, self.prepare()).await?;

        let outage = self.vitals.outage().clone();
        let hosts = self.hosts.clone().filter(|hosts| hosts.count() > 1);
        let _following = hosts.map(|hosts| {
            AbortOnDropHandle::new(tokio::spawn(follow(
                hosts,
                self.pool.clone(),
                outage.clone(),
            )))
        });
        let mut incarnation =
            Incarnation::register(&self.pool, &self.registry, &self.options, &outage).await?;
        self.vitals.registered();
        self.ready.cancel();
        let _stopping = AbortOnDropHandle::new(tokio::spawn({
            let (stop, vitals) = (stop.clone(), self.vitals.clone());
            async move {
                stop.cancelled().await;
                vitals.stopping();
            }
        }));
        loop {
            match incarnation.serve(&stop).await {
                Ending::Stopped => return Ok(()),
                Ending::Fenced => {
                    ::metrics::counter!(meters::FENCED).increment(1);
                    tracing::info!("this worker was fenced; it comes back under a new id");
                }
            }
            let Some(next) = self.register_again(&stop, &outage).await else {
                return Ok(());
            };
            incarnation = next;
        }
    }

    /// Tells the database what this worker knows, and forgets workers that are long gone.
    async fn prepare(&self) -> Result<(), EngineError> {
        let mut connection = self.pool.acquire().await?;
        self.registry.publish(&mut connection).await?;
        sqlx::query("select opsroom.prune_workers('7 days')")
            .execute(&mut *connection)
            .await?;
        Ok(())
    }

    async fn register_again(
        &self,
        stop: &CancellationToken,
        outage: &Outage,
    ) -> Option<Incarnation> {
        let mut wait = Duration::from_millis(100);
        loop {
            match Incarnation::register(&self.pool, &self.registry, &self.options, outage).await {
                Ok(incarnation) => return Some(incarnation),
                Err(error) => outage.failed("registering", &error),
            }
            tokio::select! {
                () = stop.cancelled() => return None,
                () = tokio::time::sleep(wait) => wait = (wait * 2).min(Duration::from_secs(1)),
            }
        }
    }
}

/// Looks for the server that takes writes after each failure, at most twice a second.
async fn follow(hosts: Hosts, pool: PgPool, outage: Outage) {
    loop {
        outage.next_failure().await;
        if let Ok(Moved::To(place)) = hosts.follow(&pool).await {
            tracing::warn!(
                server = place + 1,
                "the database has moved to another server"
            );
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
