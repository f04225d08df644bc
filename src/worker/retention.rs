//! `opsroom-worker retention` and `opsroom-worker prune`: how long runs are kept, and removing what is
//! past it now instead of waiting for the workers, who do the same at their leisure.

use crate::cli::{Database, Prune};
use crate::database;
use crate::failure::{FORBIDDEN, Failure, NOT_FOUND, USAGE};
use crate::graph;
use crate::tell::{note, tell};
use clap::Subcommand;
use opsroom_engine::retention::{self, Pruned};
use opsroom_engine::{EngineError, rollups};
use sqlx::PgConnection;
use std::time::Duration;

/// How long runs are kept.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Retention {
    /// Show the default (*) and the types with a retention of their own.
    List,
    /// Keep a type's runs for so many days; * for the default.
    Set {
        /// The type, or *.
        #[arg(value_name = "TYPE")]
        run_type: String,
        /// 1 to 3650.
        #[arg(allow_negative_numbers = true, value_parser = clap::value_parser!(i32).range(1..=3650))]
        days: i32,
    },
    /// Let the default hold for a type.
    Reset {
        /// The type.
        #[arg(value_name = "TYPE")]
        run_type: String,
    },
}

pub(crate) async fn run(database: &Database, what: Retention) -> Result<(), Failure> {
    let mut connection = database::connect_migrated(database).await?;
    match what {
        Retention::List => {
            for kept in retention::list(&mut connection).await? {
                tell!("{}  {} days", kept.run_type, kept.days);
            }
        }
        Retention::Set { run_type, days } => {
            if run_type != retention::DEFAULT {
                require_known(&mut connection, &run_type).await?;
            }
            let set = retention::set(&mut connection, &run_type, days).await;
            set.map_err(explain)?;
            tell!("{run_type}  {days} days");
        }
        Retention::Reset { run_type } => {
            let reset = retention::reset(&mut connection, &run_type).await;
            if !reset.map_err(explain)? {
                return Err(
                    Failure::new(format!("{run_type} has no retention of its own"))
                        .remedy("opsroom-worker retention list shows which have")
                        .code(NOT_FOUND),
                );
            }
            tell!("{run_type}: the default holds");
        }
    }
    Ok(())
}

/// A misspelt type would be kept as the default says, and nobody would notice before its runs are gone.
async fn require_known(connection: &mut PgConnection, run_type: &str) -> Result<(), Failure> {
    let Some(mut known) = retention::unknown_type(connection, run_type).await? else {
        return Ok(());
    };
    // Those of this program are known before any worker told the database.
    known.extend(graph::registry_for_starting()?.types());
    known.sort_unstable();
    known.dedup();
    if known.iter().any(|known| known == run_type) {
        return Ok(());
    }
    let distance = |known: &String| strsim::damerau_levenshtein(run_type, known);
    let meant = known.iter().min_by_key(|known| distance(known));
    let given: String = run_type.chars().take(100).collect();
    let failure = Failure::new(format!(
        "'{given}' is no registered operation type, and there are no runs of it"
    ));
    let failure = match meant.filter(|meant| distance(meant) <= 3) {
        Some(meant) => failure.remedy(format!("did you mean {meant}?")),
        None => failure.remedy(format!("one of {}, or *", known.join(", "))),
    };
    Err(failure.code(USAGE))
}

pub(crate) async fn prune(database: &Database, args: &Prune) -> Result<(), Failure> {
    let mut connection = database::connect_migrated(database).await?;
    // What is not counted yet may not go.
    rollups::catch_up(&mut connection).await?;
    let due = retention::prunable(&mut connection, args.days).await?;
    let all: u64 = due.iter().map(|due| due.runs).sum();
    for due in due.iter().filter(|due| due.runs > 0) {
        let before = due.before.format("%Y-%m-%d");
        tell!(
            "{}  {} runs created before {before} ({} days)",
            due.run_type,
            due.runs,
            due.days
        );
    }
    if args.dry_run {
        tell!("{all} runs would go");
        return Ok(());
    }
    let gone = prune_all(&mut connection, args, all)
        .await
        .map_err(explain)?;
    tell!("{gone} runs removed");
    Ok(())
}

async fn prune_all(
    connection: &mut PgConnection,
    args: &Prune,
    all: u64,
) -> Result<u64, EngineError> {
    let mut gone = 0;
    loop {
        match retention::prune(connection, args.batch, args.days).await? {
            Pruned::Batch { run_type, runs } => {
                gone += runs;
                note!("{gone}/{all} {run_type}");
            }
            // A worker's batch is over in a moment.
            Pruned::Busy => tokio::time::sleep(Duration::from_millis(50)).await,
            Pruned::Done => return Ok(gone),
        }
    }
}

fn explain(error: EngineError) -> Failure {
    match error.sqlstate() {
        Some("42501") => Failure::new("the retention is the owner's to decide")
            .remedy("use the owner's login; without --days, opsroom-worker prune works as a worker, too")
            .code(FORBIDDEN),
        Some("23514") => Failure::new("that cannot be")
            .remedy("write a type as resource.action, or * for the default, which can be set but not reset")
            .code(USAGE),
        _ => error.into(),
    }
}
