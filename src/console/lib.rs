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
//! | [`config`] | what a person keeps on their machine |
//! | [`feed`] | asks the database, one request at a time |
//! | [`event_loop`] | keys, answers, time; one paint |
//! | [`linear`] | the same as lines, without a screen |
//! | [`screen`] | the screen as a function of the state |
//! | [`widget`] | what screens are drawn with |
//! | [`theme`], [`glyphs`] | what each meaning looks like |
//! | [`lapse`] | times and numbers as a person reads them |
//! | [`terminal`] | taking the terminal and giving it back |

pub mod app;
pub mod cli;
pub mod command;
pub mod config;
pub mod event_loop;
pub mod exit;
pub mod feed;
pub mod glyphs;
pub mod keymap;
pub mod lapse;
pub mod linear;
pub mod pace;
pub mod screen;
pub mod terminal;
pub mod theme;
pub mod widget;

use app::{App, Capture, Clock, SavedView, Settings, Start};
use chrono::{Local, NaiveDateTime, Utc};
use clap::Parser;
use cli::{Cli, Command};
use command::console::{Profile, ThemeBy, suiting};
use config::{Config, Folders};
use exit::{Code, Failure};
use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;
use terminal::Abilities;
use theme::Shelf;
use toml::Spanned;

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
            // Where standard error takes nothing, the code is all there is to tell.
            let _ = writeln!(std::io::stderr(), "opsroom: {}", failure.message);
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
    let folders = Folders::of_environment();
    let config = configuration(&cli, &folders, cli.profile.as_deref())?;
    let url = cli
        .url
        .clone()
        .or(config.profile.url.clone().map(Spanned::into_inner));
    let url = url.as_deref();
    let end = match &cli.command {
        Some(Command::Code { code }) => command::code::run(code.as_deref()),
        Some(Command::Keys) => command::keys::run(&config.keymap),
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
            if !cli.snapshot && !cli.linear {
                Abilities::require_screen().map_err(Failure::usage)?;
            }
            let theme = cli.theme.clone().or(config.profile.theme.clone());
            let theme_by = match (&cli.theme, &theme) {
                (Some(_), _) => ThemeBy::CommandLine,
                (None, Some(_)) => ThemeBy::Configuration,
                (None, None) => ThemeBy::Ground,
            };
            let app = start(&cli, config, theme.as_deref(), abilities, &folders)?;
            if cli.snapshot {
                runtime.block_on(command::snapshot::run(url, app))
            } else if cli.linear {
                runtime.block_on(command::linear::run(url, app))
            } else {
                let profile = |name: &str| profile(&cli, &folders, name);
                runtime.block_on(command::console::run(
                    url, app, &abilities, theme_by, &profile,
                ))
            }
        }
    };
    // A query that nobody waits for any more must not hold the exit up.
    runtime.shutdown_background();
    end
}

/// What the profile called `name` says, read anew.
fn profile(cli: &Cli, folders: &Folders, name: &str) -> Result<Profile, Failure> {
    let config = configuration(cli, folders, Some(name))?;
    let views = views(&config, folders)?;
    Ok(Profile {
        url: config.profile.url.clone().map(Spanned::into_inner),
        theme: cli.theme.clone().or(config.profile.theme.clone()),
        settings: settings(config, views),
    })
}

/// The configuration named on the command line, else the usual one, with this profile in use.
fn configuration(cli: &Cli, folders: &Folders, profile: Option<&str>) -> Result<Config, Failure> {
    let config = match (&cli.config, folders.config_file()) {
        (Some(named), _) if !named.exists() => {
            return Err(Failure::usage(format!(
                "{}: there is no such file",
                named.display()
            )));
        }
        (Some(named), _) => Config::load(named, profile),
        (None, Some(usual)) => Config::load(&usual, profile),
        (None, None) => Ok(Config::default()),
    };
    config.map_err(Failure::usage)
}

fn start(
    cli: &Cli,
    config: Config,
    theme: Option<&str>,
    abilities: Abilities,
    folders: &Folders,
) -> Result<App, Failure> {
    let mut query = command::query(&cli.query)?;
    let views = views(&config, folders)?;
    if let Some(name) = &cli.view {
        let view = views.iter().find(|view| view.name == *name);
        query = view.map(|view| view.query.clone()).ok_or_else(|| {
            let known: Vec<_> = views.iter().map(|view| view.name.as_str()).collect();
            Failure::usage(match known.is_empty() {
                true => format!("there is no view '{name}': name one in views.toml"),
                false => format!("there is no view '{name}': one of {}", known.join(", ")),
            })
        })?;
    }
    let shelf =
        Shelf::open(folders.themes().as_deref(), abilities.depth).map_err(Failure::usage)?;
    let theme = shelf
        .theme(theme.unwrap_or(suiting(abilities.ground)))
        .map_err(Failure::usage)?;
    let size = if cli.linear {
        LINEAR_SIZE
    } else if cli.snapshot {
        snapshot_size()
    } else {
        crossterm::terminal::size()?
    };
    let mut settings = settings(config, views);
    if cli.url.is_some() {
        // The address given is not the profile's.
        settings.profile = None;
    }
    let place = cli.view.as_ref().and_then(|name| {
        let view = settings.views.iter().find(|view| view.name == *name);
        view.map(|view| view.place)
    });
    let mut app = App::new(Start {
        size,
        shelf,
        theme,
        glyphs: abilities.glyphs,
        query,
        clock: clock(),
        settings,
    });
    if let Some(place) = place {
        app.stack.go(place);
    }
    Ok(app)
}

fn settings(config: Config, views: Vec<SavedView>) -> Settings {
    Settings {
        keymap: config.keymap,
        views,
        link: config.profile.link.map(Spanned::into_inner),
        runbook: config.profile.runbook.map(Spanned::into_inner),
        mouse: match config.profile.mouse {
            Some(false) => Capture::Off,
            _ => Capture::On,
        },
        profile: config.name,
        profiles: config.names,
    }
}

/// The team's views and one's own.
fn views(config: &Config, folders: &Folders) -> Result<Vec<SavedView>, Failure> {
    let team = match &config.profile.team_views {
        // Named, it is meant to be there; one's own may not be written yet.
        Some(path) if !path.exists() => {
            let path = path.display();
            return Err(Failure::usage(format!(
                "{path}: there is no such file; team_views in config.toml names it"
            )));
        }
        Some(path) => config::read_views(path).map_err(Failure::usage)?,
        None => Vec::new(),
    };
    let own = match folders.views_file() {
        Some(path) => config::read_views(&path).map_err(Failure::usage)?,
        None => Vec::new(),
    };
    Ok(config::merged(team, own))
}

/// Linear mode has no screen: a size at which nothing is asked for that only a pane would show.
const LINEAR_SIZE: (u16, u16) = (80, 24);

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

/// Panics are reported readably, after the terminal was given back.
fn report_panics() {
    // A second call, as from a program that embeds this one, keeps the hook of the first.
    let (report, errors) = color_eyre::config::HookBuilder::default().into_hooks();
    if errors.install().is_ok() {
        terminal::end_on_panic(report);
    }
}
