//! The terminal console of opsroom and its read-only command line.
//!
//! ```text
//!  keys ─► keymap ─► app (pure state) ─► screen ─► widget ─► terminal::Painter
//!                     │      ▲
//!               wants │      │ data
//!                     ▼      │
//!                    feed (its own task) ─► opsroom-read ─► PostgreSQL, reading only
//! ```
//!
//! | module | one idea |
//! |---|---|
//! | [`cli`] | the command line |
//! | [`command`] | what each command does |
//! | [`exit`] | exit codes |
//! | [`app`] | what the console knows and how it changes |
//! | [`keymap`] | one table of keys |
//! | [`feed`] | asks the database, one request at a time |
//! | [`event_loop`] | keys, answers, time; one paint |
//! | [`screen`] | the screen as a function of the state |
//! | [`widget`] | what screens are drawn with |
//! | [`theme`], [`glyphs`] | what each meaning looks like |
//! | [`pace`] | how often to ask |
//! | [`lapse`] | times and numbers as a person reads them |
//! | [`terminal`] | taking the terminal and giving it back |

pub mod app;
pub mod cli;
pub mod command;
pub mod event_loop;
pub mod exit;
pub mod feed;
pub mod glyphs;
pub mod keymap;
pub mod lapse;
pub mod pace;
pub mod screen;
pub mod terminal;
pub mod theme;
pub mod widget;

use app::{App, Clock, Start};
use chrono::{Local, NaiveDateTime, Utc};
use clap::Parser;
use cli::{Cli, Command};
use exit::{Code, Failure};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use terminal::Abilities;
use theme::Shelf;

/// Runs the program with `args` (the first is its own name) and says how it ended. What goes wrong
/// is one line on the standard error.
pub fn main_from(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() {
                Code::Usage
            } else {
                Code::Ok
            };
            let _ = error.print();
            return code.into();
        }
    };
    report_panics();
    match run(cli) {
        Ok(code) => code.into(),
        Err(failure) => {
            eprintln!("opsroom: {}", failure.message);
            failure.code.into()
        }
    }
}

fn run(cli: Cli) -> Result<Code, Failure> {
    // One worker thread for the database; the event loop has the main one to itself.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let abilities = Abilities::detect(cli.ascii);
    let url = cli.url.as_deref();
    let end = match &cli.command {
        Some(Command::Code { code }) => command::code::run(code.as_deref()),
        Some(Command::Runs { limit, output }) => {
            runtime.block_on(command::runs::run(url, &cli.query, *limit, *output))
        }
        Some(Command::Run { id, output }) => {
            let clock = clock();
            runtime.block_on(command::run::run(
                url,
                id,
                *output,
                &clock,
                abilities.glyphs,
            ))
        }
        Some(Command::Doctor) => runtime.block_on(command::doctor::run(url, &abilities)),
        None => {
            if !cli.snapshot {
                Abilities::require_screen().map_err(Failure::usage)?;
            }
            let app = start(&cli, abilities)?;
            if cli.snapshot {
                runtime.block_on(command::snapshot::run(url, app))
            } else {
                runtime.block_on(command::console::run(url, app))
            }
        }
    };
    // A query that nobody waits for any more must not hold the exit up.
    runtime.shutdown_background();
    end
}

fn start(cli: &Cli, abilities: Abilities) -> Result<App, Failure> {
    let query = command::query(&cli.query)?;
    let shelf = Shelf::open(theme_folder().as_deref(), abilities.depth).map_err(Failure::usage)?;
    let by_ground = if abilities.light { "light" } else { "dark" };
    let name = cli.theme.as_deref().unwrap_or(by_ground);
    let theme = shelf.theme(name).map_err(Failure::usage)?;
    let size = match cli.snapshot {
        true => snapshot_size(),
        false => crossterm::terminal::size()?,
    };
    let glyphs = abilities.glyphs;
    Ok(App::new(Start {
        size,
        shelf,
        theme,
        glyphs,
        query,
        clock: clock(),
    }))
}

/// `COLUMNS` and `LINES`, else the terminal's size, else 120×40.
fn snapshot_size() -> (u16, u16) {
    let var = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse::<u16>().ok())
    };
    let (columns, lines) = crossterm::terminal::size().unwrap_or((120, 40));
    (
        var("COLUMNS").unwrap_or(columns).min(1000),
        var("LINES").unwrap_or(lines).min(1000),
    )
}

fn clock() -> Clock {
    fn local(at: chrono::DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&Local).naive_local()
    }
    Clock::new(Utc::now(), local)
}

/// Where a person keeps themes of their own.
fn theme_folder() -> Option<PathBuf> {
    let config = std::env::var_os("XDG_CONFIG_HOME").filter(|path| !path.is_empty());
    let folder = match config {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".config"),
    };
    Some(folder.join("opsroom").join("themes"))
}

/// Panics are reported readably, after the terminal was given back.
fn report_panics() {
    // A second call, as from a program that embeds this one, keeps the hook of the first.
    if color_eyre::install().is_ok() {
        terminal::end_on_panic();
    }
}
