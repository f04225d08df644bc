//! A pgbouncer in transaction mode before a test's server: real, and the test's own.
//!
//! It is the machine's where there is one, else Debian's package, fetched with `apt-get` into the cache
//! of fetched binaries and unpacked there: nothing is installed, and no rights are needed.

use crate::{TestDatabase, TestkitError};
use opsroom_postgres::{ConnectionInfo, Fetching, Search};
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long it may take until it answers, on a busy machine.
const READY: Duration = Duration::from_secs(20);
/// The number in its socket's name.
const PORT: u16 = 6432;
/// What of Debian is needed: the program, and the one library that PostgreSQL does not need, too.
const PACKAGES: [&str; 2] = ["pgbouncer", "libc-ares2"];
/// Where it is in the package, and in Debian.
const PROGRAM: &str = "usr/sbin/pgbouncer";

/// A running pgbouncer; it ends with this value.
#[derive(Debug)]
pub struct Pooler {
    process: Child,
    folder: tempfile::TempDir,
}

impl Pooler {
    /// Starts one before the database's server, in transaction mode, with `connections` to the server
    /// for each login. Only `logins` are let in, without a password, each as itself.
    ///
    /// # Errors
    /// There is none and none could be fetched, or it does not start.
    pub async fn before(
        database: &TestDatabase,
        logins: &[&str],
        connections: u16,
    ) -> Result<Self, TestkitError> {
        let server = database.server().connection().clone();
        let users: String = logins
            .iter()
            .map(|login| format!("\"{login}\" \"\"\n"))
            .collect();
        tokio::task::spawn_blocking(move || start(&server, &users, connections)).await?
    }

    /// The URL of a login in this database by way of the pooler.
    #[must_use]
    pub fn url(&self, database: &TestDatabase, login: &str) -> String {
        let folder = self.folder.path().display();
        let name = database.name();
        format!("postgres:///{name}?host={folder}&port={PORT}&user={login}")
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing of it is left.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn start(server: &ConnectionInfo, users: &str, connections: u16) -> Result<Pooler, TestkitError> {
    let program = program()?;
    let fault = |what| move |source| TestkitError::Io { what, source };
    let folder = tempfile::Builder::new()
        .prefix("opsroom-pooler-")
        .tempdir()
        .map_err(fault("making the pooler's folder"))?;
    let place = folder.path();
    let settings = format!(
        "[databases]\n* = host={socket} port={port}\n\n[pgbouncer]\nlisten_addr =\nlisten_port = {PORT}\n\
         unix_socket_dir = {place}\nauth_type = trust\nauth_file = {place}/users\nlogfile = {place}/log\n\
         pool_mode = transaction\ndefault_pool_size = {connections}\nmax_client_conn = 200\n",
        socket = server.socket_dir().display(),
        port = server.port(),
        place = place.display(),
    );
    // As the server's user: it alone reaches the server's socket, and pgbouncer does not run as root.
    let owner =
        fs::metadata(server.socket_dir()).map_err(fault("looking at the server's socket"))?;
    let write = |name: &str, text: &str| -> io::Result<()> {
        fs::write(place.join(name), text)?;
        chown(place.join(name), Some(owner.uid()), Some(owner.gid()))
    };
    write("settings", &settings)
        .and_then(|()| write("users", users))
        .and_then(|()| chown(place, Some(owner.uid()), Some(owner.gid())))
        .map_err(fault("writing the pooler's settings"))?;
    let mut command = Command::new(&program);
    command
        .arg("-q")
        .arg(place.join("settings"))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(libraries) = libraries_of(&program) {
        command.env("LD_LIBRARY_PATH", libraries);
    }
    if rustix::process::geteuid().is_root() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    let process = command.spawn().map_err(fault("starting pgbouncer"))?;
    let mut pooler = Pooler { process, folder };
    await_ready(&mut pooler)?;
    Ok(pooler)
}

fn await_ready(pooler: &mut Pooler) -> Result<(), TestkitError> {
    let socket = pooler.folder.path().join(format!(".s.PGSQL.{PORT}"));
    let began = Instant::now();
    while UnixStream::connect(&socket).is_err() {
        let ended = pooler.process.try_wait().ok().flatten();
        if ended.is_some() || began.elapsed() > READY {
            let log = fs::read_to_string(pooler.folder.path().join("log"));
            return Err(TestkitError::Deadline {
                what: "pgbouncer answers".to_owned(),
                seconds: began.elapsed().as_secs_f64(),
                seen: format!(": {ended:?} {}", log.unwrap_or_default()),
            });
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// The machine's, else a fetched one.
fn program() -> Result<PathBuf, TestkitError> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let installed = std::env::split_paths(&on_path)
        .map(|folder| folder.join("pgbouncer"))
        .chain([Path::new("/").join(PROGRAM)])
        .find(|program| program.is_file());
    match installed {
        Some(program) => Ok(program),
        None => fetched(),
    }
}

/// Where a fetched one finds its libraries.
fn libraries_of(program: &Path) -> Option<PathBuf> {
    let root = program.ancestors().nth(3)?;
    let libraries = fs::read_dir(root.join("usr/lib")).ok()?;
    let has_library = |folder: &PathBuf| folder.join("libcares.so.2").exists();
    (root != Path::new("/"))
        .then(|| {
            libraries
                .flatten()
                .map(|entry| entry.path())
                .find(has_library)
        })
        .flatten()
}

/// Fetches it once; whoever comes first wins.
fn fetched() -> Result<PathBuf, TestkitError> {
    let Fetching::Into(cache) = Search::from_env().fetching else {
        return Err(none("there is no cache folder: set OPSROOM_CACHE_DIR"));
    };
    let place = cache.join("pgbouncer");
    let program = place.join(PROGRAM);
    if program.is_file() {
        return Ok(program);
    }
    let fault = |what| move |source| TestkitError::Io { what, source };
    fs::create_dir_all(&cache).map_err(fault("creating the cache folder"))?;
    let temp = tempfile::Builder::new()
        .prefix(".fetching-")
        .tempdir_in(&cache)
        .map_err(fault("creating a folder in the cache"))?;
    // The server's user has to get at it, too.
    fs::set_permissions(temp.path(), fs::Permissions::from_mode(0o755))
        .map_err(fault("setting permissions in the cache"))?;
    let unpacked = temp.path().join("unpacked");
    download(temp.path())?;
    let archives = fs::read_dir(temp.path()).map_err(fault("reading the cache"))?;
    for archive in archives.flatten().map(|entry| entry.path()) {
        if archive.extension().is_some_and(|ending| ending == "deb") {
            run(Command::new("dpkg").arg("-x").arg(&archive).arg(&unpacked))?;
        }
    }
    match fs::rename(&unpacked, &place) {
        Err(_) if program.is_file() => {}
        renamed => renamed.map_err(fault("renaming a folder in the cache"))?,
    }
    Ok(program)
}

/// `apt-get` knows where from and checks the signature. Where the machine has no lists of packages
/// yet, they are fetched beside the package, and forgotten with it.
fn download(folder: &Path) -> Result<(), TestkitError> {
    let state = folder.join("state");
    let apt = |private: bool, words: &[&str]| {
        let mut command = Command::new("apt-get");
        command.arg("-qq").args(["-o", "APT::Sandbox::User=root"]);
        if private {
            for (option, below) in [("Dir::State", ""), ("Dir::Cache", "cache")] {
                let value = state.join(below);
                command
                    .arg("-o")
                    .arg(format!("{option}={}", value.display()));
            }
        }
        run(command.args(words).current_dir(folder))
    };
    let wanted = [&["download"], PACKAGES.as_slice()].concat();
    if apt(false, &wanted).is_ok() {
        return Ok(());
    }
    fs::create_dir_all(state.join("lists/partial"))
        .and_then(|()| fs::create_dir_all(state.join("cache/archives/partial")))
        .map_err(|source| TestkitError::Io {
            what: "creating a folder in the cache",
            source,
        })?;
    apt(true, &["update"])?;
    apt(true, &wanted)
}

fn run(command: &mut Command) -> Result<(), TestkitError> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|source| none(&format!("{:?}: {source}", command.get_program())))?;
    if output.status.success() {
        return Ok(());
    }
    Err(none(&String::from_utf8_lossy(&output.stderr)))
}

fn none(why: &str) -> TestkitError {
    TestkitError::NoPooler(why.trim().to_owned())
}
