//! Workspaces: groups of tenants.

use super::{say, table};
use crate::failure::Failure;
use clap::Subcommand;
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
            let added = sqlx::query(
                "insert into opsroom.workspaces (name) values ($1) on conflict do nothing",
            )
            .bind(&name)
            .execute(connection)
            .await?;
            say(
                added.rows_affected(),
                &format!("workspace {name} added"),
                &format!("workspace {name} was there already"),
            );
        }
        WorkspaceCommand::List => {
            let rows = sqlx::query(
                "select w.name, (select count(*) from opsroom.tenants t where t.workspace_id = w.id) as tenants,
                        (select count(*) from opsroom.workspace_members m where m.workspace_id = w.id) as members
                   from opsroom.workspaces w order by w.name",
            )
            .fetch_all(connection)
            .await?;
            let rows: Vec<_> = rows
                .iter()
                .map(|row| {
                    vec![
                        row.get(0),
                        row.get::<i64, _>(1).to_string(),
                        row.get::<i64, _>(2).to_string(),
                    ]
                })
                .collect();
            table(&["WORKSPACE", "TENANTS", "MEMBERS"], &rows);
        }
        WorkspaceCommand::Remove { name } => {
            let removed = sqlx::query("delete from opsroom.workspaces where name = $1")
                .bind(&name)
                .execute(connection)
                .await;
            let removed = removed.map_err(|error| {
                super::tenant::in_use(
                    error,
                    &format!("workspace {name} still has tenants"),
                    "remove or move them first",
                )
            })?;
            say(
                removed.rows_affected(),
                &format!("workspace {name} removed"),
                &format!("there was no workspace {name}"),
            );
        }
    }
    Ok(())
}
