//! Worker processes: the real command line of `opsroom-worker`, to which this crate adds its jobs. Not
//! here: waiting for what they do.

use color_eyre::eyre::{Result, WrapErr as _, eyre};
use opsroom_testkit::{Signal, eventually};
use rustix::process::{Pid, kill_process};
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tempfile::NamedTempFile;

/// The program that can be a worker: `opsroom-soak`, wherever it was built.
#[derive(Debug, Clone)]
pub struct Program(pub PathBuf);

/// A running worker. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: NamedTempFile,
}

impl Program {
    /// A worker of that name; `more` are further arguments of `work`. It takes the soak's own types, since
    /// no tenant's secrets are here.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn worker(&self, url: &str, name: &str, more: &[&str]) -> Result<Process> {
        let log = NamedTempFile::new()?;
        let err = File::options().append(true).open(log.path())?;
        let mut command = Command::new(&self.0);
        command.args(["worker", "work", "--name", name]).args(more);
        let child = command
            .env_clear()
            .env("DATABASE_URL", url)
            // Its end is the sign that we are gone, however that came.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(err)
            .spawn()
            .wrap_err("a worker cannot be started")?;
        Ok(Process { child, log })
    }
}

/// In a worker of ours: leaves when whoever started it is gone.
pub fn end_with_our_parent() {
    std::thread::spawn(|| {
        let mut nothing = [0; 16];
        while matches!(std::io::stdin().read(&mut nothing), Ok(read) if read > 0) {}
        std::process::exit(0);
    });
}

impl Process {
    /// Sends a signal.
    ///
    /// # Errors
    /// The process is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_raw(self.child.id().cast_signed())
            .ok_or_else(|| eyre!("a process without a number"))?;
        Ok(kill_process(pid, signal)?)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// It did not end in time.
    pub async fn ended(&mut self, patience: Duration) -> Result<ExitStatus> {
        let mut status = None;
        let waited = eventually(patience, "the worker ends", async || {
            status = self.child.try_wait().ok().flatten();
            status.is_some()
        })
        .await;
        status.ok_or_else(|| eyre!("{waited:?}: {}", self.log()))
    }

    /// Whether it ended by itself.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// What it logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap_or_default()
    }

    /// How many log lines hold `words`.
    #[must_use]
    pub fn lines_with(&self, words: &str) -> i64 {
        let count = self
            .log()
            .lines()
            .filter(|line| line.contains(words))
            .count();
        i64::try_from(count).unwrap_or(i64::MAX)
    }

    /// Its log lines, all of them.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.log().lines().count()
    }

    /// The most memory it ever had, in bytes.
    ///
    /// # Errors
    /// It is gone, or the system does not say.
    pub fn peak_memory(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: u64 = line
            .and_then(|line| line.trim().strip_suffix("kB"))
            .and_then(|number| number.trim().parse().ok())
            .ok_or_else(|| eyre!("no VmHWM"))?;
        Ok(kib * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended; either way it is reaped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
