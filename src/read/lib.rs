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
//! | `values` | what values a column has, without reading the runs |
//! | `people` | who started operations, by name |
//! | `keys` | runs by a searchable key of their context |
//! | `arm` | a scope as selects that one index each serves |
//! | `filter` | these as SQL |
//! | `driver` | what one index serves of them, and what is asked of its rows |
//! | `condition` | what is asked of each row, as SQL |
//! | [`list`] | one page of runs, whole or only what changed |
//! | [`sorted`] | the newest runs in the order of another column |
//! | [`row`] | one run of a list |
//! | `still` | whether a page is as it was |
//! | [`changes`] | what changed since the last look |
//! | [`headline`] | counts per bucket, oldest queued, stuck |
//! | `active` | the active ones of these, in one look |
//! | `rollup` | what queries on the rollups share |
//! | [`counted`] | exact counts from the rollups, the sparkline |
//! | [`failures`] | failures grouped by code |
//! | [`health`] | how tenants and types fare |
//! | [`histogram`] | percentiles |
//! | [`stuck`] | the diagnosis, as a pure function of facts |
//! | [`detail`] | one run: the record, its items, its attempts |
//! | [`history`] | the runs before one |
//! | [`schedules`] | schedules: next, last, missed, wrong |
//! | [`notifications`] | what the login's user was told of |
//! | [`checkup`] | what `opsroom doctor` asks |

mod active;
mod arm;
pub mod changes;
pub mod checkup;
mod condition;
pub mod counted;
pub mod detail;
pub mod directory;
mod driver;
pub mod error;
pub mod failures;
mod filter;
pub mod headline;
pub mod health;
pub mod histogram;
pub mod history;
mod keys;
pub mod list;
mod merge;
mod moment;
pub mod notifications;
pub mod options;
mod people;
pub mod reader;
mod rollup;
pub mod row;
pub mod schedules;
mod scope;
mod session;
mod slice;
pub mod sorted;
mod still;
pub mod stuck;
mod values;
pub mod workers;

pub use changes::{Changes, Tail};
pub use checkup::{Checkup, Encryption};
pub use counted::Point;
pub use detail::{Attempt, FailureLine, Item, ItemPage, Lookup, RunDetail};
pub use directory::{Directory, Tenant, TypeInfo};
pub use error::ReadError;
pub use failures::{CodeGroup, FailureBoard};
pub use headline::{Capped, Headline};
pub use health::{By, Health, HealthBoard};
pub use histogram::Percentiles;
pub use history::{History, PastRun};
pub use list::{Held, PageRequest, RunPage};
pub use notifications::{Notification, Notifications};
pub use options::ReadOptions;
pub use reader::Reader;
pub use row::{Cursor, RunRow};
pub use schedules::{ScheduleRow, Schedules};
pub use sorted::{Direction, SortBy, SortRequest, SortedPage};
pub use stuck::Stuck;
pub use workers::Worker;

/// The newest migration this crate was written against.
pub const KNOWN_SCHEMA: i64 = session::KNOWN_SCHEMA;
