//! One policy: the summary every family's entities can be reduced to, and the whole document.
//! How it is fetched is [`crate::inventory`].

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::entity_id::EntityId;
use crate::error::{GraphError, Malformation};
use crate::family::PolicyFamily;

/// What a listing says about one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySummary {
    /// The family it was listed in.
    pub family: PolicyFamily,
    /// Its id, unique in the tenant.
    pub id: EntityId,
    /// The name people gave it, exactly as Graph says it: untrusted text. The id where it has none.
    pub name: String,
    /// The platform it applies to.
    pub platform: Platform,
    /// When it was last changed in the tenant.
    pub last_modified: Option<DateTime<Utc>>,
    /// `@odata.type` without `#`, where the answer carried one.
    pub odata_type: Option<String>,
}

/// A policy as Graph returns it, with the summary read from it.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyDocument {
    /// Read from `document`.
    pub summary: PolicySummary,
    /// The whole entity, keys in the order they came. May hold secrets: it belongs into backup
    /// items alone.
    pub document: Value,
}

/// The platform a policy applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Platform {
    /// Windows 8.1, 10, 11, Holographic.
    Windows,
    /// macOS.
    MacOs,
    /// iOS and iPadOS.
    Ios,
    /// Android, every mode of management.
    Android,
    /// Linux.
    Linux,
    /// More than one, or one this program does not know.
    Other,
}

impl Platform {
    /// The stable key stored in tables.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Windows => "windows",
            Self::MacOs => "macos",
            Self::Ios => "ios",
            Self::Android => "android",
            Self::Linux => "linux",
            Self::Other => "other",
        }
    }

    /// From the beginning of a type name or of a `platforms` value (`macOS`, `windows10`,
    /// `iosCompliancePolicy`).
    fn from_prefix(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        [
            ("windows", Self::Windows),
            ("macos", Self::MacOs),
            ("ios", Self::Ios),
            ("android", Self::Android),
            ("aosp", Self::Android),
            ("linux", Self::Linux),
            ("sharedpc", Self::Windows),
            ("editionupgrade", Self::Windows),
        ]
        .into_iter()
        .find(|(prefix, _)| text.starts_with(prefix))
        .map_or(Self::Other, |(_, platform)| platform)
    }
}

impl PolicySummary {
    /// Reads an entity of `family`, whole or as a listing gives it.
    ///
    /// # Errors
    /// [`GraphError::MalformedResponse`] if it has no usable id.
    pub fn read(family: PolicyFamily, entity: &Value) -> Result<Self, GraphError> {
        let text = |key| entity.get(key).and_then(Value::as_str);
        let missing = GraphError::malformed(Malformation::MissingField);
        let id: EntityId = text("id").and_then(|id| id.parse().ok()).ok_or(missing)?;
        let odata_type = text("@odata.type").map(|name| name.trim_start_matches('#'));
        let name = text(family.name_field()).filter(|name| !name.is_empty());
        Ok(Self {
            family,
            name: name.unwrap_or(id.as_str()).to_owned(),
            platform: platform_of(family, text("platforms"), odata_type),
            last_modified: text("lastModifiedDateTime").and_then(instant),
            odata_type: odata_type.map(str::to_owned),
            id,
        })
    }
}

impl PolicyDocument {
    /// Takes an entity that was read whole.
    ///
    /// # Errors
    /// As [`PolicySummary::read`].
    pub fn read(family: PolicyFamily, document: Value) -> Result<Self, GraphError> {
        let summary = PolicySummary::read(family, &document)?;
        Ok(Self { summary, document })
    }
}

fn platform_of(
    family: PolicyFamily,
    platforms: Option<&str>,
    odata_type: Option<&str>,
) -> Platform {
    match family {
        PolicyFamily::IosAppProtection => Platform::Ios,
        PolicyFamily::AndroidAppProtection => Platform::Android,
        PolicyFamily::SettingsCatalog => match platforms {
            Some(one) if !one.contains(',') => Platform::from_prefix(one),
            _ => Platform::Other,
        },
        PolicyFamily::DeviceCompliance | PolicyFamily::DeviceConfiguration => {
            let name = odata_type.and_then(|name| name.strip_prefix("microsoft.graph."));
            name.map_or(Platform::Other, Platform::from_prefix)
        }
    }
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|instant| instant.to_utc())
}
