//! Worker processes: this program again, as `worker work`. Each holds the read end of a pipe whose
//! write end is ours; when we are gone, however, it notices and drains.

use color_eyre::eyre::{Result, WrapErr as _};
use rustix::process::{Pid, Signal, getpid, kill_process};
use std::fs::File;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Set for workers whose standard input is the pipe to us.
const TIED: &str = "OPSROOM_DEMO_TIED";
const DRAIN: Duration = Duration::from_secs(2);

/// The workers of a demo. Dropping it stops them.
pub(crate) struct Workers {
    children: Vec<Child>,
}

/// Where a worker finds what it needs.
pub(crate) struct Surroundings<'a> {
    pub(crate) database_url: &'a str,
    pub(crate) graph_url: &'a str,
    pub(crate) secrets: &'a std::path::Path,
    /// Where log lines go; `None` for our own standard error.
    pub(crate) log: Option<&'a File>,
}

impl Workers {
    pub(crate) fn start(names: &[&str], around: &Surroundings<'_>) -> Result<Self> {
        let mut workers = Self {
            children: Vec::new(),
        };
        for name in names {
            workers
                .children
                .push(spawn(name, around).wrap_err("a worker cannot be started")?);
        }
        Ok(workers)
    }

    /// Tells all of them to drain, and waits; whoever does not end is killed.
    pub(crate) fn stop(&mut self) {
        for child in &self.children {
            signal(child, Signal::TERM);
        }
        let deadline = Instant::now() + DRAIN + Duration::from_secs(3);
        for child in &mut self.children {
            while matches!(child.try_wait(), Ok(None)) {
                if Instant::now() > deadline {
                    signal(child, Signal::KILL);
                    // It cannot outlive SIGKILL; waiting takes its entry from the process table.
                    let _ = child.wait();
                    break;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        self.children.clear();
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop();
    }
}

fn signal(child: &Child, signal: Signal) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // A child that ended already needs no signal; its id is ours until it is waited for.
        let _ = kill_process(pid, signal);
    }
}

fn spawn(name: &str, around: &Surroundings<'_>) -> Result<Child> {
    let log = match around.log {
        Some(file) => Stdio::from(file.try_clone()?),
        None => Stdio::inherit(),
    };
    let child = Command::new(std::env::current_exe()?)
        .args([
            "worker", "work", "--name", name, "--slots", "4", "--lease", "10s", "--poll", "500ms",
        ])
        .args(["--drain-timeout", &format!("{}s", DRAIN.as_secs())])
        .args([
            "--graph-url",
            around.graph_url,
            "--graph-login-url",
            around.graph_url,
        ])
        .arg("--graph-secrets")
        .arg(around.secrets)
        .env("DATABASE_URL", around.database_url)
        .env(TIED, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(log)
        // Ctrl-C at the terminal is for the demo, which then stops its workers in order.
        .process_group(0)
        .spawn()?;
    Ok(child)
}

/// In a worker of a demo: drains when the pipe from the demo ends, and leaves if that takes too long.
pub(crate) fn end_with_our_parent() {
    if std::env::var_os(TIED).is_none() {
        return;
    }
    std::thread::spawn(|| {
        let mut nothing = [0; 16];
        while matches!(std::io::stdin().read(&mut nothing), Ok(read) if read > 0) {}
        // The database is going away, too: draining can only be tried.
        let _ = kill_process(getpid(), Signal::TERM);
        std::thread::sleep(Duration::from_secs(1));
        std::process::exit(0);
    });
}
