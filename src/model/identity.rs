//! What makes two runs "the same": a hash over the tenant, the type and the normalised inputs.

use crate::ids::TenantId;
use crate::run_type::RunType;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The lower-case hex SHA-256 of the RFC 8785 canonical JSON `[tenant_id, type, inputs]`.
///
/// Key order and number spelling of `inputs` do not matter. Runs that must never be deduplicated add
/// a request id to their inputs, scheduled ones the schedule's id and the fire time.
///
/// # Panics
/// Never in practice: a [`Value`] holds only finite numbers and UTF-8 text, which always serialise.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "a serde_json::Value always has a canonical form"
)]
pub fn run_identity_hash(tenant: TenantId, run_type: &RunType, inputs: &Value) -> String {
    let document = json!([tenant.0, run_type.as_str(), inputs]);
    let canonical =
        serde_json_canonicalizer::to_vec(&document).expect("JSON values have a canonical form");
    Sha256::digest(canonical)
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(tenant: i64, inputs: &str) -> String {
        let run_type = "inventory.sync".parse().unwrap();
        run_identity_hash(
            TenantId(tenant),
            &run_type,
            &serde_json::from_str(inputs).unwrap(),
        )
    }

    #[test]
    fn another_application_can_compute_the_same_hash() {
        // printf '[7,"inventory.sync",{"scope":"full"}]' | sha256sum
        assert_eq!(
            hash(7, r#"{"scope":"full"}"#),
            "976f99b6458ed85a2ad2d3bd32def44d728179ae16c60d7eadf78bdccb71d575"
        );
    }

    #[test]
    fn order_and_spelling_of_inputs_do_not_matter() {
        assert_eq!(
            hash(1, r#"{"a":1.0,"b":"é"}"#),
            hash(1, "{\"b\":\"\\u00e9\",  \"a\":1}")
        );
        assert_ne!(hash(1, r#"{"a":1}"#), hash(2, r#"{"a":1}"#));
        assert_ne!(hash(1, r#"{"a":1}"#), hash(1, r#"{"a":"1"}"#));
    }
}
