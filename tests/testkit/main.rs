//! The test kit itself: databases, proxy and terminal do what the other tests rely on.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod databases;
mod faults;
mod terminals;
