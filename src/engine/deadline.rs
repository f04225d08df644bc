//! Every database call has a deadline on the client's side: a half-open connection answers nothing,
//! and no server setting can help.

use crate::error::EngineError;
use std::future::Future;
use std::time::Duration;

/// Longest wait for one statement or one short transaction.
pub const STATEMENT: Duration = Duration::from_secs(5);

/// `call`, or [`EngineError::Deadline`] after `limit`. The call is dropped then; what it did on the
/// server is unknown, so only fenced or idempotent statements may be given here.
///
/// # Errors
/// The call's own, or the deadline.
pub async fn within<T, E: Into<EngineError>>(
    limit: Duration,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, EngineError> {
    match tokio::time::timeout(limit, call).await {
        Ok(result) => result.map_err(Into::into),
        Err(_) => Err(EngineError::Deadline(limit)),
    }
}
