//! The command line.

use crate::command::runs::MOST;
use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Shows the operation runs of a multi-tenant product, and does nothing else.
#[derive(Debug, Parser)]
#[command(name = "opsroom", version, about, after_help = EXAMPLES, arg_required_else_help = false, args_conflicts_with_subcommands = false)]
pub struct Cli {
    /// The database, as postgres://LOGIN@HOST:PORT/DATABASE; else DATABASE_URL, else PGHOST, PGUSER, …
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// The profile of the configuration to use
    #[arg(long, global = true, value_name = "NAME", env = "OPSROOM_PROFILE")]
    pub profile: Option<String>,
    /// The configuration to read instead of the usual one
    #[arg(long, global = true, value_name = "FILE", env = "OPSROOM_CONFIG")]
    pub config: Option<PathBuf>,
    /// Which runs: tenant: type: is: code: by: since: until: took: workspace: id: context.KEY: and words
    #[arg(
        short,
        long,
        global = true,
        value_name = "QUERY",
        default_value = "",
        allow_hyphen_values = true
    )]
    pub query: String,
    /// The saved view to begin with
    #[arg(long, value_name = "NAME", conflicts_with = "query")]
    pub view: Option<String>,
    /// The theme to begin with: dark, light, high-contrast, colour-blind-safe, monochrome, or your own
    #[arg(long, value_name = "NAME", env = "OPSROOM_THEME")]
    pub theme: Option<String>,
    /// Draw with ASCII signs alone
    #[arg(long)]
    pub ascii: bool,
    /// Print one frame as plain text and end
    #[arg(long)]
    pub snapshot: bool,
    /// Say what changes, line by line, without a screen: for screen readers and logs
    #[arg(long, conflicts_with = "snapshot")]
    pub linear: bool,
    /// What to do instead of opening the console
    #[command(subcommand)]
    pub command: Option<Command>,
}

// Short enough that a terminal of 60 columns wraps none of it: an example is copied.
const EXAMPLES: &str = "\
Examples:
  opsroom                                 open the console
  opsroom -q 'is:failed since:24h'        open it filtered
  opsroom runs -q tenant:contoso -o json  rows for a script
  opsroom run 48213                       one run in full
  opsroom code graph.throttled            what a code means
  opsroom doctor                          is all in order?

Exit codes: 0 ok, 1 error, 2 usage or no terminal,
7 not found, 8 forbidden,
9 database unreachable or login refused,
130 interrupted.";

/// What to do instead of opening the console.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print runs, newest first
    #[command(
        after_help = "Examples:\n  opsroom runs -q 'is:failed,partial since:24h'\n  opsroom runs -L 1000 -o csv > runs.csv"
    )]
    Runs {
        /// How many, at most
        #[arg(short = 'L', long, value_name = "N", default_value_t = 50, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST)))]
        limit: u32,
        /// In which form
        #[arg(short, long, value_enum, default_value_t = Form::Table)]
        output: Form,
    },
    /// Print one run in full
    Run {
        /// Its id, with or without #
        id: String,
        /// In which form: table or json
        #[arg(short, long, value_enum, default_value_t = Form::Table)]
        output: Form,
    },
    /// Explain a failure code, or list all of them
    Code {
        /// The code, as in graph.throttled
        code: Option<String>,
    },
    /// Check the connection, the login, the schema and the terminal
    Doctor,
    /// List every command with its name in a configuration and its keys
    Keys,
}

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Columns for a person
    Table,
    /// One JSON document
    Json,
    /// One JSON document a row
    Jsonl,
    /// Comma-separated, with a header
    Csv,
}
