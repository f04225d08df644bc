//! The vocabulary of opsroom: what a run, a state, a failure or a filter *is*.
//!
//! Pure values and pure functions. No database, no clock, no terminal: everything that reads or
//! writes lives in `opsroom-read`, `opsroom-engine` and the programs above them.
//!
//! | module | one idea |
//! |---|---|
//! | [`ids`] | newtypes of the identifiers |
//! | [`run_type`] | the `resource.action` taxonomy |
//! | [`state`] | status, outcome, the bucket a person filters by, and their labels |
//! | [`counts`] | summary counts and the outcome that follows from them |
//! | [`failure`] | failure codes, sanitized messages, failures |
//! | [`catalogue`] | what each code means and what to do about it |
//! | [`sanitize`] | the net that keeps secrets out of stored text |
//! | [`identity`] | the hash that says two runs are the same |
//! | [`capability`] | roles and capabilities |
//! | [`clean`] | text that is safe to draw |
//! | [`query`] | the one filter language |

pub mod capability;
pub mod catalogue;
pub mod clean;
pub mod counts;
pub mod failure;
pub mod identity;
pub mod ids;
pub mod query;
pub mod run_type;
pub mod sanitize;
pub mod state;

pub use capability::{Capability, Role};
pub use clean::Clean;
pub use counts::Counts;
pub use failure::{Failure, FailureCode, FailureKind, Message};
pub use identity::run_identity_hash;
pub use ids::{RunId, TenantId, UserId};
pub use run_type::RunType;
pub use state::{Bucket, Outcome, RunState, Status};
