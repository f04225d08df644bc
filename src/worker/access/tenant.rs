//! Tenants, and how each connects to Microsoft Graph. A secret is named here, never given.

use super::{gone_or_not_found, say, table};
use crate::failure::Failure;
use clap::{Args, Subcommand};
use opsroom_engine::access::{self, GraphConnection};
use sqlx::{PgConnection, Row};

/// What to do with tenants.
#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Add a tenant, or change how it connects to Graph.
    Add {
        /// Its name.
        name: String,
        /// The workspace it belongs to.
        #[arg(long)]
        workspace: String,
        /// How it connects to Graph.
        #[command(flatten)]
        graph: GraphArgs,
    },
    /// List the tenants.
    List,
    /// Remove a tenant that has no runs.
    Remove {
        /// Its name.
        name: String,
    },
}

/// How a tenant connects to Microsoft Graph; all three or none.
#[derive(Debug, Args)]
#[group(required = false)]
pub(crate) struct GraphArgs {
    /// The directory's id at Microsoft.
    #[arg(long, value_name = "ID", requires = "client_id")]
    directory_id: Option<String>,
    /// The application's client id.
    #[arg(long, value_name = "ID", requires = "secret_name")]
    client_id: Option<String>,
    /// The file in the worker's --graph-secrets folder that holds the client secret.
    #[arg(long, value_name = "FILE", requires = "directory_id")]
    secret_name: Option<String>,
}

pub(super) async fn run(
    connection: &mut PgConnection,
    command: TenantCommand,
) -> Result<(), Failure> {
    match command {
        TenantCommand::Add {
            name,
            workspace,
            graph,
        } => {
            let change = access::add_tenant(connection, &name, &workspace).await?;
            say(
                change,
                &format!("tenant {name} added"),
                &format!("tenant {name} was there already"),
            );
            if let Some(graph) = graph.complete() {
                let change = access::connect_graph(connection, &name, &graph).await?;
                say(
                    change,
                    "its connection to Graph is recorded",
                    "its connection to Graph was recorded already",
                );
            }
            Ok(())
        }
        TenantCommand::List => list(connection).await,
        TenantCommand::Remove { name } => {
            let change = access::remove_tenant(connection, &name).await?;
            gone_or_not_found(change, "tenant", name)
        }
    }
}

impl GraphArgs {
    fn complete(self) -> Option<GraphConnection> {
        Some(GraphConnection {
            directory_id: self.directory_id?,
            client_id: self.client_id?,
            secret_name: self.secret_name?,
        })
    }
}

async fn list(connection: &mut PgConnection) -> Result<(), Failure> {
    let rows = sqlx::query(
        "select t.id, t.name, w.name, case when g.tenant_id is null then 'no' else 'yes' end
           from opsroom.tenants t join opsroom.workspaces w on w.id = t.workspace_id
           left join opsroom.graph_connections g on g.tenant_id = t.id order by t.name",
    )
    .fetch_all(connection)
    .await?;
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            vec![
                row.get::<i64, _>(0).to_string(),
                row.get(1),
                row.get(2),
                row.get(3),
            ]
        })
        .collect();
    table(&["ID", "TENANT", "WORKSPACE", "GRAPH"], &rows);
    Ok(())
}
