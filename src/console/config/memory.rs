//! When the person last looked at each database, and which notifications they read there. Written whole beside the old file and put in its
//! place, so that a crash leaves one of the two. What cannot be read or written is done without: it is
//! a convenience.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// Databases remembered, at most: the one looked at longest ago goes.
const MAX: usize = 50;
/// Notifications remembered as read in each, at most: the oldest go.
const MAX_READ: usize = 500;
/// A file larger than this is none of ours.
const MAX_BYTES: u64 = 512 * 1024;

/// What is remembered of one database.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    path: Option<PathBuf>,
    place: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Stored {
    last_looks: BTreeMap<String, DateTime<Utc>>,
    #[serde(default)]
    read: BTreeMap<String, BTreeSet<i64>>,
}

impl Memory {
    /// What is remembered in `path` of the database and login that `place` names.
    #[must_use]
    pub fn of(path: Option<PathBuf>, place: String) -> Self {
        Self { path, place }
    }

    /// When it was last looked at.
    #[must_use]
    pub fn last_look(&self) -> Option<DateTime<Utc>> {
        stored(self.path.as_ref()?)
            .last_looks
            .get(&self.place)
            .copied()
    }

    /// The notifications that were read.
    #[must_use]
    pub fn read(&self) -> BTreeSet<i64> {
        let read = self
            .path
            .as_ref()
            .map(|path| stored(path).read.remove(&self.place));
        read.flatten().unwrap_or_default()
    }

    /// Remembers that these notifications were read, beside those that another console remembered.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn keep_read(&self, ids: BTreeSet<i64>) -> io::Result<()> {
        self.change(|stored| {
            let read = stored.read.entry(self.place.clone()).or_default();
            read.extend(ids);
            while read.len() > MAX_READ {
                read.pop_first();
            }
        })
    }

    /// Remembers that a look ended then.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn keep(&self, at: DateTime<Utc>) -> io::Result<()> {
        self.change(|stored| {
            stored.last_looks.insert(self.place.clone(), at);
            while stored.last_looks.len() > MAX {
                let oldest = stored.last_looks.iter().min_by_key(|(_, at)| **at);
                match oldest.map(|(place, _)| place.clone()) {
                    Some(place) => stored.last_looks.remove(&place),
                    None => break,
                };
            }
            let known = &stored.last_looks;
            stored
                .read
                .retain(|place, _| *place == self.place || known.contains_key(place));
        })
    }

    fn change(&self, change: impl FnOnce(&mut Stored)) -> io::Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let mut stored = stored(path);
        change(&mut stored);
        let text = serde_json::to_string(&stored)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        // Two consoles that end together must not write into one file.
        let draft = path.with_extension(format!("{}.draft", std::process::id()));
        let written = std::fs::write(&draft, text).and_then(|()| std::fs::rename(&draft, path));
        if written.is_err() {
            let _ = std::fs::remove_file(&draft);
        }
        written
    }
}

fn stored(path: &Path) -> Stored {
    let fits = std::fs::metadata(path).is_ok_and(|file| file.len() <= MAX_BYTES);
    let text = fits.then(|| std::fs::read_to_string(path).ok()).flatten();
    text.and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}
