//! The program `opsroom-worker`, run with nothing of the caller's environment.

use opsroom_testkit::{Signal, eventually};
use rustix::process::{Pid, kill_process};
use std::fs::File;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tempfile::NamedTempFile;

/// Longer than anything here takes, also on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: Option<i32>,
}

/// Not yet run.
pub(crate) fn program(url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_opsroom-worker"));
    command
        .env_clear()
        .env("DATABASE_URL", url)
        .stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub(crate) fn run(url: &str, args: &[&str]) -> Said {
    let output = program(url).args(args).output().unwrap();
    Said {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code(),
    }
}

/// Starts `inventory.sync` for `north` as a person would.
pub(crate) fn start(url: &str, more: &[&str]) -> Said {
    let start = ["start", "inventory.sync", "--tenant", "north"];
    run(url, &[&start, more].concat())
}

/// A running one. Killed when dropped.
pub(crate) struct Running {
    child: Child,
    err: NamedTempFile,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let err = NamedTempFile::new().unwrap();
        let log = File::options().append(true).open(err.path()).unwrap();
        let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        Self { child, err }
    }

    /// Nobody reads its standard error.
    pub(crate) fn start_unheard(mut command: Command) -> Self {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = command.stdout(Stdio::null()).stderr(writer).spawn();
        Self {
            child: child.unwrap(),
            err: NamedTempFile::new().unwrap(),
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.err.path()).unwrap()
    }

    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        let waited = eventually(SOON, "the worker ends", async || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        assert!(waited.is_ok(), "it did not end: {}", self.log());
        status.unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended; either way it is reaped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
