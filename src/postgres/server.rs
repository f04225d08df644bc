//! A running server as one process sees it: how to connect, and leaving or stopping it.
//! Not here: starting (`startup`).

use crate::ConnectionInfo;
use crate::error::StopError;
use crate::layout::Layout;
use crate::lock::Lock;
use crate::process;
use crate::program;
use crate::watcher::{PATIENCE, Participation};
use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// The server and its watcher are given this long to end, then it is an error.
const STOP_DEADLINE: Duration = Duration::from_secs(30);

/// A private server that runs at least as long as this value lives.
///
/// Dropping it leaves the server: an exclusive one is stopped, and so is a shared one after its
/// grace period if nobody else takes part. The same happens when this process dies, however.
#[derive(Debug)]
pub struct Server {
    connection: ConnectionInfo,
    pid: i32,
    part: Arc<Mutex<Option<Part>>>,
}

/// Everything that has to be given back.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) layout: Layout,
    pub(crate) server_uid: u32,
    pub(crate) exclusive: bool,
    /// `None`: the watcher is dead, and others use its server.
    pub(crate) participation: Option<Participation>,
    /// The watcher, if we launched it.
    pub(crate) watcher: Option<Child>,
    pub(crate) users: Lock,
}

impl Server {
    pub(crate) fn new(connection: ConnectionInfo, pid: i32, part: Part) -> Self {
        Self {
            connection,
            pid,
            part: Arc::new(Mutex::new(Some(part))),
        }
    }

    /// How to connect.
    #[must_use]
    pub fn connection(&self) -> &ConnectionInfo {
        &self.connection
    }

    /// The server's process.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// For a signal handler's thread or another task: leaves the server without owning it.
    #[must_use]
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle {
            part: Arc::downgrade(&self.part),
        }
    }

    /// Leaves the server now: an exclusive one has ended when this returns, a shared one lives on
    /// for the others. A second call, here or by a handle, does nothing.
    ///
    /// # Errors
    /// The server did not end in time.
    pub fn stop(&self) -> Result<(), StopError> {
        leave(&self.part)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(fault) = leave(&self.part) {
            tracing::error!(%fault, "leaving the private PostgreSQL server");
        }
    }
}

/// Stops the server from elsewhere. Cheap to clone; does not keep the server alive.
#[derive(Debug, Clone)]
pub struct StopHandle {
    part: Weak<Mutex<Option<Part>>>,
}

impl StopHandle {
    /// As [`Server::stop`]; does nothing when the server was left already.
    ///
    /// # Errors
    /// The server did not end in time.
    pub fn stop(&self) -> Result<(), StopError> {
        self.part.upgrade().map_or(Ok(()), |part| leave(&part))
    }
}

fn leave(part: &Mutex<Option<Part>>) -> Result<(), StopError> {
    // A thread that panicked while leaving changes nothing about what is left to do.
    let part = part.lock().unwrap_or_else(PoisonError::into_inner).take();
    part.map_or(Ok(()), Part::leave)
}

impl Part {
    fn leave(self) -> Result<(), StopError> {
        let watched = self
            .participation
            .as_ref()
            .is_some_and(Participation::is_watched);
        drop(self.participation);
        if self.exclusive {
            if let Some(mut watcher) = self.watcher {
                // Once the FIFO is closed the watcher stops the server and ends. If it does not,
                // it is reaped there and the server stopped here.
                let _ = program::wait(&mut watcher, PATIENCE * 2);
            }
            return stop_if_running(&self.layout, self.server_uid);
        }
        // Without a watcher the last one out stops the server; with one, it waits for more.
        if !watched && self.users.try_alone().unwrap_or(false) {
            return stop_if_running(&self.layout, self.server_uid);
        }
        reap_later(self.watcher);
        Ok(())
    }
}

fn stop_if_running(layout: &Layout, uid: u32) -> Result<(), StopError> {
    process::server_of(&layout.data(), uid)
        .map_or(Ok(()), |file| process::stop(file.pid, STOP_DEADLINE))
}

/// The watcher of a shared server ends some seconds after us or never: nobody waits for it here,
/// and a process that lives on should not keep its remains.
fn reap_later(watcher: Option<Child>) {
    if let Some(mut watcher) = watcher {
        std::thread::spawn(move || {
            let _ = watcher.wait();
        });
    }
}
