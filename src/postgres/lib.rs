//! A private PostgreSQL cluster: find the binaries, initialise, start on a unix socket, stop with us.
//!
//! ```no_run
//! use opsroom_postgres::{Cluster, Sharing};
//!
//! let server = Cluster::named("demo").sharing(Sharing::Exclusive).start()?;
//! println!("{}", server.connection().url("postgres", "postgres"));
//! server.stop()?; // or drop it; or be killed: the server ends in every case
//! # Ok::<(), opsroom_postgres::StartError>(())
//! ```
//!
//! How the server's life is tied to ours: a small shell process, the watcher, is the server's
//! parent. It reads a FIFO whose write end every participating process holds open; when
//! the last of them closes it, be it by leaving, by a panic or by SIGKILL, the watcher stops the
//! server. Locks settle who may start; both vanish with the process that holds them.
//!
//! Not here: SQL. This crate neither opens a connection nor knows a schema.

mod binaries;
mod checksum;
mod cluster;
mod connection;
mod error;
mod fetch;
mod initdb;
mod launch;
mod layout;
mod lock;
mod owner;
mod package;
mod pidfile;
mod process;
mod program;
mod reach;
mod search;
mod server;
mod settings;
mod startup;
mod watcher;

pub use binaries::{Binaries, OLDEST_MAJOR};
pub use cluster::{Cluster, DATA_DIR_VARIABLE};
pub use connection::ConnectionInfo;
pub use error::{FetchError, FindError, StartError, StopError};
pub use package::{Client, Package};
pub use search::{BIN_VARIABLE, CACHE_DIR_VARIABLE, Search};
pub use server::{Server, StopHandle};
pub use settings::{Auth, Durability, Fetching, Kept, Sharing, Step};
