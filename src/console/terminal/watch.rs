//! Signals and the end of the terminal, each on a thread of its own: they must work whatever the
//! event loop is doing. An event stream on a dead terminal spins instead of ending, so the program
//! ends itself.

use super::guard;
use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGSTOP, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use std::io;
use std::sync::Arc;
use tokio::sync::Notify;

/// Watches for signals and for the terminal's end, as long as the program lives.
pub struct Watch {
    resumed: Arc<Notify>,
}

impl Watch {
    /// Begins to watch.
    ///
    /// # Errors
    /// Where signals cannot be caught or no thread can be had.
    pub fn begin() -> io::Result<Self> {
        let resumed = Arc::new(Notify::new());
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGCONT])?;
        let notify = Arc::clone(&resumed);
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                for signal in signals.forever() {
                    match signal {
                        SIGTSTP => {
                            let _ = guard::lend(stop);
                            notify.notify_one();
                        }
                        SIGCONT => notify.notify_one(),
                        ending => end(128 + ending),
                    }
                }
            })?;
        std::thread::Builder::new()
            .name("hangup".to_owned())
            .spawn(wait_for_hangup)?;
        Ok(Self { resumed })
    }

    /// Ends once the program was stopped and goes on: the screen must be drawn whole.
    pub async fn resumed(&self) {
        self.resumed.notified().await;
    }

    /// Stops the whole job, as the shell's ctrl-z does. Where there is no shell to come back from,
    /// nothing happens: a job that a shell can continue has a process group of its own, apart from
    /// that of the session's leader.
    pub fn suspend(&self) {
        let group = rustix::process::getpgrp();
        let is_a_job = rustix::process::getsid(None).is_ok_and(|session| session != group);
        if is_a_job {
            let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
        }
    }
}

/// Stops the process, and comes back only once it goes on: the signal is for this very thread, which
/// so cannot run ahead of it.
fn stop() {
    let _ = signal_hook::low_level::raise(SIGSTOP);
}

fn end(code: i32) -> ! {
    guard::give_back_for_good();
    std::process::exit(code);
}

/// Sleeps until the terminal behind the standard input is gone.
fn wait_for_hangup() {
    let stdin = io::stdin();
    loop {
        // No event is asked for: only the hang-up and errors are reported then.
        let mut watched = [PollFd::new(&stdin, PollFlags::empty())];
        match poll(&mut watched, None) {
            Ok(_) if !watched[0].revents().is_empty() => end(128 + SIGHUP),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}
