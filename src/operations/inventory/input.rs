//! The input of `inventory.sync`: everything, or some families.

use opsroom_graph::PolicyFamily;
use serde::{Deserialize, Serialize};

/// What to observe. `{}` and `{"scope":"full"}` are the same run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Input {
    scope: Scope,
}

/// How much.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Scope {
    /// Every family.
    #[default]
    Full,
    /// These, without repetition and in the order of [`PolicyFamily::ALL`]; never empty.
    Families(Vec<PolicyFamily>),
}

/// As it stands in JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default = "full")]
    scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    families: Option<Vec<String>>,
}

fn full() -> String {
    "full".to_owned()
}

impl Input {
    /// The families to observe.
    #[must_use]
    pub fn families(&self) -> Vec<PolicyFamily> {
        match &self.scope {
            Scope::Full => PolicyFamily::ALL.to_vec(),
            Scope::Families(families) => families.clone(),
        }
    }
}

impl TryFrom<Written> for Input {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let known = || PolicyFamily::ALL.map(PolicyFamily::key).join(", ");
        let scope = match (written.scope.as_str(), written.families) {
            ("full", None) => Scope::Full,
            ("full", Some(_)) => return Err("families go with \"scope\": \"families\"".to_owned()),
            ("families", Some(named)) if !named.is_empty() => {
                if let Some(unknown) = named
                    .iter()
                    .find(|name| !PolicyFamily::ALL.iter().any(|family| family.key() == *name))
                {
                    let unknown: String = unknown.chars().take(40).collect();
                    return Err(format!("unknown family '{unknown}': one of {}", known()));
                }
                let wanted = |family: &PolicyFamily| named.iter().any(|name| name == family.key());
                Scope::Families(PolicyFamily::ALL.into_iter().filter(wanted).collect())
            }
            ("families", _) => return Err(format!("\"families\" is a list of {}", known())),
            (_, _) => return Err("\"scope\" is \"full\" or \"families\"".to_owned()),
        };
        Ok(Self { scope })
    }
}

impl From<Input> for Written {
    fn from(input: Input) -> Self {
        match input.scope {
            Scope::Full => Self {
                scope: full(),
                families: None,
            },
            Scope::Families(families) => {
                let named = families
                    .into_iter()
                    .map(|family| family.key().to_owned())
                    .collect();
                Self {
                    scope: "families".to_owned(),
                    families: Some(named),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn normalised(input: Value) -> Result<Value, String> {
        let input: Input = serde_json::from_value(input).map_err(|error| error.to_string())?;
        Ok(serde_json::to_value(input).unwrap())
    }

    #[test]
    fn what_means_the_same_is_written_the_same() {
        assert_eq!(normalised(json!({})), Ok(json!({"scope": "full"})));
        let some = json!({"scope": "families", "families": ["device_compliance", "settings_catalog", "device_compliance"]});
        assert_eq!(
            normalised(some),
            Ok(json!({"scope": "families", "families": ["settings_catalog", "device_compliance"]}))
        );
    }

    #[test]
    fn what_means_nothing_is_refused_with_a_remedy() {
        for (input, says) in [
            (json!({"scope": "some"}), "\"full\" or \"families\""),
            (json!({"families": ["settings_catalog"]}), "go with"),
            (json!({"scope": "families"}), "is a list of"),
            (
                json!({"scope": "families", "families": ["x"]}),
                "unknown family 'x'",
            ),
            (json!({"scop": "full"}), "unknown field"),
        ] {
            let error = normalised(input.clone()).unwrap_err();
            assert!(error.contains(says), "{input}: {error}");
        }
    }
}
