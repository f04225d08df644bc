//! `cargo bench -p opsroom`: what the console costs, against what was promised of it, and exit code 1
//! where something is over its bound. An argument (`frames`, `terminal`) runs that part alone.
//!
//! | part | measures |
//! |---|---|
//! | [`frames`] | building a frame and comparing it with the one before, in this process |
//! | [`terminal`] | the real program in a pty, on a database that is reached through a proxy |
//!
//! Run it on a machine that does nothing else: the second part measures times of several processes.

#![allow(
    clippy::unwrap_used,
    reason = "a bench ends where its world is not as it must be"
)]

#[path = "benches/frames.rs"]
mod frames;
#[path = "benches/report.rs"]
mod report;
#[allow(dead_code, reason = "the tests use the rest")]
mod stage;
#[path = "benches/terminal.rs"]
mod terminal;

use report::Report;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let wanted = |part: &str| only.as_deref().is_none_or(|only| only == part);
    let mut report = Report::begin();
    if wanted("frames") {
        frames::measure(&mut report);
    }
    if wanted("terminal") {
        terminal::measure(&mut report).await;
    }
    report.end()
}
