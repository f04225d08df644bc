//! Tenants, and how each connects to Microsoft Graph. A secret is named here, never given.

use super::{gone_or_not_found, say, table};
use crate::failure::Failure;
use clap::{Args, Subcommand};
use opsroom_engine::access::{self, GraphConnection};
use sqlx::{Connection as _, PgConnection, Row};

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
    #[arg(long, value_name = "ID", requires = "client_id", value_parser = directory)]
    directory_id: Option<String>,
    /// The application's client id.
    #[arg(long, value_name = "ID", requires = "secret_name", value_parser = client)]
    client_id: Option<String>,
    /// The file in the worker's --graph-secrets folder that holds the client secret.
    #[arg(long, value_name = "FILE", requires = "directory_id", value_parser = secret)]
    secret_name: Option<String>,
}

/// As the database takes it, so that what it would refuse is refused by name and before a write.
fn of(text: &str, signs: &str, what: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || signs.contains(c);
    if (1..=100).contains(&text.len()) && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err(format!("write {what}, 100 characters at most"))
    }
}

fn directory(text: &str) -> Result<String, String> {
    of(text, ".-", "an id or a domain of letters, digits, . and -")
}

fn client(text: &str) -> Result<String, String> {
    of(text, "-", "an id of letters, digits and -")
}

fn secret(text: &str) -> Result<String, String> {
    let what = "a file's name of letters, digits, . _ and -, without its folder";
    match text {
        "." | ".." => Err(format!("write {what}")),
        name => of(name, "._-", what),
    }
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
            let mut step = connection.begin().await?;
            let added = access::add_tenant(&mut step, &name, &workspace).await?;
            let connected = match graph.complete() {
                Some(graph) => Some(access::connect_graph(&mut step, &name, &graph).await?),
                None => None,
            };
            step.commit().await?;
            say(
                added,
                &format!("tenant {name} added"),
                &format!("tenant {name} was there already"),
            );
            if let Some(connected) = connected {
                say(
                    connected,
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
