//! A data root for one test, and looking at processes from outside.

use opsroom_postgres::{Cluster, Durability};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A data root that the server's user can reach, removed with the test.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("opsroom-pg-")
            .tempdir()
            .unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn cluster(&self) -> Cluster {
        cluster_at(self.path())
    }

    /// The one data folder in it.
    pub(crate) fn data(&self) -> PathBuf {
        let mut clusters = fs::read_dir(self.path().join("postgres")).unwrap();
        clusters.next().unwrap().unwrap().path().join("server/data")
    }
}

pub(crate) fn cluster_at(root: &Path) -> Cluster {
    Cluster::named("t")
        .data_root(root)
        .durability(Durability::TestOnly)
}

/// Waits for `done`, or fails with `what`.
pub(crate) fn within(seconds: u64, what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !done() {
        assert!(Instant::now() < deadline, "not within {seconds} s: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The running processes whose command line mentions `root`: server, watcher, whatever else.
pub(crate) fn processes_of(root: &Path) -> Vec<String> {
    let root = root.to_str().unwrap();
    let ours = std::process::id().to_string();
    let list = std::process::Command::new("ps")
        .args(["-eww", "-o", "pid=,args="])
        .output()
        .unwrap();
    String::from_utf8_lossy(&list.stdout)
        .lines()
        .filter(|line| line.contains(root) && !line.trim().starts_with(&ours))
        .map(str::to_owned)
        .collect()
}

pub(crate) fn kill(pid: impl ToString, signal: &str) {
    let status = std::process::Command::new("kill")
        .args([signal, &pid.to_string()])
        .status();
    assert!(status.unwrap().success());
}

/// Who a process runs as.
pub(crate) fn uid_of(pid: i32) -> u32 {
    let list = std::process::Command::new("ps")
        .args(["-o", "uid=", "-p", &pid.to_string()])
        .output()
        .unwrap();
    String::from_utf8_lossy(&list.stdout)
        .trim()
        .parse()
        .unwrap()
}

pub(crate) fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}
