//! `opsroom-worker access`: workspaces, tenants, users, memberships, logins, as commands. What they do
//! is in [`opsroom_engine::access`].

mod harden;
mod login;
mod member;
mod tenant;
mod user;
mod workspace;

use crate::cli::Database;
use crate::database;
use crate::failure::{FORBIDDEN, Failure, NOT_FOUND, USAGE};
use crate::tell::tell;
use clap::Subcommand;
use opsroom_engine::EngineError;
use opsroom_engine::access::{AccessError, Change};
use opsroom_model::Clean;

/// What to administer.
#[derive(Debug, Subcommand)]
pub(crate) enum Access {
    /// Groups of tenants, each with its own people.
    #[command(subcommand)]
    Workspace(workspace::WorkspaceCommand),
    /// The customers whose operations are run.
    #[command(subcommand)]
    Tenant(tenant::TenantCommand),
    /// People.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Which people belong to which workspace or tenant, in which role.
    #[command(subcommand)]
    Member(member::MemberCommand),
    /// Database logins of people and of programs.
    #[command(subcommand)]
    Login(login::LoginCommand),
    /// Take from every login what PostgreSQL gives to all: run once, by a superuser.
    #[command(
        after_help = "It prints what it changed, and changes nothing the second time. The database should be opsroom's
alone: roles outside opsroom's groups cannot connect to it afterwards unless they own it or were granted that."
    )]
    Harden,
}

pub(crate) async fn run(database: &Database, what: Access) -> Result<(), Failure> {
    let mut connection = database::connect_migrated(database).await?;
    let connection = &mut connection;
    match what {
        Access::Workspace(command) => workspace::run(connection, command).await,
        Access::Tenant(command) => tenant::run(connection, command).await,
        Access::User(command) => user::run(connection, command).await,
        Access::Member(command) => member::run(connection, command).await,
        Access::Login(command) => login::run(connection, command).await,
        Access::Harden => harden::run(connection).await,
    }
}

/// What an addition or a removal came to.
pub(crate) fn say(change: Change, made: &str, already: &str) {
    tell!(
        "{}",
        if change == Change::Made {
            made
        } else {
            already
        }
    );
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Engine(error) => error.into(),
            AccessError::NotFound { what, .. } => Self::new(error.to_string())
                .remedy(format!("opsroom-worker access {what} list shows them"))
                .code(NOT_FOUND),
            AccessError::BadName | AccessError::Taken { .. } | AccessError::Owned { .. } => {
                Self::new(error.to_string()).code(USAGE)
            }
            AccessError::Elsewhere { .. } => Self::new(error.to_string())
                .remedy("name that workspace, or choose another name")
                .code(USAGE),
            error => Self::new(error.to_string()),
        }
    }
}

/// What was to be removed and is not there.
fn gone_or_not_found(change: Change, what: &'static str, name: String) -> Result<(), Failure> {
    match change {
        Change::Made => {
            tell!("{what} {name} removed");
            Ok(())
        }
        Change::Already => Err(AccessError::NotFound { what, name }.into()),
    }
}

/// Creating roles takes a right that the owner's tables do not give.
fn needs_createrole(error: AccessError) -> Failure {
    match &error {
        AccessError::Engine(EngineError::Refused(refusal, _)) if refusal.sqlstate == "42501" => {
            Failure::new("this login may not administer logins")
                .remedy("use the owner's login, with CREATEROLE")
                .code(FORBIDDEN)
        }
        _ => error.into(),
    }
}

/// Columns that a terminal shows `value` in.
fn shown(value: &str) -> usize {
    Clean::new(value).width()
}

/// As many columns wide as that, or wider where `value` is.
pub(crate) fn padded(value: &str, width: usize) -> String {
    format!("{value}{}", " ".repeat(width.saturating_sub(shown(value))))
}

/// Prints rows of text with a header, each column as wide on a terminal as its widest value.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let values = rows.iter().map(|row| shown(&row[column]));
        values.chain([shown(header[column])]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |values: Vec<&str>| {
        let cells = values
            .iter()
            .zip(&widths)
            .map(|(value, width)| padded(value, *width));
        tell!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    };
    line(header.to_vec());
    for row in rows {
        line(row.iter().map(String::as_str).collect());
    }
}
