//! How a tenant connects to Microsoft Graph, on record for workers.

use super::{AccessError, Change, tenant_id};
use sqlx::PgConnection;

/// How a tenant connects to Microsoft Graph. The secret is named, never given.
#[derive(Debug, Clone)]
pub struct GraphConnection {
    /// The directory's id at Microsoft.
    pub directory_id: String,
    /// The application's client id.
    pub client_id: String,
    /// The secret's name among the worker's credentials.
    pub secret_name: String,
}

/// Records how a tenant connects to Graph, in place of what was recorded before.
///
/// # Errors
/// [`AccessError`].
pub async fn connect_graph(
    connection: &mut PgConnection,
    tenant: &str,
    graph: &GraphConnection,
) -> Result<Change, AccessError> {
    let tenant = tenant_id(connection, tenant).await?;
    let changed = sqlx::query(
        "insert into opsroom.graph_connections as g (tenant_id, directory_id, client_id, secret_name) values ($1, $2, $3, $4)
         on conflict (tenant_id) do update
            set directory_id = excluded.directory_id, client_id = excluded.client_id, secret_name = excluded.secret_name
          where (g.directory_id, g.client_id, g.secret_name)
                is distinct from (excluded.directory_id, excluded.client_id, excluded.secret_name)",
    )
    .bind(tenant)
    .bind(&graph.directory_id)
    .bind(&graph.client_id)
    .bind(&graph.secret_name)
    .execute(connection)
    .await?;
    Ok(Change::of(changed.rows_affected()))
}
