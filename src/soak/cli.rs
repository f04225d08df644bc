//! What may be typed.

use clap::Parser;
use opsroom_soak::Fault;

/// Breaks workers, networks and servers on purpose, and says what that cost: one line a fault.
#[derive(Debug, Parser)]
#[command(name = "opsroom-soak", bin_name = "cargo soak", version, about, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// What to break [default: everything, one after the other].
    #[arg(value_name = "FAULT", value_enum)]
    pub(crate) faults: Vec<Fault>,
    /// As few rounds as `cargo test` does.
    #[arg(long)]
    pub(crate) brief: bool,
}

const EXAMPLES: &str = "Examples:
  cargo soak                        everything, with all rounds
  cargo soak kill                   200 workers killed with SIGKILL in the middle of their jobs
  cargo soak restart failover       the database stops and starts, the database moves
  cargo soak --brief                a few seconds each

Everything happens on private PostgreSQL servers; nothing is left behind. disk-full mounts a tmpfs of its own and
so needs root. Exit codes: 0 everything held, 1 something did not, 2 usage.";
