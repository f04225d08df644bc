//! As whom the server runs, and giving files to that user.
//! PostgreSQL refuses to run as root, so root runs it as `postgres`, else as `nobody`.

use crate::error::{IoContext, StartError};
use crate::program;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The user whose processes and files the cluster's are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ServerUser {
    /// We ourselves, an ordinary user.
    Ourselves,
    /// We are root; another user.
    Other {
        name: &'static str,
        uid: u32,
        gid: u32,
    },
}

impl ServerUser {
    pub(crate) fn choose() -> Result<Self, StartError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Ourselves);
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| {
                let (uid, gid) = (id_of(name, "-u")?, id_of(name, "-g")?);
                (uid != 0).then_some(Self::Other { name, uid, gid })
            })
            .ok_or(StartError::NoServerUser)
    }

    /// User and group id, where they are not ours.
    pub(crate) fn ids(&self) -> Option<(u32, u32)> {
        match self {
            Self::Ourselves => None,
            Self::Other { uid, gid, .. } => Some((*uid, *gid)),
        }
    }

    pub(crate) fn uid(&self) -> u32 {
        self.ids()
            .map_or_else(|| rustix::process::geteuid().as_raw(), |(uid, _)| uid)
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Ourselves => "(ourselves)",
            Self::Other { name, .. } => name,
        }
    }

    /// Lets `command` run as this user; supplementary groups are dropped with it. Nothing of our
    /// environment that could change PostgreSQL's behaviour goes along.
    pub(crate) fn runs(&self, command: &mut Command) {
        if let Some((uid, gid)) = self.ids() {
            command.uid(uid).gid(gid);
        }
        command.env_clear().env("LC_ALL", "C");
        for kept in ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
    }

    /// Gives a file or folder to this user.
    pub(crate) fn takes(&self, path: &Path) -> Result<(), StartError> {
        match self.ids() {
            None => Ok(()),
            Some((uid, gid)) => {
                chown(path, Some(uid), Some(gid)).during("giving the server's user", path)
            }
        }
    }
}

/// `id` knows every source of users, not only /etc/passwd.
fn id_of(name: &str, which: &str) -> Option<u32> {
    let mut id = Command::new("id");
    id.args([which, name]);
    program::run(&mut id, Duration::from_secs(10))
        .ok()?
        .trim()
        .parse()
        .ok()
}
