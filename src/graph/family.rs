//! The policy families: which contracts read them and how their documents are told apart.
//! What a single policy says about itself is [`crate::policy`].

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use crate::contract::{GetContract, ListContract, registry};

/// One family of policies, as Graph groups them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PolicyFamily {
    /// `deviceManagement/configurationPolicies`.
    SettingsCatalog,
    /// `deviceManagement/deviceCompliancePolicies`.
    DeviceCompliance,
    /// `deviceManagement/deviceConfigurations`.
    DeviceConfiguration,
    /// `deviceAppManagement/iosManagedAppProtections`.
    IosAppProtection,
    /// `deviceAppManagement/androidManagedAppProtections`.
    AndroidAppProtection,
}

/// The text names no policy family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such policy family")]
pub struct UnknownFamily;

impl PolicyFamily {
    /// Every family, in the order inventories read them.
    pub const ALL: [Self; 5] = [
        Self::SettingsCatalog,
        Self::DeviceCompliance,
        Self::DeviceConfiguration,
        Self::IosAppProtection,
        Self::AndroidAppProtection,
    ];

    /// The stable key stored in tables and inputs.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::SettingsCatalog => "settings_catalog",
            Self::DeviceCompliance => "device_compliance",
            Self::DeviceConfiguration => "device_configuration",
            Self::IosAppProtection => "ios_app_protection",
            Self::AndroidAppProtection => "android_app_protection",
        }
    }

    /// What people read.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::SettingsCatalog => "Settings catalog",
            Self::DeviceCompliance => "Compliance policy",
            Self::DeviceConfiguration => "Device configuration",
            Self::IosAppProtection => "App protection (iOS)",
            Self::AndroidAppProtection => "App protection (Android)",
        }
    }

    /// The contract that lists the family.
    #[must_use]
    pub fn list(self) -> &'static ListContract {
        match self {
            Self::SettingsCatalog => &registry::CONFIGURATION_POLICIES,
            Self::DeviceCompliance => &registry::COMPLIANCE_POLICIES,
            Self::DeviceConfiguration => &registry::DEVICE_CONFIGURATIONS,
            Self::IosAppProtection => &registry::IOS_APP_PROTECTIONS,
            Self::AndroidAppProtection => &registry::ANDROID_APP_PROTECTIONS,
        }
    }

    /// The contract that reads one policy of the family whole.
    #[must_use]
    pub fn get(self) -> &'static GetContract {
        match self {
            Self::SettingsCatalog => &registry::CONFIGURATION_POLICY,
            Self::DeviceCompliance => &registry::COMPLIANCE_POLICY,
            Self::DeviceConfiguration => &registry::DEVICE_CONFIGURATION,
            Self::IosAppProtection => &registry::IOS_APP_PROTECTION,
            Self::AndroidAppProtection => &registry::ANDROID_APP_PROTECTION,
        }
    }

    /// The collection below the API version, e.g. `deviceManagement/configurationPolicies`.
    #[must_use]
    pub fn collection(self) -> &'static str {
        self.list().contract().path()
    }

    /// The field with the name people gave: `name` in the settings catalog, else `displayName`.
    #[must_use]
    pub fn name_field(self) -> &'static str {
        match self {
            Self::SettingsCatalog => "name",
            _ => "displayName",
        }
    }

    /// The family of an exported document, by `@odata.context`, else `@odata.id`, else
    /// `@odata.type`. `None`: no family here.
    #[must_use]
    pub fn of_document(document: &Value) -> Option<Self> {
        let text = |key| document.get(key).and_then(Value::as_str);
        let context = text("@odata.context").and_then(|context| context.split_once('#'));
        context
            .and_then(|(_, path)| Self::of_path(path))
            .or_else(|| text("@odata.id").and_then(Self::of_path))
            .or_else(|| text("@odata.type").and_then(Self::of_type))
    }

    fn of_path(path: &str) -> Option<Self> {
        let below = path.strip_prefix('/').unwrap_or(path);
        Self::ALL.into_iter().find(|family| {
            below
                .strip_prefix(family.collection())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['(', '/', '\'']))
        })
    }

    fn of_type(odata_type: &str) -> Option<Self> {
        let name = odata_type.strip_prefix("#microsoft.graph.")?;
        match name {
            "deviceManagementConfigurationPolicy" => Some(Self::SettingsCatalog),
            "iosManagedAppProtection" => Some(Self::IosAppProtection),
            "androidManagedAppProtection" => Some(Self::AndroidAppProtection),
            _ if name.ends_with("CompliancePolicy") => Some(Self::DeviceCompliance),
            // Graph derives some eighty types from deviceConfiguration; all but a few end so.
            _ if [
                "Configuration",
                "CertificateProfile",
                "CertificateProfileBase",
            ]
            .iter()
            .any(|end| name.ends_with(end)) =>
            {
                Some(Self::DeviceConfiguration)
            }
            _ => None,
        }
    }
}

impl fmt::Display for PolicyFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for PolicyFamily {
    type Err = UnknownFamily;

    fn from_str(key: &str) -> Result<Self, UnknownFamily> {
        Self::ALL
            .into_iter()
            .find(|family| family.key() == key)
            .ok_or(UnknownFamily)
    }
}
