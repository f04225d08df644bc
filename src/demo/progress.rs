//! What a person sees while it takes long: one line a step on standard error, with the time it took
//! where that is worth a mention.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Announces steps and, on a terminal, a running count within a step.
pub(crate) struct Progress {
    begun: Instant,
    shown: Option<Instant>,
    live: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            begun: Instant::now(),
            shown: None,
            live: std::io::stderr().is_terminal(),
        }
    }

    /// A step begins.
    pub(crate) fn step(&self, what: &str) {
        eprintln!("{:>5.1} s  {what}", self.begun.elapsed().as_secs_f64());
    }

    /// A long step goes on; shown five times a second at most, and only on a terminal.
    pub(crate) fn count(&mut self, what: &str, done: u64, total: u64) {
        let due = self
            .shown
            .is_none_or(|at| at.elapsed() > Duration::from_millis(200));
        if self.live && (due || done == total) {
            self.shown = Some(Instant::now());
            eprint!(
                "\r{:>5.1} s  {what}: {done} of {total} ({} %)\x1b[K",
                self.begun.elapsed().as_secs_f64(),
                done * 100 / total.max(1)
            );
            if done == total {
                eprintln!();
            }
            // A closed terminal is noticed elsewhere.
            let _ = std::io::stderr().flush();
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}
