//! Workspaces: groups of tenants.

use super::{gone_or_not_found, say, table};
use crate::failure::Failure;
use clap::Subcommand;
use opsroom_engine::access;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

/// What to do with workspaces.
#[derive(Debug, Subcommand)]
pub(crate) enum WorkspaceCommand {
    /// Add a workspace.
    Add {
        /// Its name.
        name: String,
    },
    /// List the workspaces.
    List,
    /// Remove a workspace without tenants.
    Remove {
        /// Its name.
        name: String,
    },
}

pub(super) async fn run(
    connection: &mut PgConnection,
    command: WorkspaceCommand,
) -> Result<(), Failure> {
    match command {
        WorkspaceCommand::Add { name } => {
            let change = access::add_workspace(connection, &name).await?;
            say(
                change,
                &format!("workspace {name} added"),
                &format!("workspace {name} was there already"),
            );
        }
        WorkspaceCommand::List => list(connection).await?,
        WorkspaceCommand::Remove { name } => {
            let change = access::remove_workspace(connection, &name).await?;
            gone_or_not_found(change, "workspace", name)?;
        }
    }
    Ok(())
}

async fn list(connection: &mut PgConnection) -> Result<(), Failure> {
    let rows = sqlx::query(
        "select w.name, (select count(*) from opsroom.tenants t where t.workspace_id = w.id),
                (select count(*) from opsroom.workspace_members m where m.workspace_id = w.id)
           from opsroom.workspaces w order by w.name",
    )
    .fetch_all(connection)
    .await?;
    let count = |row: &PgRow, column: usize| row.get::<i64, _>(column).to_string();
    let rows: Vec<_> = rows
        .iter()
        .map(|row| vec![row.get(0), count(row, 1), count(row, 2)])
        .collect();
    table(&["WORKSPACE", "TENANTS", "MEMBERS"], &rows);
    Ok(())
}
