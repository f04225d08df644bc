//! Private clusters with real servers: their life, their end in every way, and who may use them.
//! Needs PostgreSQL binaries as the crate itself does; runs as root and as an ordinary user.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, in its supporting functions too"
)]

mod actor;
mod ends;
mod place;
mod recovery;
mod sharing;
mod starts;
