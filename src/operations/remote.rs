//! What an error of Graph means: for the item it happened on, and for the attempt as a whole.

use opsroom_engine::JobError;
use opsroom_graph::{ConfigError, GraphError};
use opsroom_model::FailureKind;

/// The failure to record for an item.
pub(crate) fn kind(error: &GraphError) -> FailureKind {
    let status = match error {
        GraphError::Unavailable { status, .. } | GraphError::BadRequest { status } => Some(*status),
        _ => None,
    };
    FailureKind::Graph {
        code: error.code(),
        status,
    }
}

/// The error to end the attempt with.
pub(crate) fn job_error(error: &GraphError) -> JobError {
    if error.is_retryable() {
        JobError::Retryable {
            kind: kind(error),
            after: error.retry_after(),
        }
    } else {
        JobError::Permanent(kind(error))
    }
}

/// True where the error says something about the tenant or the way to Graph, not about one resource:
/// going on with the next item would only repeat it.
pub(crate) fn concerns_all(error: &GraphError) -> bool {
    matches!(
        error,
        GraphError::Unauthorized
            | GraphError::TokenRefused
            | GraphError::Unreachable { .. }
            | GraphError::EndpointNotAllowed
    )
}

/// A client that cannot be built: the machine lacks certificates, or an address is wrong.
pub(crate) fn unusable(error: ConfigError) -> JobError {
    tracing::error!(%error, "no Graph client can be built");
    JobError::Permanent(FailureKind::Graph {
        code: "graph.unreachable",
        status: None,
    })
}
