//! The Graph client against the simulator, over real sockets on 127.0.0.1.

#![expect(clippy::expect_used, reason = "a test that cannot go on says so")]

mod documents;
mod failures;
mod faults;
mod listing;
mod redaction;
mod served;
mod tokens;
