//! The project's own policy documents, compiled in, so that a demo needs no folder.

use super::folder::{SkipReason, recognise};
use crate::policy::PolicyDocument;

macro_rules! documents {
    ($($name:literal),* $(,)?) => {
        &[$((
            $name,
            include_bytes!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/../../assets/policies/", $name, ".json"
            )),
        )),*]
    };
}

/// File name without its ending, and the file as it is (byte-order mark and escapes included).
pub const DOCUMENTS: &[(&str, &[u8])] = documents![
    "windows-disk-encryption",
    "macos-compliance",
    "ios-app-protection",
    "windows-browser",
    "windows-compliance",
    "macos-firewall",
    "windows-wifi",
    "android-app-protection",
    "windows-update-rings",
    "ios-compliance",
    "windows-custom",
    "linux-password",
    "android-work-profile-compliance",
    "macos-restrictions",
    "windows-client-certificate",
    "odd-name",
];

/// The documents, recognised. One that is not is left out; a test holds that there is none.
#[must_use]
pub fn policies() -> Vec<PolicyDocument> {
    read_all().filter_map(|(_, policy)| policy.ok()).collect()
}

fn read_all() -> impl Iterator<Item = (&'static str, Result<PolicyDocument, SkipReason>)> {
    DOCUMENTS
        .iter()
        .map(|(name, bytes)| (*name, recognise(bytes)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{DOCUMENTS, read_all};
    use crate::family::PolicyFamily;

    #[test]
    fn every_document_is_recognised_and_every_family_is_there() {
        let mut families = BTreeSet::new();
        for (name, policy) in read_all() {
            let policy = policy.unwrap_or_else(|reason| panic!("{name}: {reason}"));
            families.insert(policy.summary.family);
            assert!(policy.summary.last_modified.is_some(), "{name}");
        }
        assert_eq!(families.len(), PolicyFamily::ALL.len());
    }

    #[test]
    fn byte_order_marks_and_escapes_are_among_them() {
        assert!(
            DOCUMENTS
                .iter()
                .any(|(_, bytes)| bytes.starts_with(b"\xef\xbb\xbf"))
        );
        let escape = br"\u0027";
        assert!(
            DOCUMENTS
                .iter()
                .any(|(_, b)| b.windows(6).any(|window| window == escape))
        );
    }
}
