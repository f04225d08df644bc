//! The process that outlives us and stops the server (see `watcher.sh`), and taking part in it.
//!
//! Why a shell: binding a child's life to ours without `unsafe` leaves no prctl, tests cannot count
//! on a program of ours being built, and /bin/sh is everywhere. Killing the watcher itself loses
//! only the automatic stop: the last participant to leave stops the server, or the next start does.

use crate::error::{IoContext, StartError};
use crate::layout::Layout;
use crate::owner::ServerUser;
use crate::process;
use rustix::fs::OFlags;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const SCRIPT: &str = include_str!("watcher.sh");
/// What a list of processes shows of it, beside the cluster's paths.
const NAME: &str = "opsroom-postgres-watcher";

/// How long a watcher lets a fast shutdown last, in seconds. Then it is an immediate one.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Launches a watcher that will start `server` for the first participant.
pub(crate) fn launch(
    layout: &Layout,
    user: &ServerUser,
    grace: Duration,
    server: &Command,
) -> Result<Child, StartError> {
    let answers = layout.acknowledged();
    remove(&layout.fifo())?;
    remove(&layout.launched())?;
    let _ = fs::remove_dir_all(&answers);
    fs::create_dir(&answers).during("creating", &answers)?;
    user.takes(&answers)?;
    let mut watcher = Command::new("/bin/sh");
    watcher
        .args(["-s", NAME])
        .arg(layout.fifo())
        .arg(&answers)
        .arg(layout.log())
        .arg(layout.launched())
        .arg(grace.as_secs().to_string())
        .arg(PATIENCE.as_secs().to_string())
        .arg(server.get_program())
        .args(server.get_args());
    user.runs(&mut watcher);
    let failed = "launching /bin/sh in";
    let mut child = watcher
        .current_dir(layout.server())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A group of its own, the server with it: Ctrl-C in our terminal is not for them.
        .process_group(0)
        .spawn()
        .during(failed, layout.cluster())?;
    // Far smaller than a pipe's buffer: it is there as a whole, or the watcher ends at once.
    let script = child.stdin.take();
    let written = script.map_or(Ok(()), |mut script| script.write_all(SCRIPT.as_bytes()));
    written.during(failed, layout.cluster())?;
    Ok(child)
}

fn remove(path: &std::path::Path) -> Result<(), StartError> {
    match fs::remove_file(path) {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => {
            Err(fault).during("removing", path)
        }
        _ => Ok(()),
    }
}

/// Our part in keeping the server alive: the open write end. Closed by dropping it or by any death.
#[derive(Debug)]
pub(crate) struct Participation {
    fifo: File,
}

impl Participation {
    /// Joins. `None`: there is no watcher, or it is stopping the server, or it did not answer
    /// before the deadline.
    ///
    /// `launched`: a watcher that may not have opened its end yet; it is awaited while it lives.
    pub(crate) fn join(
        layout: &Layout,
        deadline: Instant,
        mut launched: Option<&mut Child>,
    ) -> Option<Self> {
        let mut fifo = None;
        process::until(deadline, || {
            fifo = open(&layout.fifo()).ok();
            let coming = launched
                .as_mut()
                .is_some_and(|child| matches!(child.try_wait(), Ok(None)));
            fifo.is_some() || !coming
        });
        let mut joined = Self { fifo: fifo? };
        let token = token();
        joined
            .fifo
            .write_all(format!("{token}\n").as_bytes())
            .ok()?;
        let answer = layout.acknowledged().join(token);
        let answered = process::until(deadline, || answer.exists() || !joined.is_watched());
        // Whether or not it can be removed, it is never looked at again.
        let _ = fs::remove_file(&answer);
        (answered && joined.is_watched()).then_some(joined)
    }

    /// Whether the watcher still reads. An empty line asks for nothing; without a reader it fails.
    pub(crate) fn is_watched(&self) -> bool {
        (&self.fifo).write_all(b"\n").is_ok()
    }
}

/// Opens the write end; fails at once when nobody reads.
fn open(path: &PathBuf) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed();
    let file = OpenOptions::new()
        .write(true)
        .custom_flags(flags)
        .open(path)?;
    if file.metadata()?.file_type().is_fifo() {
        return Ok(file);
    }
    Err(io::Error::other("not a FIFO"))
}

/// A name no other join has, in this process or in another.
fn token() -> String {
    static JOINS: AtomicU64 = AtomicU64::new(0);
    let moment = std::time::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default()
        .as_nanos();
    format!(
        "{}-{}-{moment}",
        std::process::id(),
        JOINS.fetch_add(1, Ordering::Relaxed)
    )
}
