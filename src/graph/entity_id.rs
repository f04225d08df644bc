//! The id of a Graph entity, checked before it may become part of an address.
//! Not here: which entities exist ([`crate::contract`]).

use std::fmt;
use std::str::FromStr;

/// A Graph id such as `5f3b…c0cd` or `T_e655…9219`: 1–128 ASCII letters, digits, `-` or `_`, so it
/// is always exactly one segment of a path and never a query.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityId(String);

/// The text is no Graph id. It is not repeated here: it may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a Graph id: 1 to 128 letters, digits, '-' or '_' are expected")]
pub struct InvalidEntityId;

const LONGEST: usize = 128;

impl EntityId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EntityId {
    type Err = InvalidEntityId;

    fn from_str(text: &str) -> Result<Self, InvalidEntityId> {
        let well_formed = !text.is_empty()
            && text.len() <= LONGEST
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidEntityId)
        }
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::EntityId;

    #[test]
    fn only_one_plain_path_segment_is_an_id() {
        for good in ["5f3ba962-c068-4162-a14c-2a7917d0c0cd", "T_e655f25b", "0"] {
            assert!(good.parse::<EntityId>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "..",
            "a/b",
            "a?b",
            "a%2fb",
            "a b",
            "ä",
            "a'b",
            &"x".repeat(129),
        ] {
            assert!(bad.parse::<EntityId>().is_err(), "{bad}");
        }
    }
}
