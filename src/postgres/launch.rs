//! Launching the server through its watcher and awaiting readiness.
//! Not here: whether it may be launched (`startup`), what the watcher does (`watcher`).

use crate::error::StartError;
use crate::layout::PORT;
use crate::pidfile::PidFile;
use crate::settings::{Durability, Sharing, Step};
use crate::startup::Startup;
use crate::watcher::{self, Participation};
use crate::{process, program};
use rustix::fs::OFlags;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// How much of the log an error shows, in bytes from its end.
const LOG_TAIL: usize = 2_000;
/// A killed server's backends may need a moment to notice, and PostgreSQL refuses to start on them.
const LEFTOVERS: &str = "pre-existing shared memory block";

/// A ready server.
pub(crate) struct Launched {
    pub(crate) file: PidFile,
    pub(crate) participation: Participation,
    pub(crate) watcher: Child,
}

/// Launches the server and waits until it is ready.
pub(crate) fn launch(startup: &mut Startup<'_>) -> Result<Launched, StartError> {
    loop {
        let fault = match launch_once(startup) {
            Ok(launched) => return Ok(launched),
            Err(fault) => fault,
        };
        let again = matches!(&fault, StartError::NotReady { tail, .. } if tail.contains(LEFTOVERS));
        if !again || Instant::now() >= startup.deadline {
            return Err(fault);
        }
        (startup.progress)(&Step::Recovering {
            what: "the killed server's last backends end",
        });
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn launch_once(startup: &mut Startup<'_>) -> Result<Launched, StartError> {
    (startup.progress)(&Step::Starting {
        major: startup.binaries.major(),
    });
    let grace = match startup.cluster.sharing {
        Sharing::Exclusive => Duration::ZERO,
        Sharing::Shared { grace } => grace,
    };
    let command = server_command(startup);
    let mut watcher = watcher::launch(&startup.layout, &startup.user, grace, &command)?;
    let joined = Participation::join(&startup.layout, startup.deadline, Some(&mut watcher));
    let outcome = match joined {
        Some(participation) => await_ready(startup).map(|file| (file, participation)),
        None => Err("could not be launched".to_owned()),
    };
    match outcome {
        Ok((file, participation)) => Ok(Launched {
            file,
            participation,
            watcher,
        }),
        Err(what) => {
            // The participation is closed by now, so the watcher ends and takes the server along.
            let _ = program::wait(&mut watcher, watcher::PATIENCE);
            let log = startup.layout.log();
            let tail = tail_of(&log);
            Err(StartError::NotReady { what, log, tail })
        }
    }
}

/// Waits for the eighth line of `postmaster.pid` and for the socket.
fn await_ready(startup: &Startup<'_>) -> Result<PidFile, String> {
    let (data, uid) = (startup.layout.data(), startup.user.uid());
    let socket = startup.layout.socket_dir.join(format!(".s.PGSQL.{PORT}"));
    // Written before our join was answered.
    let launched = std::fs::read_to_string(startup.layout.launched()).unwrap_or_default();
    let launched: Option<i32> = launched.trim().parse().ok();
    let mut ready = None;
    let mut ended = false;
    process::until(startup.deadline, || {
        ready = process::server_of(&data, uid).filter(|file| file.ready && socket.exists());
        ended = ready.is_none() && launched.is_some_and(|pid| !process::is_alive(pid));
        ready.is_some() || ended
    });
    ready.ok_or_else(|| match ended {
        true => "ended while it was starting".to_owned(),
        false => format!(
            "was not ready within {} s",
            startup.cluster.deadline.as_secs()
        ),
    })
}

/// `postgres` with every setting on its command line: those of a kept data folder never matter.
fn server_command(startup: &Startup<'_>) -> Command {
    let cluster = startup.cluster;
    let mut server = Command::new(startup.binaries.program("postgres"));
    server.arg("-D").arg(startup.layout.data());
    let mut set = |name: &str, value: OsString| {
        let mut setting = OsString::from(format!("{name}="));
        setting.push(value);
        server.arg("-c").arg(setting);
    };
    set("listen_addresses", "".into());
    set(
        "unix_socket_directories",
        quoted(&startup.layout.socket_dir),
    );
    set("unix_socket_permissions", "0700".into());
    set("port", PORT.to_string().into());
    set(
        "max_connections",
        cluster.max_connections.to_string().into(),
    );
    set("timezone", "UTC".into());
    set("log_timezone", "UTC".into());
    set("logging_collector", "off".into());
    if cluster.durability == Durability::TestOnly {
        for name in ["fsync", "synchronous_commit", "full_page_writes"] {
            set(name, "off".into());
        }
    }
    for (name, value) in &cluster.settings {
        set(name, value.into());
    }
    server
}

/// This setting is a list; quoted, a folder's commas and blanks are its own.
fn quoted(folder: &Path) -> OsString {
    format!("\"{}\"", folder.to_string_lossy().replace('"', "\"\"")).into()
}

fn tail_of(log: &Path) -> String {
    let flags = OFlags::NOFOLLOW.bits().cast_signed();
    let mut bytes = Vec::new();
    if let Ok(mut file) = OpenOptions::new().read(true).custom_flags(flags).open(log) {
        // What was read until an error is still worth showing.
        let _ = file.read_to_end(&mut bytes);
    }
    program::tail(&String::from_utf8_lossy(&bytes), LOG_TAIL).to_owned()
}
