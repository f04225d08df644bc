//! Connecting, and saying in one line why it did not work. Never the URL: it may hold a password.

use crate::cli::Database;
use crate::failure::{FAILED, Failure, UNREACHABLE, USAGE};
use opsroom_engine::error::Opaque;
use opsroom_engine::hosts::HostsError;
use opsroom_engine::migrate::{SchemaState, schema_state};
use opsroom_engine::{EngineError, Hosts};
use sqlx::postgres::PgPoolOptions;
use sqlx::{ConnectOptions as _, PgConnection, PgPool};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

/// The servers as given, or from the environment.
pub(crate) fn hosts(database: &Database) -> Result<Hosts, Failure> {
    let hosts = match &database.database_url {
        None => Hosts::from_env(),
        Some(url) => Hosts::parse(url).map_err(|error| {
            let remedy = match error {
                HostsError::NotPostgres | HostsError::Unreadable => {
                    "write postgres://login@host:5432/database"
                }
                HostsError::Ports { .. } => "write one port for each host, or one for all",
                HostsError::Target => "leave it out: a worker needs the server that takes writes",
            };
            Failure::new(error.to_string()).remedy(remedy).code(USAGE)
        })?,
    };
    Ok(hosts.map(|options| {
        options
            .application_name("opsroom-worker")
            .disable_statement_logging()
    }))
}

/// One connection, without a look at the schema.
pub(crate) async fn connect(database: &Database) -> Result<PgConnection, Failure> {
    let hosts = hosts(database)?;
    match tokio::time::timeout(PATIENCE, hosts.connect()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(EngineError::Unreachable(class, Opaque(sqlx::Error::Io(io))))) => {
            let at = hosts.addresses().join(", ");
            // The resolver's own words are after its function's; others may hold anything.
            let words = io.to_string();
            let why = match words.split_once("lookup address information: ") {
                Some((_, why)) => why,
                None => class,
            };
            Err(
                Failure::new(format!("the database cannot be reached ({at}: {why})"))
                    .remedy("check that the server runs and that DATABASE_URL or PG* name it")
                    .code(UNREACHABLE),
            )
        }
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

/// A pool of up to `size` connections to a database whose schema this program knows, and the servers
/// that database may be on.
pub(crate) async fn pool(database: &Database, size: u32) -> Result<(PgPool, Hosts), Failure> {
    drop(connect_migrated(database).await?);
    let hosts = hosts(database)?.map(|options| options.options([("statement_timeout", "60s")]));
    let options = PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(PATIENCE);
    let pool = hosts.pool(options);
    if hosts.count() > 1 {
        hosts.follow(&pool).await?;
    }
    Ok((pool, hosts))
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

fn explain(error: EngineError) -> Failure {
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
