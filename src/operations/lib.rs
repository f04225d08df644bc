//! The operation families and their domain tables. Each is an [`Operation`](opsroom_engine::Operation)
//! that the worker executes; all remote work goes through `opsroom-graph`.
//!
//! | module | one idea |
//! |---|---|
//! | [`connection`] | which Graph, which credentials, for which tenant |
//! | [`inventory`] | `inventory.sync`: observe a tenant's policies |
//! | `remote` | what an error of Graph means for an attempt and for an item |

pub mod connection;
pub mod inventory;
mod remote;

use connection::Connections;
use opsroom_engine::Registry;
use opsroom_engine::registry::RegistryError;

/// Every operation of this crate.
///
/// # Errors
/// Never for the operations as they are; a type registered twice is a defect found at start.
pub fn registry(connections: Connections) -> Result<Registry, RegistryError> {
    Registry::new().with(inventory::Sync::new(connections))
}
