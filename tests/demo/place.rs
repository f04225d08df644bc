//! A demo's own corner of the machine: its data, its state, its processes.

use opsroom_testkit::Signal;
use rustix::process::{Pid, kill_process};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

pub(crate) const SOON: Duration = Duration::from_secs(60);

/// Folders of one test. Every process of its demo has their path on its command line or in its
/// environment.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("opsroom-demo-test-")
            .tempdir()
            .unwrap();
        // The server's user has to get at its data.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let folder = self.0.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opsroom-demo"));
        command
            .args(args)
            .env("OPSROOM_DATA_DIR", self.0.path().join("data"))
            .env("XDG_STATE_HOME", self.0.path().join("state"));
        command
    }

    pub(crate) fn headless(&self, args: &[&str]) -> Demo {
        let mut child = self
            .command(&["--headless"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Demo { child, lines }
    }

    /// What the console's command line says of a run, once it has ended.
    pub(crate) fn until_completed(&self, run: &str, url: &str) -> serde_json::Value {
        let deadline = Instant::now() + SOON;
        loop {
            let shown = self
                .command(&["console", "run", run, "-o", "json", "--url", url])
                .output()
                .unwrap();
            let document: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
            let found = document.get("run").unwrap_or(&document).clone();
            if found["status"] == "completed" {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "run {run} does not end: {document:#}"
            );
        }
    }

    fn processes(&self) -> Vec<String> {
        let ours = self.0.path().to_str().unwrap();
        let list = Command::new("ps")
            .args(["-eww", "-o", "pid=,stat=,args="])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&list.stdout).into_owned();
        text.lines()
            .filter(|line| line.contains(ours))
            .map(str::to_owned)
            .collect()
    }

    pub(crate) fn assert_deserted(&self) {
        assert_eq!(self.processes(), Vec::<String>::new());
    }

    pub(crate) fn wait_deserted(&self) {
        let deadline = Instant::now() + SOON;
        while !self.processes().is_empty() {
            assert!(Instant::now() < deadline, "{:?}", self.processes());
            std::thread::yield_now();
        }
    }
}

/// A headless demo. Dropping it kills it.
pub(crate) struct Demo {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Demo {
    /// The one line it prints when it is ready.
    pub(crate) fn urls(&mut self) -> serde_json::Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).expect("one JSON line")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // One that ended already is not there to be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
