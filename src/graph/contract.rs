//! The contract registry: every request this project may send to Graph. The client takes nothing
//! else, and a [`Contract`] can be made only here. Sending them is [`crate::client`].

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

/// Every allowed request.
pub fn registry() -> impl Iterator<Item = &'static Contract> {
    let lists = LISTS.iter().map(|list| list.contract());
    lists.chain(GETS.iter().map(|get| get.contract()))
}

static LISTS: [&ListContract; 7] = [
    &CONFIGURATION_POLICIES,
    &COMPLIANCE_POLICIES,
    &DEVICE_CONFIGURATIONS,
    &IOS_APP_PROTECTIONS,
    &ANDROID_APP_PROTECTIONS,
    &GROUPS,
    &ROLE_DEFINITIONS,
];

static GETS: [&GetContract; 5] = [
    &CONFIGURATION_POLICY,
    &COMPLIANCE_POLICY,
    &DEVICE_CONFIGURATION,
    &IOS_APP_PROTECTION,
    &ANDROID_APP_PROTECTION,
];

const CONFIGURATION_READ: &str = "DeviceManagementConfiguration.Read.All";
const APPS_READ: &str = "DeviceManagementApps.Read.All";
const POLICY_SUMMARY: &[(&str, &str)] = &[("$select", "id,displayName,lastModifiedDateTime")];

const fn list(
    name: &'static str,
    path: &'static str,
    query: &'static [(&'static str, &'static str)],
    permission: &'static str,
    entity: EntityKind,
) -> ListContract {
    let availability = Availability::Both;
    ListContract(Contract { name, method: Method::Get, path, query, permission, entity, availability })
}

const fn get(
    name: &'static str,
    path: &'static str,
    expand: &'static [(&'static str, &'static str)],
    permission: &'static str,
    entity: EntityKind,
) -> GetContract {
    GetContract(list(name, path, expand, permission, entity).0)
}

/// Settings catalog policies; they exist in beta alone.
pub static CONFIGURATION_POLICIES: ListContract = ListContract(Contract {
    availability: Availability::BetaOnly,
    ..list(
        "configuration_policies.list",
        "deviceManagement/configurationPolicies",
        &[("$select", "id,name,platforms,technologies,settingCount,lastModifiedDateTime")],
        CONFIGURATION_READ,
        EntityKind::Policy(PolicyFamily::SettingsCatalog),
    )
    .0
});

/// One settings catalog policy with its settings; it exists in beta alone.
pub static CONFIGURATION_POLICY: GetContract = GetContract(Contract {
    availability: Availability::BetaOnly,
    ..get(
        "configuration_policies.get",
        "deviceManagement/configurationPolicies/{id}",
        &[("$expand", "settings,assignments")],
        CONFIGURATION_READ,
        EntityKind::Policy(PolicyFamily::SettingsCatalog),
    )
    .0
});

/// Compliance policies.
pub static COMPLIANCE_POLICIES: ListContract = list(
    "compliance_policies.list",
    "deviceManagement/deviceCompliancePolicies",
    POLICY_SUMMARY,
    CONFIGURATION_READ,
    EntityKind::Policy(PolicyFamily::DeviceCompliance),
);

/// One compliance policy with its actions for non-compliance.
pub static COMPLIANCE_POLICY: GetContract = get(
    "compliance_policies.get",
    "deviceManagement/deviceCompliancePolicies/{id}",
    &[("$expand", "assignments,scheduledActionsForRule($expand=scheduledActionConfigurations)")],
    CONFIGURATION_READ,
    EntityKind::Policy(PolicyFamily::DeviceCompliance),
);

/// Device configuration profiles (templates).
pub static DEVICE_CONFIGURATIONS: ListContract = list(
    "device_configurations.list",
    "deviceManagement/deviceConfigurations",
    POLICY_SUMMARY,
    CONFIGURATION_READ,
    EntityKind::Policy(PolicyFamily::DeviceConfiguration),
);

/// One device configuration profile.
pub static DEVICE_CONFIGURATION: GetContract = get(
    "device_configurations.get",
    "deviceManagement/deviceConfigurations/{id}",
    &[("$expand", "assignments")],
    CONFIGURATION_READ,
    EntityKind::Policy(PolicyFamily::DeviceConfiguration),
);

/// App protection policies for iOS.
pub static IOS_APP_PROTECTIONS: ListContract = list(
    "ios_app_protections.list",
    "deviceAppManagement/iosManagedAppProtections",
    POLICY_SUMMARY,
    APPS_READ,
    EntityKind::Policy(PolicyFamily::IosAppProtection),
);

/// One app protection policy for iOS with its apps.
pub static IOS_APP_PROTECTION: GetContract = get(
    "ios_app_protections.get",
    "deviceAppManagement/iosManagedAppProtections/{id}",
    &[("$expand", "apps,assignments")],
    APPS_READ,
    EntityKind::Policy(PolicyFamily::IosAppProtection),
);

/// App protection policies for Android.
pub static ANDROID_APP_PROTECTIONS: ListContract = list(
    "android_app_protections.list",
    "deviceAppManagement/androidManagedAppProtections",
    POLICY_SUMMARY,
    APPS_READ,
    EntityKind::Policy(PolicyFamily::AndroidAppProtection),
);

/// One app protection policy for Android with its apps.
pub static ANDROID_APP_PROTECTION: GetContract = get(
    "android_app_protections.get",
    "deviceAppManagement/androidManagedAppProtections/{id}",
    &[("$expand", "apps,assignments")],
    APPS_READ,
    EntityKind::Policy(PolicyFamily::AndroidAppProtection),
);

/// Directory groups.
pub static GROUPS: ListContract = list(
    "groups.list",
    "groups",
    &[
        ("$select", "id,displayName,description,groupTypes,mailEnabled,securityEnabled,membershipRule"),
        ("$top", "999"),
    ],
    "Group.Read.All",
    EntityKind::Group,
);

/// Directory role definitions.
pub static ROLE_DEFINITIONS: ListContract = list(
    "role_definitions.list",
    "roleManagement/directory/roleDefinitions",
    &[("$select", "id,displayName,description,isBuiltIn,isEnabled,templateId")],
    "RoleManagement.Read.Directory",
    EntityKind::RoleDefinition,
);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{CONFIGURATION_POLICY, registry};
    use crate::config::{ApiVersion, GraphConfig};
    use crate::entity_id::EntityId;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = registry().map(super::Contract::name).collect();
        assert_eq!(names.len(), registry().count());
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
