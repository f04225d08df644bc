//! The one client for Microsoft Graph, its contract registry, and a simulator behind a feature.
//!
//! [`GraphClient`] sends what [`contract`] allows and nothing else; [`inventory`] is what operations
//! call to observe policies. Nothing here knows runs, workers or the database. With the feature
//! `simulator` there is a server beside it that answers as Graph does and fails on demand.

pub mod client;
pub mod config;
pub mod contract;
pub mod entity_id;
pub mod error;
pub mod family;
pub mod inventory;
pub mod pages;
pub mod policy;
mod retry;
#[cfg(feature = "simulator")]
pub mod simulator;
mod token;
mod transport;

pub use client::GraphClient;
pub use config::{ApiVersion, ConfigError, GraphConfig, Limits};
pub use entity_id::EntityId;
pub use error::GraphError;
pub use family::PolicyFamily;
pub use pages::{Page, Pages};
pub use policy::{Platform, PolicyDocument, PolicySummary};
