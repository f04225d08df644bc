//! Log lines: structured, on standard error, without payloads. A panic's own words may quote data, so
//! only its place is logged.

use crate::cli::{Cli, LogFormat};
use tracing_subscriber::EnvFilter;

/// Sets up the process's log; does nothing where a subscriber is installed already.
pub(crate) fn install(cli: &Cli) {
    let filter =
        EnvFilter::try_from_env("OPSROOM_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=off"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A log that nobody takes any more is no reason to drop what is held.
        .log_internal_errors(false);
    // A second subscriber in one process is a test's; the first one stays.
    let _ = match cli.log {
        LogFormat::Text => builder.with_ansi(false).with_target(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(place, "a defect: panicked");
    }));
}
