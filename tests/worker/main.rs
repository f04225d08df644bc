//! The worker as people run it: real processes, killed, stopped and told to leave; its command line.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod command_line;
mod ends;
mod graph;
mod hardening;
mod help;
mod inventory;
mod keeping;
mod leaks;
mod metrics;
mod program;
mod schedules;
mod service;
mod settings;
