//! The one private PostgreSQL server that all tests on this machine share.
//!
//! The first test that needs it starts it, in whichever process; it ends some seconds after the last
//! process with a test is gone. Each start begins with an empty cluster, so nothing of earlier runs
//! piles up and no test has to drop its database.

use crate::error::TestkitError;
use opsroom_postgres::{
    Cluster, ConnectionInfo, Durability, Fetching, Kept, Search, Server, Sharing,
};
use std::time::Duration;
use tokio::sync::OnceCell;

/// Longer than the pause between two processes of one nextest run.
const GRACE: Duration = Duration::from_secs(3);
/// A fresh cluster, behind others that wait for the same, on a busy machine; a fetch comes before.
const DEADLINE: Duration = Duration::from_secs(120);

/// This process's part in the shared server.
#[derive(Debug)]
pub struct TestServer {
    server: Server,
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
                let server = tokio::task::spawn_blocking(|| cluster().start()).await??;
                Ok(Self { server })
            })
            .await
    }

    /// How to connect.
    #[must_use]
    pub fn connection(&self) -> &ConnectionInfo {
        self.server.connection()
    }
}

fn cluster() -> Cluster {
    let cluster = Cluster::named("tests")
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
