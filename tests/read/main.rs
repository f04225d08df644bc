//! Reading on a real database: what a filter finds, what a login may see, what is refused, and what
//! a page costs when it is asked for again.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where its world is not as it must be"
)]

mod cancelling;
#[allow(dead_code, reason = "the bench uses the rest")]
mod classes;
mod detail;
mod filters;
mod hardened;
mod headline;
mod language;
mod late;
mod logins;
mod notifications;
mod pages;
mod plans;
mod pooled;
mod rollups;
mod schedules;
mod schema;
mod seeded;
mod slices;
mod standby;
mod still;
mod times;
mod world;
