//! `opsroom-worker rollups`: counting anew and comparing, while workers go on ticking.

use crate::cli::Database;
use crate::database;
use crate::failure::Failure;
use crate::tell::{note, tell};
use clap::Subcommand;
use opsroom_engine::rollups;

/// What to do with the rollups.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Rollups {
    /// Count every day anew from its runs. Days whose runs were pruned keep their counts.
    Rebuild,
    /// Compare every day with its runs; changes nothing. Exits 1 and names the days that differ. Types
    /// whose runs of a day were pruned are not compared; such days are named, and are no error.
    Check,
}

pub(crate) async fn run(database: &Database, what: Rollups) -> Result<(), Failure> {
    let mut connection = database::connect_migrated(database).await?;
    match what {
        Rollups::Rebuild => {
            let told = |day: rollups::Rebuilt, at, of| {
                note!("{at}/{of} {}  {} runs", day.day, day.runs);
            };
            let days = rollups::rebuild(&mut connection, told).await?;
            tell!("{days} days counted anew");
            Ok(())
        }
        Rollups::Check => {
            let told = |day, at, of| note!("{at}/{of} {day}");
            let checked = rollups::check(&mut connection, told).await?;
            for day in &checked.pruned {
                tell!("{day}  not comparable: pruned");
            }
            for difference in &checked.differing {
                tell!("{}  {}", difference.day, difference.what);
            }
            if checked.differing.is_empty() {
                tell!("the rollups say what the runs say");
                return Ok(());
            }
            Err(Failure::new("the rollups differ from the runs")
                .remedy("count them anew with opsroom-worker rollups rebuild"))
        }
    }
}
