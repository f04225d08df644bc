//! Tenants, and how each connects to Microsoft Graph. A secret is named here, never given.

use super::{say, table, workspace_id};
use crate::failure::Failure;
use clap::{Args, Subcommand};
use opsroom_engine::EngineError;
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
        graph: GraphConnection,
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
pub(crate) struct GraphConnection {
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
        } => add(connection, &name, &workspace, &graph).await,
        TenantCommand::List => list(connection).await,
        TenantCommand::Remove { name } => {
            let removed = sqlx::query("delete from opsroom.tenants where name = $1")
                .bind(&name)
                .execute(connection)
                .await;
            let removed = removed.map_err(|error| {
                in_use(
                    error,
                    &format!("tenant {name} still has runs"),
                    "they are pruned after the retention time",
                )
            })?;
            say(
                removed.rows_affected(),
                &format!("tenant {name} removed"),
                &format!("there was no tenant {name}"),
            );
            Ok(())
        }
    }
}

/// A foreign key that still points at the row, said in words.
pub(super) fn in_use(error: sqlx::Error, what: &str, remedy: &str) -> Failure {
    let error = EngineError::from(error);
    match error.sqlstate() {
        Some("23503") => Failure::new(what).remedy(remedy),
        _ => error.into(),
    }
}

async fn add(
    connection: &mut PgConnection,
    name: &str,
    workspace: &str,
    graph: &GraphConnection,
) -> Result<(), Failure> {
    let mut transaction = connection.begin().await?;
    let workspace = workspace_id(&mut transaction, workspace).await?;
    let added = sqlx::query(
        "insert into opsroom.tenants (workspace_id, name) values ($1, $2) on conflict do nothing",
    )
    .bind(workspace)
    .bind(name)
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    let mut connected = 0;
    if let (Some(directory), Some(client), Some(secret)) =
        (&graph.directory_id, &graph.client_id, &graph.secret_name)
    {
        connected = sqlx::query(
            "insert into opsroom.graph_connections (tenant_id, directory_id, client_id, secret_name)
             select id, $2, $3, $4 from opsroom.tenants where name = $1
             on conflict (tenant_id) do update
                set directory_id = excluded.directory_id, client_id = excluded.client_id, secret_name = excluded.secret_name",
        )
        .bind(name)
        .bind(directory)
        .bind(client)
        .bind(secret)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
    }
    transaction.commit().await?;
    say(
        added,
        &format!("tenant {name} added"),
        &format!("tenant {name} was there already"),
    );
    if connected > 0 {
        println!("its connection to Graph is recorded");
    }
    Ok(())
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
