//! Private clusters with real servers: their life, their end in every way, and who may use them.
//! Needs PostgreSQL binaries as the crate itself does; runs as root and as an ordinary user.

mod actor;
mod ends;
mod place;
mod recovery;
mod sharing;
mod starts;
