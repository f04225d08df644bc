//! The schema, embedded: bootstrap, then the migrations, each in a transaction of its own.

use crate::error::{EngineError, Opaque};
use sqlx::migrate::{Migrate as _, Migrator};
use sqlx::{Connection as _, Executor as _, PgConnection};
use std::borrow::Cow;
use thiserror::Error;

/// What creates the roles and the schema.
const BOOTSTRAP: &str = include_str!("bootstrap.sql");
const TABLE: &str = "opsroom.schema_migrations";

fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("../../migrations");
    migrator.table_name = Cow::Borrowed(TABLE);
    migrator
}

/// Why the schema is not as this program needs it. The previous state is still there.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// The database has migrations that this program does not know.
    #[error(
        "the database is newer than this program: it has migration {found}, this program knows up to {known}; use a newer opsroom-worker"
    )]
    TooNew {
        /// The newest applied.
        found: i64,
        /// The newest known.
        known: i64,
    },
    /// An applied migration differs from the one embedded here.
    #[error(
        "migration {0} was applied in another form than this program has; use the program that applied it"
    )]
    Changed(i64),
    /// The login may not create roles or the schema.
    #[error(
        "this login may not set up the schema: it needs CREATEROLE (for the group roles) and CREATE on the database"
    )]
    NotAllowed(#[source] Opaque),
    /// A migration failed; it was rolled back.
    #[error("migration {version} failed and was rolled back ({cause})")]
    Failed {
        /// Which.
        version: i64,
        /// Why, without values.
        cause: EngineError,
    },
    /// The database failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<sqlx::Error> for MigrateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Engine(error.into())
    }
}

/// What a migration run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The versions applied now, with their descriptions; empty where the schema was current.
    pub applied: Vec<(i64, String)>,
    /// The version the schema has now.
    pub version: i64,
}

/// The newest migration embedded in this program.
#[must_use]
pub fn known_version() -> i64 {
    migrator()
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0)
}

/// A fingerprint of everything embedded here, for caches of migrated databases.
#[must_use]
pub fn fingerprint() -> String {
    let migrator = migrator();
    let sums = migrator
        .iter()
        .flat_map(|migration| migration.checksum.iter().copied());
    let hash = sums
        .chain(BOOTSTRAP.bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("{hash:016x}")
}

/// Brings the schema up to date. `progress` is told before each migration that is applied.
///
/// Idempotent; several at once wait for each other. Cancelling rolls the current migration back. The
/// connection's role is `opsroom_owner` while it runs and restored afterwards.
///
/// # Errors
/// [`MigrateError`]; what was applied before the failing migration stays, the failing one left nothing.
pub async fn migrate(
    connection: &mut PgConnection,
    mut progress: impl FnMut(i64, &str),
) -> Result<Migrated, MigrateError> {
    bootstrap(connection).await?;
    let result = apply(connection, &mut progress).await;
    // Whatever happened, the session goes back to who it was; on a broken connection there is none.
    let _ = connection.execute("reset role").await;
    result
}

async fn bootstrap(connection: &mut PgConnection) -> Result<(), MigrateError> {
    let mut transaction = connection.begin().await?;
    match transaction.execute(BOOTSTRAP).await {
        Ok(_) => Ok(transaction.commit().await?),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42501") => Err(
            MigrateError::NotAllowed(Opaque(sqlx::Error::Database(error))),
        ),
        Err(error) => Err(error.into()),
    }
}

async fn apply(
    connection: &mut PgConnection,
    progress: &mut impl FnMut(i64, &str),
) -> Result<Migrated, MigrateError> {
    connection.execute("set role opsroom_owner").await?;
    let migrator = migrator();
    connection.lock().await.map_err(failed(0))?;
    let result = apply_locked(connection, &migrator, progress).await;
    let _ = connection.unlock().await;
    result
}

async fn apply_locked(
    connection: &mut PgConnection,
    migrator: &Migrator,
    progress: &mut impl FnMut(i64, &str),
) -> Result<Migrated, MigrateError> {
    connection
        .ensure_migrations_table(TABLE)
        .await
        .map_err(failed(0))?;
    let present = connection
        .list_applied_migrations(TABLE)
        .await
        .map_err(failed(0))?;
    let known = known_version();
    if let Some(found) = present
        .iter()
        .map(|migration| migration.version)
        .max()
        .filter(|found| *found > known)
    {
        return Err(MigrateError::TooNew { found, known });
    }
    let mut applied = Vec::new();
    for migration in migrator.iter() {
        match present
            .iter()
            .find(|other| other.version == migration.version)
        {
            Some(other) if other.checksum != migration.checksum => {
                return Err(MigrateError::Changed(migration.version));
            }
            Some(_) => {}
            None => {
                progress(migration.version, &migration.description);
                connection
                    .apply(TABLE, migration)
                    .await
                    .map_err(failed(migration.version))?;
                applied.push((migration.version, migration.description.to_string()));
            }
        }
    }
    Ok(Migrated {
        applied,
        version: known,
    })
}

fn failed(version: i64) -> impl Fn(sqlx::migrate::MigrateError) -> MigrateError {
    move |error| match error {
        sqlx::migrate::MigrateError::Execute(cause)
        | sqlx::migrate::MigrateError::ExecuteMigration(cause, _) => MigrateError::Failed {
            version,
            cause: cause.into(),
        },
        other => MigrateError::Failed {
            version,
            cause: sqlx::Error::from(other).into(),
        },
    }
}

/// Where a database's schema stands, asked before anything else is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaState {
    /// There is no schema: `opsroom-worker migrate` was never run.
    Missing,
    /// Older than this program.
    Older(i64),
    /// As this program knows it.
    Current,
    /// Newer than this program.
    Newer(i64),
}

/// Asks for the schema's version. Any login of opsroom's may.
///
/// # Errors
/// Where the database fails.
pub async fn schema_state(connection: &mut PgConnection) -> Result<SchemaState, EngineError> {
    let exists: bool =
        sqlx::query_scalar("select to_regproc('opsroom.schema_version') is not null")
            .fetch_one(&mut *connection)
            .await?;
    if !exists {
        return Ok(SchemaState::Missing);
    }
    let found: Option<i64> = sqlx::query_scalar("select opsroom.schema_version()")
        .fetch_one(connection)
        .await?;
    let known = known_version();
    Ok(match found {
        None => SchemaState::Missing,
        Some(found) if found < known => SchemaState::Older(found),
        Some(found) if found > known => SchemaState::Newer(found),
        Some(_) => SchemaState::Current,
    })
}
