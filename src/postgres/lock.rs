//! Locks that vanish with the process that holds them (flock), with the holder's pid in the file.
//! The file stays; only the lock counts, so a file left by a crash locks nobody out.

use crate::error::{IoContext, StartError};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(10);

/// An open lock file; what is held is released when it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    pub(crate) fn open(path: &Path) -> Result<Self, StartError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .during("opening the lock", path)?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    /// Takes it alone; `false` if somebody has it in any way.
    pub(crate) fn try_alone(&self) -> Result<bool, StartError> {
        self.outcome(self.file.try_lock())
    }

    /// Takes it beside others; `false` if somebody has it alone.
    pub(crate) fn try_shared(&self) -> Result<bool, StartError> {
        self.outcome(self.file.try_lock_shared())
    }

    /// Repeats `attempt` until it succeeds or `deadline` has passed (then `false`).
    pub(crate) fn within(
        &self,
        deadline: Instant,
        attempt: fn(&Self) -> Result<bool, StartError>,
    ) -> Result<bool, StartError> {
        loop {
            if attempt(self)? {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
            std::thread::sleep(TICK);
        }
    }

    /// Writes our pid for those who are refused. `mark` says how it is held.
    pub(crate) fn sign(&mut self, mark: &str) -> Result<(), StartError> {
        let text = format!("{} {mark}\n", std::process::id());
        let path = self.path.clone();
        self.file.set_len(0).during("writing", &path)?;
        self.file
            .seek(SeekFrom::Start(0))
            .during("writing", &path)?;
        self.file
            .write_all(text.as_bytes())
            .during("writing", &path)
    }

    /// Pid and mark of who signed last, alive or not.
    pub(crate) fn signature(&self) -> Option<(u32, String)> {
        let mut text = String::new();
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0)).ok()?;
        file.read_to_string(&mut text).ok()?;
        let (pid, mark) = text.trim().split_once(' ')?;
        Some((pid.parse().ok()?, mark.to_owned()))
    }

    fn outcome(&self, locked: Result<(), TryLockError>) -> Result<bool, StartError> {
        match locked {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(fault)) => Err(fault).during("locking", &self.path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_or_many_shared_and_a_left_file_locks_nobody_out() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("users.lock");
        let mut first = Lock::open(&path).unwrap();
        assert!(first.try_alone().unwrap());
        first.sign("exclusive").unwrap();
        let second = Lock::open(&path).unwrap();
        assert!(!second.try_shared().unwrap());
        assert_eq!(
            second.signature(),
            Some((std::process::id(), "exclusive".into()))
        );
        drop(first);
        let third = Lock::open(&path).unwrap();
        assert!(second.try_shared().unwrap() && third.try_shared().unwrap());
        assert!(!third.try_alone().unwrap());
    }
}
