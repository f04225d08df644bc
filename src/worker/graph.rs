//! Where Graph is and where the tenants' secrets are, and the registry of operations that follows.

use crate::cli::Graph;
use crate::failure::{Failure, USAGE};
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

/// What a worker takes that was told neither which types nor where secrets are: all but those that call
/// Graph, where there are others. It would claim their runs and fail each for good.
pub(crate) fn without_callers(registry: Registry, args: &Graph) -> Result<Registry, Failure> {
    if args.graph_secrets.is_some() {
        return Ok(registry);
    }
    let calling = registry_for_starting()?.types();
    let types = registry.types().into_iter();
    let (left, taken): (Vec<_>, Vec<_>) = types.partition(|name| calling.contains(name));
    if left.is_empty() || taken.is_empty() {
        return Ok(registry);
    }
    tracing::warn!(
        types = left.join(", "),
        "left to other workers: there is no --graph-secrets"
    );
    Ok(registry.only(&taken))
}

/// Refuses a worker that takes types which call Graph and could not log in there for any tenant: it would
/// claim their runs and fail each for good, before a worker that can.
pub(crate) fn check_secrets(registry: &Registry, args: &Graph) -> Result<(), Failure> {
    let problem = match &args.graph_secrets {
        None => "there is no --graph-secrets".to_owned(),
        Some(folder) if !folder.is_dir() => format!("'{}' is no folder", folder.display()),
        Some(_) => return Ok(()),
    };
    let calling = registry_for_starting()?.types();
    let taken = registry.types();
    let Some(needs) = taken.iter().find(|name| calling.contains(name)) else {
        return Ok(());
    };
    Err(Failure::new(format!("{needs} needs the tenants' secrets, and {problem}"))
        .remedy("give --graph-secrets or OPSROOM_GRAPH_SECRETS the folder of the secrets, or name other types with --types")
        .code(USAGE))
}

/// The registry of a program that only starts: types, inputs and identities, no way to Graph.
pub(crate) fn registry_for_starting() -> Result<Registry, Failure> {
    opsroom_operations::registry(Connections::none())
        .map_err(|error| Failure::new(error.to_string()))
}
