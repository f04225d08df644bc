//! `opsroom code`: what a failure code means. Asks no database.

use super::print;
use crate::exit::{Code, Failure};
use opsroom_model::Clean;
use opsroom_model::catalogue::{self, Entry};

/// Explains `code`, or lists all codes.
///
/// # Errors
/// Where the code is not in the catalogue.
pub fn run(code: Option<&str>) -> Result<Code, Failure> {
    let Some(code) = code else {
        let width = catalogue::ENTRIES
            .iter()
            .map(|entry| entry.code.len())
            .max()
            .unwrap_or(0);
        let line = |entry: &Entry| format!("{:<width$}  {}\n", entry.code, entry.message);
        let lines: String = catalogue::ENTRIES.iter().map(line).collect();
        return print(&lines).map(|()| Code::Ok);
    };
    let Some(entry) = catalogue::entry(code) else {
        let word = Clean::limited(code, 64);
        return Err(Failure {
            code: Code::NotFound,
            message: format!("the catalogue has no code '{word}'; opsroom code lists all"),
        });
    };
    print(&format!(
        "{}: {}\n\n{}\nUsual remedy: {}\n",
        entry.code, entry.message, entry.meaning, entry.remedy
    ))?;
    Ok(Code::Ok)
}
