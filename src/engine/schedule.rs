//! Schedules: operations that start by themselves at times of a zone's clock.
//!
//! | module | one idea |
//! |---|---|
//! | [`cron`] | which times of the local clock an expression names |
//! | [`zone`] | a zone's clock: what it shows when, and the first instant it shows something |
//! | [`timetable`] | both together: the instants at which a schedule fires |
//! | [`missed`] | what becomes of fire times nobody was there for |
//! | [`scheduler`] | honours fire times, each at most once |
//! | `ledger` | what schedulers read and write |
//! | [`admin`] | adding, pausing, resuming and removing schedules |

pub mod admin;
pub mod cron;
mod ledger;
pub mod missed;
pub mod scheduler;
pub mod timetable;
pub mod zone;

pub use cron::{Cron, CronError};
pub use missed::Missed;
pub use scheduler::{Round, Scheduler};
pub use timetable::{Effect, FireTime, Timetable, TimetableError};
pub use zone::{UnknownZone, Zone};
