//! Reading a folder of exported policies: one Graph entity a `.json` file, at any depth.
//!
//! A file that cannot be used is named with its reason and does not stop the others. Other files
//! (a README, a licence) are passed over.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::entity_id::EntityId;
use crate::family::PolicyFamily;
use crate::policy::PolicyDocument;

const DEEPEST: usize = 16;
const LARGEST: u64 = 16 * 1024 * 1024;

/// What a folder held.
#[derive(Debug, Default)]
pub struct FolderReport {
    /// Recognised documents, in the order of their paths.
    pub policies: Vec<PolicyDocument>,
    /// JSON files that are not served.
    pub skipped: Vec<SkippedFile>,
}

/// A file that is not served.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct SkippedFile {
    /// Which.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub reason: SkipReason,
}

/// Why a file is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SkipReason {
    /// The file cannot be read.
    #[error("cannot be read")]
    Unreadable(#[source] io::Error),
    /// More than 16 MiB.
    #[error("larger than 16 MiB")]
    TooLarge,
    /// More than 16 folders deep (a link in a circle, perhaps).
    #[error("more than {DEEPEST} folders deep")]
    TooDeep,
    /// Neither UTF-8 nor UTF-16 with a byte-order mark.
    #[error("neither UTF-8 nor UTF-16 text")]
    NotText,
    /// Not JSON.
    #[error("not JSON (line {line}, column {column})")]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// JSON, but not a single entity.
    #[error("a collection or a bare value; one entity a file is expected")]
    NotAnEntity,
    /// No family here has such entities.
    #[error("no policy family here has entities like this (@odata.type {odata_type:?})")]
    UnknownFamily {
        /// What the document says it is.
        odata_type: Option<String>,
    },
    /// A policy without a usable `id`.
    #[error("it has no usable id")]
    NoId,
    /// Another file has the same id.
    #[error("{} has the same id", first.display())]
    Duplicate {
        /// The file that is served.
        first: PathBuf,
    },
}

/// The folder itself cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the policies folder {}", path.display())]
pub struct FolderError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// Reads every `.json` file below `folder`.
///
/// # Errors
/// [`FolderError`] where `folder` itself is not a readable folder.
pub fn read_folder(folder: &Path) -> Result<FolderReport, FolderError> {
    let mut report = FolderReport::default();
    let mut files = Vec::new();
    collect(folder, 0, &mut files, &mut report.skipped).map_err(|source| FolderError {
        path: folder.to_owned(),
        source,
    })?;
    files.sort();
    let mut seen: HashMap<EntityId, PathBuf> = HashMap::new();
    for path in files {
        let read = read_file(&path).and_then(|policy| match seen.get(&policy.summary.id) {
            Some(first) => Err(SkipReason::Duplicate {
                first: first.clone(),
            }),
            None => Ok(policy),
        });
        match read {
            Ok(policy) => {
                seen.insert(policy.summary.id.clone(), path);
                report.policies.push(policy);
            }
            Err(reason) => report.skipped.push(SkippedFile { path, reason }),
        }
    }
    Ok(report)
}

fn collect(
    folder: &Path,
    depth: usize,
    files: &mut Vec<PathBuf>,
    skipped: &mut Vec<SkippedFile>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let skip = |path, reason| SkippedFile { path, reason };
        if path.is_dir() {
            if depth >= DEEPEST {
                skipped.push(skip(path, SkipReason::TooDeep));
            } else if let Err(error) = collect(&path, depth + 1, files, skipped) {
                skipped.push(skip(path, SkipReason::Unreadable(error)));
            }
        } else if path
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("json"))
        {
            files.push(path);
        }
    }
    Ok(())
}

fn read_file(path: &Path) -> Result<PolicyDocument, SkipReason> {
    let about = fs::metadata(path).map_err(SkipReason::Unreadable)?;
    if !about.is_file() {
        return Err(SkipReason::Unreadable(io::Error::other(
            "not a regular file",
        )));
    }
    if about.len() > LARGEST {
        return Err(SkipReason::TooLarge);
    }
    recognise(&fs::read(path).map_err(SkipReason::Unreadable)?)
}

/// One exported document, whatever its encoding, as a policy of a known family.
///
/// # Errors
/// [`SkipReason`], never `Unreadable`, `TooLarge`, `TooDeep` or `Duplicate`.
pub fn recognise(bytes: &[u8]) -> Result<PolicyDocument, SkipReason> {
    let text = decode(bytes).ok_or(SkipReason::NotText)?;
    let document: Value = serde_json::from_str(&text).map_err(|error| SkipReason::NotJson {
        line: error.line(),
        column: error.column(),
    })?;
    if !document.is_object() || document.get("value").is_some_and(Value::is_array) {
        return Err(SkipReason::NotAnEntity);
    }
    let Some(family) = PolicyFamily::of_document(&document) else {
        let odata_type = document.get("@odata.type").and_then(Value::as_str);
        return Err(SkipReason::UnknownFamily {
            odata_type: odata_type.map(str::to_owned),
        });
    };
    PolicyDocument::read(family, document).map_err(|_| SkipReason::NoId)
}

/// UTF-8 with or without a byte-order mark; UTF-16 (what PowerShell writes) with one.
fn decode(bytes: &[u8]) -> Option<String> {
    let units = |pair: fn([u8; 2]) -> u16| {
        let units = bytes[2..]
            .chunks_exact(2)
            .map(move |two| pair([two[0], two[1]]));
        String::from_utf16(&units.collect::<Vec<_>>()).ok()
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        [0xff, 0xfe, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] => units(u16::from_be_bytes),
        _ => String::from_utf8(bytes.to_vec()).ok(),
    }
}
