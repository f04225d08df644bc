//! The one private PostgreSQL server that all tests on this machine share; a second one, with a hot
//! standby, for the tests that need that.
//!
//! The first test that needs it starts it, in whichever process; it ends some seconds after the last
//! process with a test is gone. Each start begins with an empty cluster, so nothing of earlier runs
//! piles up and no test has to drop its database.

use crate::error::TestkitError;
use opsroom_postgres::{
    Cluster, ConnectionInfo, Durability, Fetching, Kept, Search, Server, Sharing,
};
use sqlx::{Connection, PgConnection};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;

/// Longer than the pause between two processes of one nextest run.
const GRACE: Duration = Duration::from_secs(3);
/// A fresh cluster, behind others that wait for the same, on a busy machine; a fetch comes before.
const DEADLINE: Duration = Duration::from_secs(120);

/// This process's part in the shared server.
#[derive(Debug)]
pub struct TestServer {
    server: Server,
    standby: Option<Server>,
}

impl TestServer {
    /// The shared server, started if need be. Every call in a process gives the same one.
    ///
    /// # Errors
    /// It cannot be started; the error says what to do.
    pub async fn shared() -> Result<&'static Self, TestkitError> {
        // Never dropped: the server notices the end of this process by itself.
        static SHARED: OnceCell<TestServer> = OnceCell::const_new();
        SHARED
            .get_or_try_init(|| async {
                let start = || cluster("tests").start();
                let server = tokio::task::spawn_blocking(start).await??;
                Ok(Self {
                    server,
                    standby: None,
                })
            })
            .await
    }

    /// A shared server of its own that a hot standby follows; both are started if need be. The
    /// standby has what the primary has, a moment later:
    /// [`TestDatabase::replayed`](crate::TestDatabase::replayed) waits for it.
    ///
    /// # Errors
    /// One of them cannot be started; the error says what to do.
    pub async fn replicated() -> Result<&'static Self, TestkitError> {
        static REPLICATED: OnceCell<TestServer> = OnceCell::const_new();
        REPLICATED.get_or_try_init(start_replicated).await
    }

    /// How to connect.
    #[must_use]
    pub fn connection(&self) -> &ConnectionInfo {
        self.server.connection()
    }

    /// How to connect to its standby, where it has one.
    #[must_use]
    pub fn standby(&self) -> Option<&ConnectionInfo> {
        self.standby.as_ref().map(Server::connection)
    }
}

async fn start_replicated() -> Result<TestServer, TestkitError> {
    let began = Instant::now();
    loop {
        let start = || {
            let server = cluster("primary").setting("wal_keep_size", "4GB").start()?;
            let standby = cluster("standby").standby_of(server.connection()).start()?;
            Ok::<_, TestkitError>((server, standby))
        };
        let (server, standby) = tokio::task::spawn_blocking(start).await??;
        // Each ends by itself some seconds after its last participant: this standby may be one of a
        // primary that ended a moment ago. Then it ends soon, too, now that we leave it.
        if system_of(&server).await? == system_of(&standby).await? {
            return Ok(TestServer {
                server,
                standby: Some(standby),
            });
        }
        if began.elapsed() > DEADLINE {
            return Err(TestkitError::Deadline {
                what: "an earlier primary's standby ends".to_owned(),
                seconds: DEADLINE.as_secs_f64(),
                seen: String::new(),
            });
        }
        drop(standby);
        tokio::time::sleep(GRACE + Duration::from_secs(1)).await;
    }
}

/// What tells one initialised cluster from another.
async fn system_of(server: &Server) -> Result<i64, TestkitError> {
    let url = server.connection().superuser_url("postgres");
    let mut superuser = PgConnection::connect(&url).await?;
    let query = "select system_identifier from pg_control_system()";
    Ok(sqlx::query_scalar(query).fetch_one(&mut superuser).await?)
}

fn cluster(name: &str) -> Cluster {
    let cluster = Cluster::named(name)
        .sharing(Sharing::Shared { grace: GRACE })
        .kept(Kept::Fresh)
        .durability(Durability::TestOnly)
        .max_connections(500)
        // A test's database is small and short-lived: nothing should tidy up behind it.
        .setting("autovacuum", "off")
        .setting("max_wal_size", "4GB")
        .setting("checkpoint_timeout", "1h")
        .deadline(DEADLINE);
    // Beside the binaries' cache: tests leave nothing among a person's data.
    match Search::from_env().fetching {
        Fetching::Into(cache) => cluster.data_root(cache.join("tests")),
        Fetching::Never => cluster,
    }
}
