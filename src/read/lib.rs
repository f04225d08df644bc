//! Bounded, typed SELECTs on a session that cannot write. No sqlx type leaves this crate, and every
//! text that came from the database leaves it as [`opsroom_model::Clean`].
//!
//! | module | one idea |
//! |---|---|
//! | [`options`] | where the database is |
//! | [`error`] | what can go wrong, and what a person does about it |
//! | `session` | one connection, its settings, its checks, its deadlines |
//! | [`reader`] | the handle: reconnects, and holds what changes rarely |
//! | [`directory`] | tenants, types and reach of the login |
//! | [`workers`] | who executes, as far as the login may know |
//! | `scope` | what a query means against the directory |
//! | `filter` | a scope as SQL |
//! | [`list`] | one page of runs, whole or only what changed |
//! | [`row`] | one run of a list |
//! | [`changes`] | what changed since the last look |
//! | [`headline`] | counts per bucket, oldest queued, stuck |
//! | [`stuck`] | the diagnosis, as a pure function of facts |
//! | [`detail`] | one run: the record, its items, its attempts |
//! | [`checkup`] | what `opsroom doctor` asks |

pub mod changes;
pub mod checkup;
pub mod detail;
pub mod directory;
pub mod error;
mod filter;
pub mod headline;
pub mod list;
mod moment;
pub mod options;
pub mod reader;
pub mod row;
mod scope;
mod session;
pub mod stuck;
pub mod workers;

pub use changes::{Changes, Tail};
pub use checkup::{Checkup, Encryption};
pub use detail::{Attempt, FailureLine, Item, ItemPage, Lookup, RunDetail};
pub use directory::{Directory, Tenant, TypeInfo};
pub use error::ReadError;
pub use headline::{Capped, Headline};
pub use list::{Held, PageRequest, RunPage};
pub use options::ReadOptions;
pub use reader::Reader;
pub use row::{Cursor, RunRow};
pub use stuck::Stuck;
pub use workers::Worker;

/// The newest migration this crate was written against.
pub const KNOWN_SCHEMA: i64 = session::KNOWN_SCHEMA;
