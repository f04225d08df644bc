//! `opsroom-worker access`: workspaces, tenants, users, memberships, logins. Takes the owner's login.
//! Every change is audited by the database. Adding what is there already changes nothing and says so.

mod login;
mod member;
mod tenant;
mod user;
mod workspace;

use crate::cli::Database;
use crate::database;
use crate::failure::{Failure, NOT_FOUND};
use clap::Subcommand;
use sqlx::PgConnection;

pub(crate) use login::LoginCommand;
pub(crate) use member::MemberCommand;
pub(crate) use tenant::TenantCommand;
pub(crate) use user::UserCommand;
pub(crate) use workspace::WorkspaceCommand;

/// What to administer.
#[derive(Debug, Subcommand)]
pub(crate) enum Access {
    /// Groups of tenants, each with its own people.
    #[command(subcommand)]
    Workspace(WorkspaceCommand),
    /// The customers whose operations are run.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// People.
    #[command(subcommand)]
    User(UserCommand),
    /// Which people belong to which workspace or tenant, in which role.
    #[command(subcommand)]
    Member(MemberCommand),
    /// Database logins of people and of programs.
    #[command(subcommand)]
    Login(LoginCommand),
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
    }
}

/// What an addition or a removal came to.
fn say(changed: u64, done: &str, already: &str) {
    println!("{}", if changed > 0 { done } else { already });
}

fn not_found(what: &str, name: &str) -> Failure {
    Failure::new(format!("there is no {what} '{name}'"))
        .remedy(format!("opsroom-worker access {what} list shows them"))
        .code(NOT_FOUND)
}

async fn user_id(connection: &mut PgConnection, name: &str) -> Result<i64, Failure> {
    let id = sqlx::query_scalar("select id from opsroom.users where name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await?;
    id.ok_or_else(|| not_found("user", name))
}

async fn workspace_id(connection: &mut PgConnection, name: &str) -> Result<i64, Failure> {
    let id = sqlx::query_scalar("select id from opsroom.workspaces where name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await?;
    id.ok_or_else(|| not_found("workspace", name))
}

async fn tenant_id(connection: &mut PgConnection, name: &str) -> Result<i64, Failure> {
    let id = sqlx::query_scalar("select id from opsroom.tenants where name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await?;
    id.ok_or_else(|| not_found("tenant", name))
}

/// Prints rows of text with a header, each column as wide as its widest value.
fn table(header: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let values = rows.iter().map(|row| row[column].chars().count());
        values
            .chain([header[column].chars().count()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |values: Vec<&str>| {
        let cells = values
            .iter()
            .zip(&widths)
            .map(|(value, width)| format!("{value:<width$}"));
        println!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    };
    line(header.to_vec());
    for row in rows {
        line(row.iter().map(String::as_str).collect());
    }
}
