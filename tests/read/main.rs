//! Reading on a real database: what a filter finds, what a login may see, what is refused, and what
//! a page costs when it is asked for again.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where its world is not as it must be"
)]

mod cancelling;
mod detail;
mod filters;
mod hardened;
mod headline;
mod late;
mod logins;
mod pages;
mod pooled;
mod schema;
mod standby;
mod times;
mod world;
