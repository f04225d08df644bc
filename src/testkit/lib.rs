//! For tests: a database each, a fault proxy, real programs in ptys, waiting on conditions.
//!
//! ```no_run
//! # async fn example() -> Result<(), opsroom_testkit::TestkitError> {
//! let database = opsroom_testkit::TestDatabase::new().await?; // migrated, and this test's alone
//! let mut owner = database.connect().await?;
//! sqlx::query("select count(*) from opsroom.operation_runs").execute(&mut owner).await?;
//! # Ok(()) }
//! ```
//!
//! Not here: what belongs to one crate's tests only. Nothing here is a mock: servers, terminals and
//! sockets are real.

mod database;
mod error;
mod eventually;
mod pooler;
mod proxy;
mod server;
mod template;
mod terminal;
mod tty;
mod work;
mod world;

pub use database::{TestDatabase, unique_name};
pub use error::TestkitError;
pub use eventually::eventually;
pub use pooler::Pooler;
pub use portable_pty::ExitStatus;
pub use proxy::{Mode, Proxy};
pub use rustix::process::Signal;
pub use server::TestServer;
pub use terminal::Terminal;
pub use tty::LineMode;
pub use world::World;
