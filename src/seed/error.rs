//! What can go wrong.

use opsroom_engine::EngineError;
use opsroom_engine::migrate::MigrateError;
use thiserror::Error;

/// Why history was not loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SeedError {
    /// The schema is not the one of this program.
    #[error("this database is not at the schema of this program; run opsroom-worker migrate")]
    NotCurrent,
    /// The schema cannot be looked at.
    #[error(transparent)]
    Schema(#[from] MigrateError),
    /// A bulk load could not have the tables for itself.
    #[error("others are using the tables; a bulk load needs them for itself")]
    InUse,
    /// History ended before its end: a defect here.
    #[error("not all of the history was made")]
    Unfinished,
    /// The database failed or refused. A login other than the owner's is refused with 42501.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<sqlx::Error> for SeedError {
    fn from(error: sqlx::Error) -> Self {
        match EngineError::from(error) {
            error if error.sqlstate() == Some("55P03") => Self::InUse,
            error => Self::Engine(error),
        }
    }
}
