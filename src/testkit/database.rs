//! A database for one test. Not here: the server (`server`), making it from a template (`template`).

use crate::TestServer;
use crate::error::TestkitError;
use sqlx::{Connection, PgConnection};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long the standby may lag behind on a busy machine.
const REPLAY: Duration = Duration::from_secs(60);

/// A database that only one test uses. It is not dropped after the test but with the server, which
/// is faster and lets nothing fail.
#[derive(Debug)]
pub struct TestDatabase {
    server: &'static TestServer,
    name: String,
}

impl TestDatabase {
    /// A database with the current schema of opsroom.
    ///
    /// # Errors
    /// No server, or the migrations fail.
    pub async fn new() -> Result<Self, TestkitError> {
        Self::migrated(TestServer::shared().await?).await
    }

    /// The same on a server that a hot standby follows: what is written here is there a moment later.
    ///
    /// # Errors
    /// No server, no `pg_basebackup` among its binaries, or the migrations fail.
    pub async fn replicated() -> Result<Self, TestkitError> {
        Self::migrated(TestServer::replicated().await?).await
    }

    async fn migrated(server: &'static TestServer) -> Result<Self, TestkitError> {
        let key = opsroom_engine::migrate::fingerprint();
        let build = |url: String| async move {
            let mut owner = PgConnection::connect(&url).await.map_err(boxed)?;
            opsroom_engine::migrate::migrate(&mut owner, |_, _| {})
                .await
                .map_err(boxed)?;
            owner.close().await.map_err(boxed)
        };
        let name = server.database_from_template(&key, build).await?;
        Ok(Self { server, name })
    }

    /// A database with whatever `build` puts into it, once per `key` and server; see
    /// [`TestServer::database_from_template`].
    ///
    /// # Errors
    /// No server, or `build` fails.
    pub async fn from_template<F, E>(
        key: &str,
        build: impl FnOnce(String) -> F,
    ) -> Result<Self, TestkitError>
    where
        F: Future<Output = Result<(), E>>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let server = TestServer::shared().await?;
        let name = server.database_from_template(key, build).await?;
        Ok(Self { server, name })
    }

    /// A database with nothing in it, for tests of the migrations themselves.
    ///
    /// # Errors
    /// No server.
    pub async fn empty() -> Result<Self, TestkitError> {
        Self::from_template("empty", |_| async { Ok::<_, TestkitError>(()) }).await
    }

    /// Its name on the server.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL of a login in this database. Roles belong to the whole server: take
    /// [`unique_name`] for those a test creates. No password is asked for.
    #[must_use]
    pub fn url(&self, login: &str) -> String {
        self.server.connection().url(&self.name, login)
    }

    /// The URL of a login in this database as the standby has it.
    ///
    /// # Errors
    /// It is not a [`replicated`](Self::replicated) one.
    pub fn standby_url(&self, login: &str) -> Result<String, TestkitError> {
        let standby = self.server.standby().ok_or(TestkitError::NoStandby)?;
        Ok(standby.url(&self.name, login))
    }

    /// Waits until the standby has replayed everything that is committed by now.
    ///
    /// # Errors
    /// It is not a [`replicated`](Self::replicated) one, or the standby does not follow.
    pub async fn replayed(&self) -> Result<(), TestkitError> {
        let standby = self.server.standby().ok_or(TestkitError::NoStandby)?;
        let mut primary = self.connect().await?;
        // Commits of this server do not wait for their WAL to be written out, and only what is
        // written out is sent: this one waits, for itself and all before it.
        sqlx::raw_sql(
            "begin; set local synchronous_commit = on; \
             select pg_logical_emit_message(true, 'test', ''); commit",
        )
        .execute(&mut primary)
        .await?;
        let query = "select pg_current_wal_flush_lsn()::text";
        let written: String = sqlx::query_scalar(query).fetch_one(&mut primary).await?;
        // Not this database: the standby may not have it yet.
        let mut standby = PgConnection::connect(&standby.superuser_url("postgres")).await?;
        let query = "select pg_last_wal_replay_lsn() >= $1::pg_lsn";
        let started = Instant::now();
        while !sqlx::query_scalar(query)
            .bind(&written)
            .fetch_one(&mut standby)
            .await?
        {
            if started.elapsed() > REPLAY {
                return Err(TestkitError::Deadline {
                    what: "the standby replays".to_owned(),
                    seconds: REPLAY.as_secs_f64(),
                    seen: String::new(),
                });
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// The superuser's URL in this database.
    #[must_use]
    pub fn superuser_url(&self) -> String {
        self.server.connection().superuser_url(&self.name)
    }

    /// A connection as superuser.
    ///
    /// # Errors
    /// The server is gone or full.
    pub async fn connect(&self) -> Result<PgConnection, TestkitError> {
        Ok(PgConnection::connect(&self.superuser_url()).await?)
    }

    /// Asks for one number as superuser; for crates whose tests must not name sqlx.
    ///
    /// # Errors
    /// The server is gone, or the query does not give one `bigint`.
    pub async fn number(&self, query: &'static str) -> Result<i64, TestkitError> {
        let mut connection = self.connect().await?;
        Ok(sqlx::query_scalar(query).fetch_one(&mut connection).await?)
    }

    /// Runs a script of SQL as superuser: for crates whose tests must not name sqlx.
    ///
    /// # Errors
    /// The first statement that fails; those before it stay.
    pub async fn script(&self, sql: &str) -> Result<(), TestkitError> {
        let mut owner = self.connect().await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut owner)
            .await?;
        Ok(owner.close().await?)
    }

    /// Takes from every login what PostgreSQL gives to all, as `opsroom-worker access harden` does.
    ///
    /// # Errors
    /// The server refused it.
    pub async fn harden(&self) -> Result<(), TestkitError> {
        let mut owner = self.connect().await?;
        opsroom_engine::access::harden(&mut owner)
            .await
            .map_err(|fault| TestkitError::World(boxed(fault)))?;
        Ok(owner.close().await?)
    }

    /// The server it is on.
    #[must_use]
    pub fn server(&self) -> &'static TestServer {
        self.server
    }
}

fn boxed(
    fault: impl std::error::Error + Send + Sync + 'static,
) -> Box<dyn std::error::Error + Send + Sync> {
    Box::new(fault)
}

/// `prefix` with a suffix that no other call of any test process has: for databases, and for roles,
/// which all databases of a server share. At most 63 bytes with a prefix up to 30.
#[must_use]
pub fn unique_name(prefix: &str) -> String {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let random = uuid::Uuid::new_v4().simple().to_string();
    format!("{prefix}_{}_{call}_{}", std::process::id(), &random[..8])
}
