//! The folders and files of one cluster, and a socket folder with a path short enough.
//!
//! `ROOT/postgres/NAME-MAJOR/` is ours: locks and the superuser's password. `server/` in it is the
//! server user's: data, log, FIFO. Where we are root we write nothing by name into the latter, so
//! that the server's user cannot make root follow a planted symlink.

use crate::checksum;
use crate::error::{IoContext, StartError};
use crate::owner::ServerUser;
use crate::reach;
use etcetera::base_strategy::{BaseStrategy, choose_base_strategy};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The smallest limit of all systems (macOS: 104 bytes with the closing zero).
const SOCKET_PATH_LIMIT: usize = 103;
/// The number in the socket's name. The folder is private, so it need not differ.
pub(crate) const PORT: u16 = 5432;

/// Where everything of one cluster is.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    cluster: PathBuf,
    pub(crate) socket_dir: PathBuf,
}

impl Layout {
    /// Creates the folders that are missing, with the right owners.
    pub(crate) fn create(
        root: &Path,
        name: &str,
        major: u32,
        user: &ServerUser,
    ) -> Result<Self, StartError> {
        let cluster = root.join("postgres").join(format!("{name}-{major}"));
        let shared = user.ids().is_some();
        let mode = if shared { 0o755 } else { 0o700 };
        reach::create_folders(&cluster, mode).during("creating", &cluster)?;
        let cluster = fs::canonicalize(&cluster).during("resolving", &cluster)?;
        if let Some((uid, gid)) = user.ids()
            && !reach::is_reachable(&cluster, uid, gid)
        {
            return Err(StartError::Unreachable {
                user: user.name().to_owned(),
                path: cluster,
            });
        }
        let server = cluster.join("server");
        private_folder(&server, user)?;
        let socket_dir = socket_dir(&server, user)?;
        Ok(Self {
            cluster,
            socket_dir,
        })
    }

    pub(crate) fn server(&self) -> PathBuf {
        self.cluster.join("server")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.server().join("data")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.server().join("server.log")
    }

    /// The FIFO that every participant holds open.
    pub(crate) fn fifo(&self) -> PathBuf {
        self.server().join("participants")
    }

    /// The folder in which the watcher acknowledges participants.
    pub(crate) fn acknowledged(&self) -> PathBuf {
        self.server().join("acknowledged")
    }

    /// Where the watcher puts the pid of what it launched.
    pub(crate) fn launched(&self) -> PathBuf {
        self.server().join("launched.pid")
    }

    pub(crate) fn start_lock(&self) -> PathBuf {
        self.cluster.join("start.lock")
    }

    pub(crate) fn users_lock(&self) -> PathBuf {
        self.cluster.join("users.lock")
    }

    pub(crate) fn password(&self) -> PathBuf {
        self.cluster.join("superuser.password")
    }

    pub(crate) fn cluster(&self) -> &Path {
        &self.cluster
    }
}

/// The data root: what was asked for, else XDG's, else (as root) a place the server can reach.
pub(crate) fn data_root(asked: Option<PathBuf>, user: &ServerUser) -> Result<PathBuf, StartError> {
    if let Some(root) = asked {
        return Ok(root);
    }
    let own = choose_base_strategy()
        .ok()
        .map(|xdg| xdg.data_dir().join("opsroom"));
    match user.ids() {
        None => own.ok_or(StartError::NoHome),
        Some((uid, gid)) => Ok(own
            .filter(|root| reach::is_reachable(root, uid, gid))
            .unwrap_or_else(|| PathBuf::from("/var/lib/opsroom"))),
    }
}

/// Below the cluster, else, where that path is too long, in the runtime or temporary folder.
fn socket_dir(server: &Path, user: &ServerUser) -> Result<PathBuf, StartError> {
    let usual = server.join("socket");
    if fits(&usual) {
        private_folder(&usual, user)?;
        return Ok(usual);
    }
    let name = format!(
        "opsroom-{}",
        checksum::short(server.as_os_str().as_bytes(), 12)
    );
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime = runtime.filter(|f| f.is_dir() && user.ids().is_none());
    for parent in runtime.into_iter().chain(["/tmp".into()]) {
        let folder = parent.join(&name);
        if !fits(&folder) {
            continue;
        }
        private_folder(&folder, user)?;
        return Ok(folder);
    }
    Err(StartError::SocketFolder {
        path: usual,
        why: "/tmp is of no use".to_owned(),
    })
}

fn fits(folder: &Path) -> bool {
    folder.as_os_str().len() + format!("/.s.PGSQL.{PORT}").len() <= SOCKET_PATH_LIMIT
}

/// Creates a folder of mode 0700 for the server's user, or makes sure that one which is there is
/// just that: names in /tmp can be guessed, and somebody may have been there first.
fn private_folder(path: &Path, user: &ServerUser) -> Result<(), StartError> {
    match fs::create_dir(path) {
        Ok(()) => {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))
                .during("setting the mode of", path)?;
            return user.takes(path);
        }
        Err(fault) if fault.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(fault) => return Err(fault).during("creating", path),
    }
    let about = fs::symlink_metadata(path).during("looking at", path)?;
    if about.is_dir()
        && about.uid() != user.uid()
        && about.uid() == rustix::process::geteuid().as_raw()
    {
        // Another process of ours has just made it, and is about to give it away.
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))
            .during("setting the mode of", path)?;
        return user.takes(path);
    }
    if !about.is_dir() || about.uid() != user.uid() {
        let whose = format!("it belongs to the user with id {}", about.uid());
        return Err(std::io::Error::other(whose)).during("using the folder", path);
    }
    if about.mode() & 0o777 != 0o700 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))
            .during("setting the mode of", path)?;
    }
    Ok(())
}
