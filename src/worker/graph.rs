//! Where Graph is and where the tenants' secrets are, and the registry of operations that follows.

use crate::cli::Graph;
use crate::failure::Failure;
use opsroom_engine::Registry;
use opsroom_operations::connection::{Connections, GraphEndpoints, Secrets};
use sqlx::PgPool;

/// The registry of a program that executes.
pub(crate) fn registry(pool: &PgPool, args: &Graph) -> Result<Registry, Failure> {
    let endpoints = GraphEndpoints::new(&args.graph_url, &args.graph_login_url)
        .map_err(|error| Failure::new(error.to_string()))?;
    let secrets = args
        .graph_secrets
        .clone()
        .map_or(Secrets::None, Secrets::Folder);
    let connections = Connections::new(pool.clone(), endpoints, secrets);
    opsroom_operations::registry(connections).map_err(|error| Failure::new(error.to_string()))
}

/// The registry of a program that only starts: types, inputs and identities, no way to Graph.
pub(crate) fn registry_for_starting() -> Result<Registry, Failure> {
    opsroom_operations::registry(Connections::none())
        .map_err(|error| Failure::new(error.to_string()))
}
