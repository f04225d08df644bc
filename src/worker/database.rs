//! Connecting, and saying in one line why it did not work. Never the URL: it may hold a password.

use crate::cli::Database;
use crate::failure::{FAILED, Failure, UNREACHABLE, USAGE};
use opsroom_engine::EngineError;
use opsroom_engine::migrate::{SchemaState, schema_state};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgConnection, PgPool};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

/// The options as given, or from the environment.
pub(crate) fn options(database: &Database) -> Result<PgConnectOptions, Failure> {
    let options = match &database.database_url {
        None => PgConnectOptions::new(),
        Some(url) if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) => {
            return Err(Failure::new("the database URL is none of PostgreSQL's")
                .remedy("write postgres://login@host:5432/database")
                .code(USAGE));
        }
        Some(url) => url.parse().map_err(|_| {
            Failure::new("the database URL cannot be read")
                .remedy("write postgres://login@host:5432/database")
                .code(USAGE)
        })?,
    };
    Ok(options
        .application_name("opsroom-worker")
        .disable_statement_logging())
}

/// One connection, without a look at the schema.
pub(crate) async fn connect(database: &Database) -> Result<PgConnection, Failure> {
    let options = options(database)?;
    match tokio::time::timeout(PATIENCE, options.connect()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(explain(error)),
        Err(_) => Err(Failure::new(format!(
            "the database did not answer within {} s",
            PATIENCE.as_secs()
        ))
        .remedy("check host, port and firewall in DATABASE_URL or PG*")
        .code(UNREACHABLE)),
    }
}

/// One connection to a database whose schema this program knows.
pub(crate) async fn connect_migrated(database: &Database) -> Result<PgConnection, Failure> {
    let mut connection = connect(database).await?;
    require_current(schema_state(&mut connection).await?)?;
    Ok(connection)
}

/// A pool of up to `size` connections to a database whose schema this program knows.
pub(crate) async fn pool(database: &Database, size: u32) -> Result<PgPool, Failure> {
    drop(connect_migrated(database).await?);
    Ok(PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(PATIENCE)
        .connect_lazy_with(options(database)?.options([("statement_timeout", "60s")])))
}

fn require_current(state: SchemaState) -> Result<(), Failure> {
    match state {
        SchemaState::Current => Ok(()),
        SchemaState::Missing => {
            Err(Failure::new("this database was never migrated")
                .remedy("run opsroom-worker migrate"))
        }
        SchemaState::Older(found) => Err(Failure::new(format!(
            "the schema is at version {found}, older than this program"
        ))
        .remedy("run opsroom-worker migrate")),
        SchemaState::Newer(found) => Err(Failure::new(format!(
            "the schema is at version {found}, newer than this program"
        ))
        .remedy("use a newer opsroom-worker")),
    }
}

fn explain(error: sqlx::Error) -> Failure {
    let error = EngineError::from(error);
    match error.sqlstate() {
        Some("28P01" | "28000") => Failure::new("the database refused this login")
            .remedy("check the user and its password (PGPASSWORD, ~/.pgpass)")
            .code(UNREACHABLE),
        Some("3D000") => Failure::new("there is no such database")
            .remedy("create it, or name another in DATABASE_URL or PGDATABASE")
            .code(UNREACHABLE),
        Some("53300") => Failure::new("the database has no connection left for this login")
            .remedy("close others, or raise CONNECTION LIMIT")
            .code(UNREACHABLE),
        Some("42501") => {
            Failure::new("this login may not connect to the database").code(UNREACHABLE)
        }
        Some(_) => Failure::new(error.to_string()).code(FAILED),
        None => error.into(),
    }
}
