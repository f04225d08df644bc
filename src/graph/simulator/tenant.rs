//! One tenant as the simulator serves it: credentials, entities, weather, and what was asked of it.

use std::collections::HashMap;
use std::fmt;

use secrecy::SecretString;
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::faults::Faults;
use super::generator;
use super::weather::Weather;
use crate::contract::EntityKind;
use crate::policy::PolicyDocument;

/// A tenant to serve.
#[derive(Clone)]
pub struct TenantFixture {
    /// The tenant's id at "Microsoft".
    pub guid: Uuid,
    /// What people call it.
    pub name: String,
    /// The registered application.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// Policies of every family.
    pub policies: Vec<PolicyDocument>,
    /// Directory groups.
    pub groups: Vec<Value>,
    /// Directory role definitions.
    pub role_definitions: Vec<Value>,
}

/// What was asked of one tenant so far, faulty answers included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Observed {
    /// Token requests.
    pub tokens: u64,
    /// Pages of listings.
    pub listings: u64,
    /// Single entities.
    pub entities: u64,
    /// Answers replaced or bent by a fault.
    pub faults: u64,
}

/// A fixture in service.
pub(crate) struct Tenant {
    pub(crate) fixture: TenantFixture,
    pub(crate) weather: Weather,
    pub(crate) observed: Observed,
    pub(crate) tokens: HashMap<String, Instant>,
}

impl TenantFixture {
    /// A tenant whose id, credentials, groups and roles follow from its name; `policies` are its
    /// own.
    #[must_use]
    pub fn named(name: &str, policies: Vec<PolicyDocument>) -> Self {
        let mut dice = super::dice::Dice::of(1, name);
        let seed = dice.next();
        Self {
            guid: dice.uuid(),
            name: name.to_owned(),
            client_id: dice.uuid().to_string(),
            client_secret: format!("sim~{}", dice.uuid().simple()).into(),
            policies,
            groups: generator::groups(seed, 24),
            role_definitions: generator::role_definitions(seed),
        }
    }
}

impl fmt::Debug for TenantFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantFixture")
            .field("guid", &self.guid)
            .field("name", &self.name)
            .field("policies", &self.policies.len())
            .finish_non_exhaustive()
    }
}

impl Tenant {
    pub(crate) fn new(fixture: TenantFixture) -> Self {
        let weather = Weather::new(Faults::default());
        Self {
            fixture,
            weather,
            observed: Observed::default(),
            tokens: HashMap::new(),
        }
    }

    pub(crate) fn entities(&self, kind: EntityKind) -> Vec<&Value> {
        match kind {
            EntityKind::Policy(family) => {
                let of_family = self.fixture.policies.iter();
                let of_family = of_family.filter(|policy| policy.summary.family == family);
                of_family.map(|policy| &policy.document).collect()
            }
            EntityKind::Group => self.fixture.groups.iter().collect(),
            EntityKind::RoleDefinition => self.fixture.role_definitions.iter().collect(),
        }
    }
}
