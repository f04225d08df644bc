//! The guide for an application developer: concepts, a first operation, starting it, testing it,
//! deploying it, failure codes. All code here is run by the tests, against a real PostgreSQL. A whole
//! application of this kind is in `src/engine/examples/invoices`.
//!
//! # Concepts
//!
//! - An **operation** is something that can be done for a tenant: a stable type `resource.action`, an input,
//!   a job. A **run** is one time it is done: one row of `opsroom.operation_runs`, which is the record and
//!   the queue entry in one.
//! - A run is `queued`, then `running`, then `completed` with an outcome. The database refuses anything else.
//! - A **worker** claims runs and executes them, one **attempt** after the other until one ends it or the
//!   operation's attempts are used up. Claims are numbered, and every write carries the number: a worker that
//!   lost its claim, because it was cut off or stopped for too long, writes nothing more.
//! - So a job is executed **at least once**. Whatever it does must bear repetition; what it writes to the same
//!   database goes into a [checkpoint](crate::Run::checkpoint) and then happens under its claim or not at all.
//!
//! # Dependencies
//!
//! The engine's calls take sqlx's own connections and pools, so the version has to be the engine's: 0.9.
//! Whichever TLS you choose serves the engine, too.
//!
//! ```toml
//! [dependencies]
//! opsroom-engine = { path = "../opsroom/src/engine" }
//! serde = { version = "1", features = ["derive"] }
//! serde_json = "1"
//! sqlx = { version = "0.9", default-features = false, features = ["postgres", "runtime-tokio", "tls-rustls-ring-webpki"] }
//! tokio = { version = "1", features = ["rt-multi-thread", "macros", "signal"] }
//! tokio-util = "0.7" # the token that stops a worker
//!
//! [dev-dependencies]
//! opsroom-testkit = { path = "../opsroom/src/testkit" }
//! ```
//!
//! # A first operation
//!
//! A type, an input, a policy, a job:
//!
//! ```
//! use opsroom_engine::{
//!     FailureKind, Identity, JobError, Operation, Policy, Registry, Requires, Run,
//! };
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Mailbox {
//!     mailbox_id: i64,
//! }
//!
//! struct EmptyMailbox;
//!
//! /// False where the message must stay.
//! async fn delete(mailbox: i64, message: u32) -> bool {
//!     mailbox > 0 && message != 1 // your own work
//! }
//!
//! impl Operation for EmptyMailbox {
//!     const TYPE: &'static str = "mailbox.empty"; // stable: it outlives renamed code
//!     const LABEL: &'static str = "Empty a mailbox";
//!     type Input = Mailbox;
//!
//!     fn policy(&self) -> Policy {
//!         Policy {
//!             // One active run per mailbox; PerRequest would make each request its own run.
//!             identity: Identity::DedupeActive,
//!             // What viewing and starting it asks for.
//!             requires: Requires::Capability("mailbox.manage".to_owned()),
//!             max_attempts: 3,
//!             ..Policy::default()
//!         }
//!     }
//!
//!     async fn perform(&self, run: &Run, input: Mailbox) -> Result<(), JobError> {
//!         if input.mailbox_id < 0 {
//!             return Err(JobError::Permanent(FailureKind::other("mailbox.unknown", "No such mailbox")));
//!         }
//!         run.start_over(3); // what there is to do; the outcome follows from what is counted
//!         for message in 0..3 {
//!             run.check()?; // told to stop: the attempt ends here and is given back
//!             match delete(input.mailbox_id, message).await {
//!                 true => run.succeeded(1),
//!                 // One of many failed: counted under its code, and the job goes on.
//!                 false => run.failed(&FailureKind::other("message.on_hold", "The message is on hold")),
//!             }
//!             run.progress().await?; // shown at most twice a second
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let registry = Registry::new().with(EmptyMailbox)?;
//! assert_eq!(registry.types(), ["mailbox.empty"]);
//! # Ok::<(), opsroom_engine::registry::RegistryError>(())
//! ```
//!
//! The outcome: nothing failed is `succeeded`, something failed and something went well is
//! `partially_succeeded`, everything failed is `failed`. An error ends the attempt:
//! [`Retryable`](crate::JobError::Retryable) makes another one follow after the policy's back-off, or when the
//! remote side said; [`Permanent`](crate::JobError::Permanent) ends the run. Deadlocks and a database that is
//! away for a moment are met by the engine, and cost no attempt.
//!
//! # Starting it, and testing it
//!
//! [`ensure_run`](crate::ensure_run) creates the run, or finds the active one that is the same, in the
//! transaction of the caller: the run exists when that commits, together with the caller's own writes, and
//! never without them. `opsroom-testkit` has a database for each test, and executes what was started:
//!
//! ```
//! # use opsroom_engine::{FailureKind, JobError, Operation, Registry, Run};
//! use opsroom_engine::{Initiator, Priority, Start, TenantId, Transport, Wake, ensure_run};
//! use opsroom_testkit::World;
//! use serde_json::json;
//! # #[derive(serde::Serialize, serde::Deserialize)]
//! # struct Mailbox { mailbox_id: i64 }
//! # struct EmptyMailbox;
//! # impl Operation for EmptyMailbox {
//! #     const TYPE: &'static str = "mailbox.empty";
//! #     const LABEL: &'static str = "Empty a mailbox";
//! #     type Input = Mailbox;
//! #     async fn perform(&self, run: &Run, input: Mailbox) -> Result<(), JobError> {
//! #         if input.mailbox_id < 0 {
//! #             return Err(JobError::Permanent(FailureKind::other("mailbox.unknown", "No such mailbox")));
//! #         }
//! #         run.start_over(3);
//! #         run.succeeded(3);
//! #         Ok(())
//! #     }
//! # }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::new().with(EmptyMailbox)?;
//! let world = World::new().await?; // a migrated database, two tenants, people, a worker's login
//! let mut connection = world.owner().await?;
//! registry.publish(&mut connection).await?; // workers do it when they begin: attempts, capability
//!
//! let mut start = Start {
//!     tenant: TenantId(world.north),
//!     run_type: "mailbox.empty",
//!     input: json!({"mailbox_id": 7}), // ids, never secrets: it is stored and shown
//!     initiator: Initiator::System,
//!     wake: Wake::Notify,
//!     priority: Priority::Normal,
//!     transport: Transport::Workers,
//! };
//! let first = ensure_run(&mut connection, &registry, start.clone()).await?;
//! let again = ensure_run(&mut connection, &registry, start.clone()).await?;
//! assert_eq!(first.run(), again.run()); // the same mailbox: one active run
//!
//! let row = world.complete(&registry, first.run().0).await?;
//! assert_eq!(row["outcome"], "succeeded");
//! assert_eq!(row["summary_counts"]["success"], 3);
//!
//! start.input = json!({"mailbox_id": -1});
//! let unknown = ensure_run(&mut connection, &registry, start).await?;
//! let row = world.complete(&registry, unknown.run().0).await?;
//! assert_eq!(row["failure_summary"][0]["code"], "mailbox.unknown");
//! # Ok(())
//! # }
//! ```
//!
//! # Deploying
//!
//! 1. `opsroom-worker migrate` with an administrator's login, before the new programs start.
//! 2. A login for the workers: `opsroom-worker access login add NAME --kind worker`; one for each program that
//!    starts operations: `--kind starter --user PERSON`.
//! 3. Any number of workers, on any number of machines. A program of your own makes a [`Worker`](crate::Worker)
//!    with your registry; `opsroom_worker::main_with` gives your operations the whole command line instead
//!    (signals, logs, `--metrics`), beside the types that call Graph, which it takes once it is given
//!    `--graph-secrets`.
//! 4. [`Hosts`](crate::Hosts) takes a URL with several servers and finds the one that takes writes, also after
//!    a failover. A standby must be synchronous for confirmed runs to survive the primary's loss.
//! 5. Stopping: cancel the token given to [`work`](crate::Worker::work), and wait for it. Jobs may finish for
//!    [`drain`](crate::WorkerOptions::drain); the rest is given back, without an attempt used up.
//!
//! Old and new programs may run side by side: a worker claims the types it knows, and attempts of a run
//! keep the number they were started with. Keep a type until no run of it is active.
//!
//! # Failure codes
//!
//! A failure is a stable code and a short message from a catalogue, never an error's own text: that may quote
//! a row or a secret. [`FailureKind::other`](crate::FailureKind::other) makes one of your own; its code is
//! `[a-z0-9_.]`, up to 64 characters, its message passes the sanitizer. The engine's own:
//!
//! | code | when |
//! |---|---|
//! | `dispatch.failed` | nobody could be told to execute the run |
//! | `worker.lost` | the worker died, and no attempt was left |
//! | `job.panicked` | the job panicked; its words are not kept |
//! | `job.timed_out` | an attempt ran longer than [`Policy::timeout`](crate::Policy::timeout) |
//! | `job.stopped` | the job gave up without having been told to |
//! | `input.invalid` | the stored input does not fit the operation |
//! | `database.unavailable` | the database refused what the job wrote, or was away at a commit |
