//! What a person keeps on their machine: a configuration with named profiles, saved views, themes,
//! and when they last looked. Every mistake is pointed at: file, line, and what would work.

mod file;
mod folders;
mod memory;
mod views;

pub use file::{Config, Profile};
pub use folders::Folders;
pub use memory::Memory;
pub use views::{merged, read as read_views};

use std::path::{Path, PathBuf};
use thiserror::Error;

/// A file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}{}: {reason}", path.display(), line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub struct ConfigError {
    /// Which file.
    pub path: PathBuf,
    /// Where in it, from 1.
    pub line: Option<usize>,
    /// What is wrong, and what would work.
    pub reason: String,
}

impl ConfigError {
    fn new(path: &Path, reason: impl ToString) -> Self {
        Self {
            path: path.to_owned(),
            line: None,
            reason: reason.to_string(),
        }
    }

    fn at(path: &Path, text: &str, byte: usize, reason: impl ToString) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        Self {
            line: Some(before.matches('\n').count() + 1),
            ..Self::new(path, reason)
        }
    }

    fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let message = error.message().lines().collect::<Vec<_>>().join(" ");
        match error.span() {
            Some(span) => Self::at(path, text, span.start, message),
            None => Self::new(path, message),
        }
    }
}

/// The text of `path`; `None` where there is no such file.
fn read(path: &Path) -> Result<Option<String>, ConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ConfigError::new(path, error)),
    }
}
