//! The dependency rule of docs/architecture.md, read from `cargo metadata`: which member may depend on
//! which, and which outside crates must stay out of which member.

#![allow(
    clippy::expect_used,
    reason = "a test that cannot read what it tests must fail"
)]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// Member → the members it may depend on. Development dependencies are not held: tests may use all.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("opsroom-model", &[]),
    ("opsroom-read", &["opsroom-model"]),
    ("opsroom-engine", &["opsroom-model"]),
    ("opsroom-graph", &["opsroom-model"]),
    (
        "opsroom-operations",
        &["opsroom-engine", "opsroom-graph", "opsroom-model"],
    ),
    ("opsroom-postgres", &[]),
    ("opsroom", &["opsroom-model", "opsroom-read"]),
    // Graph: for the addresses on its command line.
    (
        "opsroom-worker",
        &[
            "opsroom-engine",
            "opsroom-graph",
            "opsroom-model",
            "opsroom-operations",
        ],
    ),
    (
        "opsroom-demo",
        &[
            "opsroom",
            "opsroom-engine",
            "opsroom-graph",
            "opsroom-model",
            "opsroom-operations",
            "opsroom-postgres",
            "opsroom-seed",
            "opsroom-worker",
        ],
    ),
    ("opsroom-seed", &["opsroom-engine", "opsroom-model"]),
    // For tests and for trying things out; nothing that is deployed depends on these.
    (
        "opsroom-testkit",
        &["opsroom-engine", "opsroom-model", "opsroom-postgres"],
    ),
    (
        "opsroom-soak",
        &[
            "opsroom-engine",
            "opsroom-model",
            "opsroom-postgres",
            "opsroom-testkit",
            "opsroom-worker",
        ],
    ),
    // An application needs the engine and nothing else of ours.
    ("opsroom-example-invoices", &["opsroom-engine"]),
];

/// Member → outside crates it must not name.
const MUST_NOT_USE: &[(&str, &[&str])] = &[
    (
        "opsroom-model",
        &["sqlx", "tokio", "ratatui", "crossterm", "reqwest"],
    ),
    ("opsroom-read", &["ratatui", "crossterm", "reqwest"]),
    (
        "opsroom-engine",
        &["ratatui", "crossterm", "reqwest", "clap"],
    ),
    ("opsroom-graph", &["sqlx", "ratatui", "clap"]),
    ("opsroom-operations", &["ratatui", "clap", "reqwest"]),
    ("opsroom-postgres", &["sqlx", "tokio"]),
    ("opsroom-seed", &["ratatui", "clap", "reqwest"]),
    ("opsroom", &["sqlx", "reqwest"]),
    ("opsroom-worker", &["ratatui", "crossterm", "reqwest"]),
];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")
}

/// Member → the names of its dependencies, development ones left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let named = package["dependencies"]
                .as_array()
                .expect("dependencies")
                .iter();
            let normal = named.filter(|dependency| dependency["kind"].as_str() != Some("dev"));
            let names =
                normal.map(|dependency| dependency["name"].as_str().expect("a name").to_owned());
            (
                package["name"].as_str().expect("a name").to_owned(),
                names.collect(),
            )
        })
        .collect()
}

#[test]
fn members_depend_only_on_what_the_table_allows() {
    let found = dependencies();
    let members: BTreeSet<_> = found.keys().cloned().collect();
    let listed: BTreeSet<_> = MAY_DEPEND_ON
        .iter()
        .map(|(member, _)| (*member).to_owned())
        .collect();
    assert_eq!(members, listed, "the table names every member");
    for (member, allowed) in MAY_DEPEND_ON {
        let ours = found[*member].iter().filter(|name| members.contains(*name));
        let extra: Vec<_> = ours
            .filter(|name| !allowed.contains(&name.as_str()))
            .collect();
        assert!(extra.is_empty(), "{member} must not depend on {extra:?}");
    }
}

#[test]
fn outside_crates_stay_where_they_belong() {
    let found = dependencies();
    for (member, banned) in MUST_NOT_USE {
        let present: Vec<_> = banned
            .iter()
            .filter(|name| found[*member].contains(**name))
            .collect();
        assert!(present.is_empty(), "{member} must not use {present:?}");
    }
}

/// The console cannot write SQL: `read` gives it no type of sqlx's. Every public item of `read` is
/// looked at; a `pub` line that names sqlx would be a way around the boundary.
#[test]
fn read_exposes_no_sqlx_type() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../read");
    let mut looked_at = 0;
    for path in rust_files(&folder) {
        let text = std::fs::read_to_string(&path).expect("a readable file");
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_start();
            looked_at += usize::from(line.starts_with("pub "));
            let exposes = line.starts_with("pub ")
                && ["sqlx", "PgConnection", "PgRow", "PgPool"]
                    .iter()
                    .any(|word| line.contains(word));
            assert!(!exposes, "{}:{}: {line}", path.display(), number + 1);
        }
    }
    assert!(looked_at > 20, "the folder was found and has public items");
}

fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a readable folder");
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}
