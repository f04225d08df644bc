//! The engine against a real PostgreSQL: what must hold whoever writes, races and dies.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod application;
mod attacks;
mod batches;
mod boundary;
mod claims;
mod counted;
mod drains;
mod entitled;
mod fences;
mod guard;
mod hardened;
mod hot;
mod items;
mod jobs;
mod limits;
mod migrations;
mod notices;
mod outages;
mod read_only;
mod record;
mod recounts;
mod retention;
mod retries;
mod rollups;
mod schedules;
mod scripted;
mod shapes;
mod start;
mod trail;
mod visibility;
