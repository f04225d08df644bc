//! Waiting until something holds. Not here: waiting on a terminal's screen (`terminal`), which wakes
//! by itself.

use crate::error::TestkitError;
use std::time::{Duration, Instant};

/// The pause between two looks: short against what a person notices, long against a query.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks at `condition` until it is true.
///
/// # Errors
/// It was not true at any look until `deadline`; the error names `what`.
pub async fn eventually(
    deadline: Duration,
    what: &str,
    mut condition: impl AsyncFnMut() -> bool,
) -> Result<(), TestkitError> {
    let started = Instant::now();
    let looks = async {
        while !condition().await {
            tokio::time::sleep(PAUSE).await;
        }
    };
    // The deadline also ends a look that hangs.
    tokio::time::timeout(deadline, looks)
        .await
        .map_err(|_| TestkitError::Deadline {
            what: what.to_owned(),
            seconds: started.elapsed().as_secs_f64(),
            seen: String::new(),
        })
}
