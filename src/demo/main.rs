//! One command that shows live operation runs: a private PostgreSQL, a simulator of Microsoft Graph,
//! workers that execute real operations against it, and the console.
//!
//! | module | one idea |
//! |---|---|
//! | [`cli`] | what may be typed |
//! | [`cast`] | who appears: workspaces, tenants, people, logins, weather |
//! | [`database`] | the database, its schema and its logins |
//! | [`stage`] | everything that runs while the demo runs |
//! | [`workers`] | worker processes, tied to this one |
//! | [`timetables`] | what starts by itself |
//! | [`traffic`] | people and systems who start operations |
//! | [`seed`] | believable history in bulk |
//! | [`progress`] | what a person sees while it takes long |

mod cast;
mod cli;
mod database;
mod progress;
mod seed;
mod stage;
mod timetables;
mod traffic;
mod workers;

use clap::Parser as _;
use cli::{Cli, Command};
use color_eyre::eyre::{Result, WrapErr as _};
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let program = args.next().unwrap_or_default();
    let rest: Vec<_> = args.collect();
    // The demo is all programs in one binary, so that nothing else has to be built or found.
    match rest.first().and_then(|first| first.to_str()) {
        Some("worker") => {
            workers::end_with_our_parent();
            return opsroom_worker::main_from(
                ["opsroom-worker".into()]
                    .into_iter()
                    .chain(rest.into_iter().skip(1)),
            );
        }
        Some("console") => {
            return opsroom_console::main_from(
                ["opsroom".into()]
                    .into_iter()
                    .chain(rest.into_iter().skip(1)),
            );
        }
        _ => {}
    }
    match run(Cli::parse_from([program].into_iter().chain(rest))) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "opsroom-demo: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .wrap_err("no runtime")?;
    match cli.command {
        Some(Command::Seed(args)) => {
            runtime.block_on(seed::run(&args))?;
            Ok(ExitCode::SUCCESS)
        }
        None if cli.show.headless => stage::headless(&runtime, &cli.show),
        None => stage::with_console(&runtime, &cli.show),
    }
}

/// What happened and what it came from, in one line.
fn one_line(error: &color_eyre::Report) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = match cause.downcast_ref::<sqlx::Error>() {
            // The server's own words can quote rows.
            Some(sqlx::Error::Database(refusal)) => format!(
                "the database refused a statement (SQLSTATE {})",
                refusal.code().unwrap_or_default()
            ),
            _ => cause.to_string(),
        };
        let says_more = text != "details withheld";
        if says_more && !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
    }
    parts.join(": ")
}
