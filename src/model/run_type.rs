//! The stable taxonomy of operation types: `resource.action`. Which types exist is not decided
//! here: another application may use types nobody registered.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A type such as `inventory.sync`: lower-case words joined by `_`, exactly one dot, at most
/// 100 characters. The same rule is a check in the database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunType(String);

/// Why a text is no operation type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "'{0}' is not an operation type: write resource.action in lower case, as in inventory.sync"
)]
pub struct InvalidRunType(String);

/// The longest type accepted, in characters.
pub const MAX_LEN: usize = 100;

impl RunType {
    /// The text as stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_word(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|first| first.is_ascii_lowercase())
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

impl FromStr for RunType {
    type Err = InvalidRunType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let valid = text.len() <= MAX_LEN
            && text
                .split_once('.')
                .is_some_and(|(resource, action)| is_word(resource) && is_word(action));
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidRunType(text.chars().take(MAX_LEN).collect()))
        }
    }
}

impl TryFrom<String> for RunType {
    type Error = InvalidRunType;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<RunType> for String {
    fn from(value: RunType) -> Self {
        value.0
    }
}

impl fmt::Display for RunType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_taxonomy_and_nothing_else() {
        for good in ["inventory.sync", "backup_set.add_policies", "a.b2"] {
            assert!(good.parse::<RunType>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "inventory",
            "Inventory.sync",
            "a.b.c",
            ".sync",
            "a.",
            "a b.c",
            "é.b",
            "1a.b",
        ] {
            assert!(bad.parse::<RunType>().is_err(), "{bad}");
        }
    }
}
