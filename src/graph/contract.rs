//! What a contract is: one allowed request. Every one there is stands in [`registry`]; the client
//! takes nothing else, and none can be made outside. Sending them is [`crate::client`].

pub mod registry;

use url::Url;

use crate::config::{ApiVersion, GraphConfig};
use crate::entity_id::EntityId;
use crate::family::PolicyFamily;

/// One allowed request.
#[derive(Debug, PartialEq, Eq)]
pub struct Contract {
    name: &'static str,
    method: Method,
    path: &'static str,
    query: &'static [(&'static str, &'static str)],
    permission: &'static str,
    entity: EntityKind,
    availability: Availability,
}

/// A contract whose answer is a collection, read page by page.
#[derive(Debug, PartialEq, Eq)]
pub struct ListContract(Contract);

/// A contract whose answer is one entity, named by its id.
#[derive(Debug, PartialEq, Eq)]
pub struct GetContract(Contract);

/// HTTP methods a contract may use. Reading alone, so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// `GET`.
    Get,
}

/// What kind of entity a contract is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EntityKind {
    /// A policy of one family.
    Policy(PolicyFamily),
    /// A directory group.
    Group,
    /// A directory role definition.
    RoleDefinition,
}

/// In which versions of the API a contract exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Availability {
    Both,
    BetaOnly,
}

impl Contract {
    /// A stable name for logs and documents, e.g. `configuration_policies.list`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The HTTP method.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// The path below the API version; `{id}` stands for an [`EntityId`].
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The query, `$select` or `$expand`, not yet encoded.
    #[must_use]
    pub fn query(&self) -> &'static [(&'static str, &'static str)] {
        self.query
    }

    /// The application permission that suffices.
    #[must_use]
    pub fn permission(&self) -> &'static str {
        self.permission
    }

    /// What the answer holds.
    #[must_use]
    pub fn entity(&self) -> EntityKind {
        self.entity
    }

    /// Whether v1.0 does not have it.
    #[must_use]
    pub fn is_beta_only(&self) -> bool {
        self.availability == Availability::BetaOnly
    }

    /// The address at a tenant's Graph.
    pub(crate) fn url(&self, config: &GraphConfig, id: Option<&EntityId>) -> Url {
        let version = match self.availability {
            Availability::Both => config.api_version,
            Availability::BetaOnly => ApiVersion::Beta,
        };
        let mut url = config.base_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(version.as_str());
            for segment in self.path.split('/') {
                segments.push(match (segment, id) {
                    ("{id}", Some(id)) => id.as_str(),
                    _ => segment,
                });
            }
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(self.query);
        }
        url
    }
}

impl ListContract {
    /// The request itself.
    #[must_use]
    pub fn contract(&self) -> &Contract {
        &self.0
    }
}

impl GetContract {
    /// The request itself.
    #[must_use]
    pub fn contract(&self) -> &Contract {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Contract;
    use super::registry::{CONFIGURATION_POLICY, all};
    use crate::config::{ApiVersion, GraphConfig};
    use crate::entity_id::EntityId;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = all().map(Contract::name).collect();
        assert_eq!(names.len(), all().count());
    }

    #[test]
    fn a_beta_only_contract_is_asked_of_beta() {
        let mut config = GraphConfig::global(uuid::Uuid::nil(), String::new(), "".into());
        config.api_version = ApiVersion::V1;
        let id: EntityId = "abc".parse().expect("an id");
        let url = CONFIGURATION_POLICY.contract().url(&config, Some(&id));
        assert_eq!(
            url.as_str(),
            "https://graph.microsoft.com/beta/deviceManagement/configurationPolicies/abc\
             ?%24expand=settings%2Cassignments"
        );
    }
}
