//! The worker's command line: migrate the schema, execute runs, start and schedule operations,
//! administer access.
//! As a library it has one entry, so that the demo can be all programs in one binary and an application
//! can give its own operations to the same command line.
//!
//! | module | one idea |
//! |---|---|
//! | `cli` | what may be typed |
//! | `help` | help whose examples are not wrapped |
//! | `failure` | what a person reads when it did not work, and the exit code |
//! | `database` | connecting, and what to say when that fails |
//! | `service` | what systemd is told |
//! | `tell` | words for standard output |
//! | `graph` | where Graph is, and where the tenants' secrets are |
//! | `monitoring` | metrics, health and ready over HTTP |
//! | `work`, `start`, `schedule`, `migrate`, `settings`, `access`, `rollups`, `retention` | the commands |

mod access;
mod cli;
mod database;
mod failure;
mod graph;
mod help;
mod logging;
mod migrate;
mod monitoring;
mod retention;
mod rollups;
mod schedule;
mod service;
mod settings;
mod start;
mod tell;
mod work;

use cli::{Cli, Command};
use failure::Failure;
use opsroom_engine::Registry;
use opsroom_engine::registry::RegistryError;
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

/// Runs the worker's command line on `args`, the program's name first, and says how it ended.
///
/// Starts a runtime of its own: call it from a thread that has none.
pub fn main_from(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    main_with(args, Ok)
}

/// Operations of an application's own, added to those that `work` executes.
pub type More = fn(Registry) -> Result<Registry, RegistryError>;

/// As [`main_from`], `work` executing the operations that `more` adds as well.
pub fn main_with(args: impl IntoIterator<Item = OsString>, more: More) -> ExitCode {
    let cli = match help::parse(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are errors to clap, too.
            help::print(&error);
            return ExitCode::from(if error.use_stderr() {
                failure::USAGE
            } else {
                0
            });
        }
    };
    logging::install(&cli);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return Failure::new(format!("cannot start: {error}")).report(),
    };
    let (command, login) = cli.command.takes();
    let done = runtime.block_on(run(cli, more));
    match done.map_err(|failure| failure.of_command(command, login)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

async fn run(cli: Cli, more: More) -> Result<(), Failure> {
    match cli.command {
        Command::Migrate => migrate::run(&cli.database).await,
        Command::Work(args) => work::run(&cli.database, &args, more).await,
        Command::Start(args) => bounded(start::run(&cli.database, args)).await,
        Command::Schedule { what } => bounded(schedule::run(&cli.database, what)).await,
        Command::Rollups { what } => rollups::run(&cli.database, what).await,
        Command::Retention { what } => bounded(retention::run(&cli.database, what)).await,
        Command::Prune(args) => retention::prune(&cli.database, &args).await,
        Command::Settings(args) => bounded(settings::run(&cli.database, args)).await,
        Command::Access { what } => bounded(access::run(&cli.database, what)).await,
    }
}

/// For commands a person waits for: a database that stopped answering must not hold them for ever.
async fn bounded(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    const PATIENCE: Duration = Duration::from_secs(30);
    match tokio::time::timeout(PATIENCE, command).await {
        Ok(result) => result,
        Err(_) => Err(Failure::new(format!(
            "the database stopped answering: given up after {} s",
            PATIENCE.as_secs()
        ))
        .remedy("look whether it took effect before you try again")
        .code(failure::UNREACHABLE)),
    }
}
