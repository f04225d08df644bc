//! What an application developer embeds: operations, the runs that record them, the workers that
//! execute them. PostgreSQL is record and queue in one; this crate writes, `opsroom-read` reads.
//!
//! | module | one idea |
//! |---|---|
//! | [`guide`] | how to use all this, from a first operation to deploying |
//! | [`operation`] | the [`Operation`] trait: a type, its input, its job |
//! | [`registry`] | which operations a program knows |
//! | [`start`] | [`ensure_run`]: create the run or reuse the active one |
//! | [`dispatch`] | failing a run that nobody can be told to execute |
//! | [`record`] | `update_run`, `fail_run`: for applications with a transport of their own |
//! | [`run`] | what a job holds while it executes: progress, checkpoints, items |
//! | [`schedule`] | operations that start by themselves: cron, time zones, fire times |
//! | [`settings`] | what holds for all workers: limits, wake-ups, how long notifications stay |
//! | [`worker`] | claims, beats, executes, finishes, reaps, drains |
//! | [`rollups`] | completed runs counted by hour and day, exact after every tick |
//! | [`retention`] | how long runs are kept, and removing those past it |
//! | [`migrate`](mod@migrate) | the schema, embedded |
//! | [`access`] | who there is, and who may what |
//! | [`hosts`] | the servers of one database, and which of them takes writes |
//! | [`deadline`] | the client's own limit on every call |
//! | [`error`] | what can go wrong, without a payload in it |
//!
//! ```no_run
//! use opsroom_engine::{JobError, Operation, Registry, Run, Worker, WorkerOptions};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Input {
//!     scope: String,
//! }
//!
//! struct Sync;
//!
//! impl Operation for Sync {
//!     const TYPE: &'static str = "inventory.sync";
//!     const LABEL: &'static str = "Inventory sync";
//!     type Input = Input;
//!
//!     async fn perform(&self, run: &Run, input: Input) -> Result<(), JobError> {
//!         run.start_over(10);
//!         run.succeeded(10);
//!         Ok(())
//!     }
//! }
//!
//! # async fn example(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::new().with(Sync)?;
//! Worker::new(pool, registry, WorkerOptions::default()).work(Default::default()).await?;
//! # Ok(())
//! # }
//! ```

pub mod access;
pub mod deadline;
pub mod dispatch;
pub mod error;
pub mod guide;
pub mod hosts;
pub mod migrate;
pub mod operation;
pub mod record;
pub mod registry;
pub mod retention;
pub mod rollups;
pub mod run;
pub mod schedule;
pub mod settings;
pub mod start;
pub mod worker;

pub use dispatch::dispatch_or_fail;
pub use error::{EngineError, JobError, StartError};
pub use hosts::Hosts;
pub use migrate::{MigrateError, migrate};
pub use operation::{Backoff, Identity, Limits, Operation, Policy, PutOff, Requires};
pub use opsroom_model::{FailureKind, RunId, TenantId, UserId};
pub use record::{Update, UpdateError, fail_run, update_run};
pub use registry::Registry;
pub use run::Run;
pub use start::{Confirmation, Initiator, Priority, Start, Transport, Wake, ensure_run};
pub use worker::{Listen, Worker, WorkerOptions};
