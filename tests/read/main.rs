//! Reading on a real database: what a filter finds, what a login may see, what is refused, and what
//! a page costs when it is asked for again.

mod cancelling;
mod detail;
mod filters;
mod headline;
mod logins;
mod pages;
mod schema;
mod world;
