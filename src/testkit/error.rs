//! What can go wrong around a test; a test unwraps it, so every message says where it happened.

use std::io;

/// The surroundings of a test could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TestkitError {
    /// No server.
    #[error("the shared test server: {0}")]
    Server(#[from] opsroom_postgres::StartError),
    /// The server's start was cut off.
    #[error("the start of the shared test server was cut off: {0}")]
    Cancelled(#[from] tokio::task::JoinError),
    /// The standby of a server that has none.
    #[error("this test's server has no standby: make the database with replicated()")]
    NoStandby,
    /// No pgbouncer, and none could be fetched.
    #[error("there is no pgbouncer, and fetching Debian's package failed ({0}): install pgbouncer")]
    NoPooler(String),
    /// The template could not be built by the migrations.
    #[error("building the template database: {0}")]
    Template(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The superuser's connection.
    #[error("preparing a test database: {0}")]
    Database(#[from] sqlx::Error),
    /// A login of the test's world.
    #[error("making the test's world: {0}")]
    World(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A pty or its program.
    #[error("running a program in a pty: {0}")]
    Terminal(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A pty's descriptor or its program's process.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The system's word.
        source: io::Error,
    },
    /// What was waited for did not come.
    #[error("not within {seconds:.1} s: {what}{seen}")]
    Deadline {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: f64,
        /// What was there instead, where there is something to show.
        seen: String,
    },
}
