//! Looking at and signalling a server that may not be our child: is it alive, is it ours, stop it.
//! Pids are recycled, so a number in a file proves nothing by itself.

use crate::error::StopError;
use crate::pidfile::PidFile;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(5);

/// Whether `pid` runs. A zombie does not.
pub(crate) fn is_alive(pid: i32) -> bool {
    let Some(id) = Pid::from_raw(pid) else {
        return false;
    };
    match test_kill_process(id) {
        Ok(()) | Err(rustix::io::Errno::PERM) => state(pid).is_some_and(|state| state != 'Z'),
        Err(_) => false,
    }
}

/// The running server of the data folder, if `postmaster.pid` names one that really is it.
pub(crate) fn server_of(data: &Path, uid: u32) -> Option<PidFile> {
    PidFile::read(data).filter(|file| is_alive(file.pid) && serves(file.pid, data, uid))
}

/// Whether process `pid` is a postmaster on `data`: it works in that folder. Where the system does
/// not show us that (containers without ptrace), a `postgres` of the right user is believed.
fn serves(pid: i32, data: &Path, uid: u32) -> bool {
    let process = format!("/proc/{pid}");
    let process = Path::new(&process);
    if !process.exists() {
        return command_of(pid).is_some_and(|command| command.contains("postgres"));
    }
    match fs::read_link(process.join("cwd")) {
        Ok(cwd) => fs::canonicalize(data).is_ok_and(|data| data == cwd),
        Err(fault) if fault.kind() == io::ErrorKind::PermissionDenied => {
            fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim() == "postgres")
                && fs::metadata(process).is_ok_and(|about| about.uid() == uid)
        }
        Err(_) => false,
    }
}

/// Stops the server `pid`: fast (SIGINT), after half of `patience` immediately (SIGQUIT). Stopping
/// one that has ended is no error.
pub(crate) fn stop(pid: i32, patience: Duration) -> Result<(), StopError> {
    for signal in [Signal::INT, Signal::QUIT] {
        if let Some(id) = Pid::from_raw(pid) {
            // It may be gone already; that is what the wait finds out.
            let _ = kill_process(id, signal);
        }
        if until(Instant::now() + patience / 2, || !is_alive(pid)) {
            return Ok(());
        }
    }
    Err(StopError::Deadline {
        pid,
        waited: patience,
    })
}

/// Waits until `done` or the deadline; says whether it was done.
pub(crate) fn until(deadline: Instant, mut done: impl FnMut() -> bool) -> bool {
    loop {
        if done() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(TICK);
    }
}

/// The process's state letter: from /proc, else from `ps`.
fn state(pid: i32) -> Option<char> {
    if let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) {
        return stat.rsplit(')').next()?.trim_start().chars().next();
    }
    if Path::new("/proc/self/stat").exists() {
        return None;
    }
    ps(pid, "stat=")?.chars().next()
}

fn command_of(pid: i32) -> Option<String> {
    ps(pid, "command=")
}

fn ps(pid: i32, column: &str) -> Option<String> {
    let mut ps = Command::new("ps");
    ps.args(["-o", column, "-p", &pid.to_string()]);
    let text = crate::program::run(&mut ps, Duration::from_secs(5)).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
