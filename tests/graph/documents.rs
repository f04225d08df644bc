//! Folders of exported policies: recognised with their own ids and names, or named with a reason.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use opsroom_graph::PolicyFamily;
use opsroom_graph::inventory::{fetch_policy, list_policies};
use opsroom_graph::simulator::builtin;
use opsroom_graph::simulator::folder::{SkipReason, read_folder};
use serde_json::{Value, json};

use crate::served::Served;

/// Real exports, where this machine has them.
const REAL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/data/graph-policies"
);

#[tokio::test]
async fn our_own_documents_come_back_as_they_were_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let deeper = folder.path().join("a/b");
    fs::create_dir_all(&deeper).expect("folders");
    for (index, (name, bytes)) in builtin::DOCUMENTS.iter().enumerate() {
        let place = if index % 2 == 0 {
            folder.path()
        } else {
            &deeper
        };
        fs::write(place.join(format!("{name}.json")), bytes).expect("a file");
    }
    comes_back(folder.path(), builtin::DOCUMENTS.len()).await;
}

#[tokio::test]
async fn real_exports_are_all_recognised() {
    let folder = Path::new(REAL);
    if !folder.is_dir() {
        return;
    }
    comes_back(folder, 22).await;
    let report = read_folder(folder).expect("the folder");
    let count = |family| {
        report
            .policies
            .iter()
            .filter(|p| p.summary.family == family)
            .count()
    };
    assert_eq!(PolicyFamily::ALL.map(count), [17, 3, 0, 1, 1]);
    // The files are named after their policies.
    for policy in &report.policies {
        let file = format!("{}.json", policy.summary.name);
        let found = ["AppProtection", "CompliancePolicies", "SettingsCatalog"]
            .iter()
            .any(|below| folder.join(below).join(&file).is_file());
        assert!(found, "{file}");
    }
}

/// Serves a folder and reads it back through the client, fields and all.
async fn comes_back(folder: &Path, expected: usize) {
    let report = read_folder(folder).expect("the folder");
    assert!(report.skipped.is_empty(), "{:?}", report.skipped);
    assert_eq!(report.policies.len(), expected);
    let originals: BTreeMap<_, _> = report
        .policies
        .iter()
        .map(|p| (p.summary.id.clone(), p.clone()))
        .collect();
    let served = Served::policies(report.policies).await;
    let client = served.client();
    let mut seen = 0;
    for listing in list_policies(&client).await {
        for listed in listing.policies.expect("a fair-weather listing") {
            let original = &originals[&listed.id];
            assert_eq!(listed.name, original.summary.name);
            let whole = fetch_policy(&client, listed.family, &listed.id)
                .await
                .expect("a policy");
            assert_eq!(whole.summary, original.summary);
            assert_same_fields(&whole.document, &original.document);
            seen += 1;
        }
    }
    assert_eq!(seen, expected);
}

/// Every field as it was; only what was expanded and is not there comes as an empty list.
fn assert_same_fields(read: &Value, original: &Value) {
    let fields = |document: &Value| document.as_object().expect("an entity").clone();
    let (mut read, original) = (fields(read), fields(original));
    for (key, value) in original.iter().filter(|(key, _)| *key != "@odata.context") {
        assert_eq!(read.remove(key).as_ref(), Some(value), "{key}");
    }
    read.remove("@odata.context");
    assert!(read.values().all(|extra| *extra == json!([])), "{read:?}");
}

#[test]
fn what_cannot_be_served_is_named_with_its_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| {
        fs::write(folder.path().join(name), bytes).expect("a file");
    };
    let policy = |id: &str| {
        format!(r##"{{"@odata.type":"#microsoft.graph.iosCompliancePolicy","id":"{id}"}}"##)
    };
    write("a-good.json", policy("one").as_bytes());
    write("b-same-id.json", policy("one").as_bytes());
    write("c-bad-id.json", policy("../../etc").as_bytes());
    write(
        "d-unknown.json",
        br##"{"@odata.type":"#microsoft.graph.user","id":"two"}"##,
    );
    write("e-half.json", b"{\n  \"id\": ");
    write("f-list.json", br#"{"value":[]}"#);
    write("g-bytes.json", &[0xff, 0x00, 0x9c]);
    write("README.md", b"not a policy");
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(policy("three").encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    write("h-powershell.JSON", &utf16);

    let report = read_folder(folder.path()).expect("the folder");
    let ids: Vec<_> = report
        .policies
        .iter()
        .map(|p| p.summary.id.as_str())
        .collect();
    assert_eq!(ids, ["one", "three"]);
    let reasons: Vec<_> = report.skipped.iter().map(|file| &file.reason).collect();
    assert!(
        matches!(
            reasons[..],
            [
                SkipReason::Duplicate { .. },
                SkipReason::NoId,
                SkipReason::UnknownFamily {
                    odata_type: Some(_)
                },
                SkipReason::NotJson { line: 2, .. },
                SkipReason::NotAnEntity,
                SkipReason::NotText,
            ]
        ),
        "{reasons:?}"
    );
    assert!(read_folder(&folder.path().join("missing")).is_err());
}
