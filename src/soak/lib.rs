//! Breaks workers, networks and servers on purpose, and counts what that cost: one line a fault, each
//! figure against its bound.
//!
//! | module | one idea |
//! |---|---|
//! | [`faults`] | what is broken, one file each, and what must hold |
//! | [`report`] | figures, bounds, and the line they make |
//! | [`site`] | a database to break things at, and a record of endings that the engine does not write |
//! | [`process`] | worker processes: the real command line, with the jobs of this crate |
//! | [`jobs`] | operations that are easy to break |
//!
//! The same functions run in `cargo test` with few rounds and in `cargo soak` with all of them.

pub mod faults;
pub mod jobs;
pub mod process;
pub mod report;
pub mod site;

pub use faults::Fault;
pub use process::Program;
pub use report::{Extent, Verdict};
