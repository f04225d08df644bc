//! What a person sees while it takes long: one line a step on standard error, with the time it took
//! where that is worth a mention.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Announces steps and, on a terminal, a running count within a step.
pub(crate) struct Progress {
    begun: Instant,
    shown: Option<Instant>,
    /// Since when the step counts, and from where.
    counting: Option<(Instant, u64)>,
    live: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            begun: Instant::now(),
            shown: None,
            counting: None,
            live: std::io::stderr().is_terminal(),
        }
    }

    /// A step begins.
    pub(crate) fn step(&self, what: &str) {
        let _ = writeln!(
            std::io::stderr(),
            "{:>5.1} s  {what}",
            self.begun.elapsed().as_secs_f64()
        );
    }

    /// A long step goes on: how far, how fast, how much longer. Shown five times a second at most on
    /// a terminal, else every ten seconds.
    pub(crate) fn count(&mut self, what: &str, done: u64, total: u64) {
        let (began, first) = *self.counting.get_or_insert((Instant::now(), done));
        let pause = Duration::from_millis(if self.live { 200 } else { 10_000 });
        let due = self.shown.is_none_or(|at| at.elapsed() > pause);
        if due || done == total {
            self.shown = Some(Instant::now());
            let rate = (done - first) as f64 / began.elapsed().as_secs_f64().max(0.001);
            let left = (total - done) as f64 / rate.max(1.0);
            let pace = if done == total || rate < 1.0 {
                String::new()
            } else {
                format!(", {rate:.0} a second, {left:.0} s to go")
            };
            let line = format!(
                "{:>5.1} s  {what}: {done} of {total} ({} %){pace}",
                self.begun.elapsed().as_secs_f64(),
                done * 100 / total.max(1)
            );
            if self.live {
                let _ = write!(std::io::stderr(), "\r{line}\x1b[K");
            } else {
                let _ = writeln!(std::io::stderr(), "{line}");
            }
            if done == total {
                self.counting = None;
                self.shown = None;
                if self.live {
                    let _ = writeln!(std::io::stderr());
                }
            }
            // A closed terminal is noticed elsewhere.
            let _ = std::io::stderr().flush();
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}
