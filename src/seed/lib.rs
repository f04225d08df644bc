//! Believable history in bulk: runs of every type, spread over tenants by Zipf's law and over time by
//! the hour of the day, and what is going on right now. For the demo, for tests and for benches.
//!
//! | module | one idea |
//! |---|---|
//! | [`error`] | what can go wrong |
//! | `tenants` | who it is about |
//! | `kinds` | what operations there are, how long they take, what goes wrong |
//! | `history` | completed runs as lines for COPY |
//! | `active` | runs that are queued or running |
//! | `chunks` | COPY through every trigger, a transaction a chunk |
//! | `bulk` | COPY with indexes built afterwards, all in one transaction |
//! | `counted` | rollups brought up to date |
//!
//! Both ways leave the same rows (a test compares them). The same numbers give the same history, up
//! to the moment it ends at.

mod active;
mod bulk;
mod chunks;
mod counted;
pub mod error;
mod history;
mod kinds;
mod tenants;

pub use error::SeedError;

use active::Share;
use history::History;
use opsroom_engine::EngineError;
use opsroom_engine::migrate::{SchemaState, schema_state};
use sqlx::PgConnection;

/// From so many runs on, building indexes afterwards pays for the lock it takes.
const BULK_FROM: u64 = 200_000;

/// How much, and over what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Completed runs to add.
    pub runs: u64,
    /// Tenants to spread them over: the oldest so many, missing ones are added.
    pub tenants: u64,
    /// How far back history reaches, in days.
    pub days: u32,
    /// Active runs to add.
    pub active: u64,
    /// A login whose user becomes operator of the workspaces that are added.
    pub on_call: Option<String>,
    /// How it is loaded.
    pub way: Way,
}

/// How history is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// [`Way::Bulk`] from 200,000 runs on, where no worker is alive and no more runs than these are
    /// there yet; else [`Way::Chunks`].
    Fitting,
    /// In chunks of 50,000, each a transaction: others go on working, and what was loaded before an
    /// interruption stays.
    Chunks,
    /// In one transaction that holds the tables for itself and builds their indexes at its end. An
    /// interruption leaves everything as it was.
    Bulk,
}

/// What is being done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Runs are copied.
    Runs {
        /// So far.
        done: u64,
        /// In all.
        of: u64,
    },
    /// An index or a constraint is about to be built.
    Building {
        /// Its name.
        name: String,
        /// Which one, from 1.
        at: usize,
        /// In all.
        of: usize,
    },
    /// Days are counted into the rollups.
    Counting {
        /// So far.
        done: u64,
        /// In all.
        of: u64,
    },
    /// Something else begins.
    Step(&'static str),
}

/// Adds what the plan says, through the owner's connection, refreshes the statistics and brings the
/// rollups up to date, so that every screen can be looked at at once.
/// `told` hears of every stage. Not idempotent: every call adds runs. Dropping the future ends it as
/// an interruption does, see [`Way`].
///
/// # Errors
/// [`SeedError`]; what is left then depends on the [`Way`].
pub async fn seed(
    owner: &mut PgConnection,
    plan: &Plan,
    told: &mut (dyn FnMut(Stage) + Send),
) -> Result<(), SeedError> {
    if schema_state(owner).await? != SchemaState::Current {
        return Err(SeedError::NotCurrent);
    }
    tenants::ensure(owner, plan.tenants, plan.on_call.as_deref()).await?;
    let tenants = tenants::list(owner, plan.tenants).await?;
    let people = tenants::people(owner).await?;
    let attempts = tenants::attempts(owner).await?;
    let live = live_workers(owner).await?;
    let bulk = match plan.way {
        Way::Chunks => false,
        Way::Bulk => true,
        Way::Fitting => !live && plan.runs >= BULK_FROM && present(owner).await? <= plan.runs,
    };
    let history = History::new(tenants.clone(), people.clone(), attempts, plan);
    if bulk {
        bulk::load(owner, history, told).await?;
    } else {
        chunks::load(owner, history, told).await?;
    }
    if plan.active > 0 {
        told(Stage::Step("active runs"));
        // A worker would take ours for work.
        let share = if live { Share::Elsewhere } else { Share::All };
        active::add(owner, &tenants, &people, plan, share).await?;
    }
    told(Stage::Step("statistics"));
    for statement in [
        "vacuum (analyze) opsroom.operation_runs",
        "vacuum (analyze) opsroom.run_failures",
        "vacuum (analyze) opsroom.run_keys",
        "analyze opsroom.tenants, opsroom.reach",
    ] {
        run(owner, statement).await?;
    }
    counted::catch_up(owner, told).await
}

async fn run(owner: &mut PgConnection, statement: &'static str) -> Result<(), EngineError> {
    sqlx::raw_sql(statement).execute(owner).await?;
    Ok(())
}

async fn live_workers(owner: &mut PgConnection) -> Result<bool, EngineError> {
    let alive = "select exists (select from opsroom.workers where dead_at is null and beat_at > clock_timestamp() - lease)";
    Ok(sqlx::query_scalar(alive).fetch_one(owner).await?)
}

/// How many runs there are, roughly where there are many.
async fn present(owner: &mut PgConnection) -> Result<u64, EngineError> {
    let counted: i64 = sqlx::query_scalar(
        "select greatest((select count(*) from (select from opsroom.operation_runs limit 100000) r),
                         (select c.reltuples::bigint from pg_class c where c.oid = 'opsroom.operation_runs'::regclass))",
    )
    .fetch_one(owner)
    .await?;
    Ok(counted.unsigned_abs())
}
