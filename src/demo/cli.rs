//! What may be typed.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Shows live operation runs on a private PostgreSQL: nothing is installed, nothing is left running.
#[derive(Debug, Parser)]
#[command(name = "opsroom-demo", bin_name = "cargo demo --", version, about, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) show: Show,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXAMPLES: &str = "Examples:
  cargo demo                                   the console, as the on-call engineer
  cargo demo -- --as support                   as support staff, who see some tenants
  cargo demo -- --policies DIR                 with your own policy documents
  cargo demo -- --headless                     everything but the console; prints connection URLs
  cargo demo -- seed --runs 100000 --tenants 500 --url URL
  cargo demo -- worker start inventory.sync --tenant contoso --database-url URL
  cargo demo -- console runs -q is:failed --url URL

Environment:
  OPSROOM_DATA_DIR   the data folder, one demo at a time [default: opsroom in XDG's data folder, or
                     /var/lib/opsroom where the server's user cannot reach that]";

/// How to show it.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Open the console as this login.
    #[arg(long = "as", value_name = "LOGIN", default_value = "oncall", value_parser = ["oncall", "support", "developer"])]
    pub(crate) login: String,
    /// Serve the policy documents of this folder (one Graph entity a file) to every tenant.
    #[arg(long, value_name = "DIR")]
    pub(crate) policies: Option<PathBuf>,
    /// Run everything but the console until a signal; print one JSON line with the URLs when ready.
    #[arg(long)]
    pub(crate) headless: bool,
    /// Throw away the database of earlier demos.
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Start no operations by itself and add no schedules; those of an earlier demo fire all the same.
    #[arg(long)]
    pub(crate) no_traffic: bool,
    /// Arguments for the console, after `--`.
    #[arg(last = true, value_name = "CONSOLE ARGS", conflicts_with = "headless")]
    pub(crate) console: Vec<String>,
}

/// Beside the show.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Load believable history in bulk, into the database of a running demo or any other. From 200,000
    /// runs on, where no worker is alive, the tables are locked meanwhile and their indexes built at
    /// the end; an interruption leaves everything as it was, but for the tenants that were added.
    Seed(Seed),
}

/// How much history, and where.
#[derive(Debug, Args)]
pub(crate) struct Seed {
    /// Runs to add.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) runs: u64,
    /// Tenants to spread them over; missing ones are added.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) tenants: u64,
    /// The owner's URL, as `--headless` prints it.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub(crate) url: String,
    /// How far back history reaches, in days.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub(crate) days: u32,
    /// Active runs to add: queued, running, other applications'. Where a worker is alive, only the
    /// latter. By default one in a hundred, 300 at most.
    #[arg(long, value_parser = clap::value_parser!(u64).range(0..=100_000))]
    pub(crate) active: Option<u64>,
}
