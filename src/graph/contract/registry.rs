//! The contract registry: every request this project may send to Graph, with the permission it
//! needs. What a contract is stands in [`crate::contract`].

use super::{Availability, Contract, EntityKind, GetContract, ListContract, Method};
use crate::family::PolicyFamily;

/// Every allowed request.
pub fn all() -> impl Iterator<Item = &'static Contract> {
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
    ListContract(Contract {
        name,
        method: Method::Get,
        path,
        query,
        permission,
        entity,
        availability,
    })
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
        &[(
            "$select",
            "id,name,platforms,technologies,settingCount,lastModifiedDateTime",
        )],
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
    &[(
        "$expand",
        "assignments,scheduledActionsForRule($expand=scheduledActionConfigurations)",
    )],
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
        (
            "$select",
            "id,displayName,description,groupTypes,mailEnabled,securityEnabled,membershipRule",
        ),
        ("$top", "999"),
    ],
    "Group.Read.All",
    EntityKind::Group,
);

/// Directory role definitions.
pub static ROLE_DEFINITIONS: ListContract = list(
    "role_definitions.list",
    "roleManagement/directory/roleDefinitions",
    &[(
        "$select",
        "id,displayName,description,isBuiltIn,isEnabled,templateId",
    )],
    "RoleManagement.Read.Directory",
    EntityKind::RoleDefinition,
);
