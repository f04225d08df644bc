//! A cron expression on a zone's clock: the instants at which a schedule fires.
//!
//! A schedule fires at the first instant at which the zone's clock shows a named time or a later one.
//! So a time that the clock skips fires once, at the end of the gap, together with all others the gap
//! took; a time that the clock shows twice fires once, the first time.

use super::cron::{Cron, CronError};
use super::zone::{UnknownZone, Zone};
use chrono::{DateTime, NaiveDateTime, SubsecRound as _, Utc};
use thiserror::Error;

/// When a schedule fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timetable {
    cron: Cron,
    zone: Zone,
}

/// One instant at which a schedule fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FireTime {
    /// The instant, in whole seconds.
    pub at: DateTime<Utc>,
    /// What the zone's clock shows then.
    pub local: NaiveDateTime,
    /// What a change of the clock makes of it.
    pub effect: Effect,
}

/// What a change of the clock makes of a fire time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// The clock skips the named time, given here; it fires at the end of the gap.
    Skipped(NaiveDateTime),
    /// The clock shows the named time twice; it fires the first time only.
    Twice,
}

/// Why there is no timetable.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TimetableError {
    /// The expression is none.
    #[error(transparent)]
    Cron(#[from] CronError),
    /// The zone is none.
    #[error(transparent)]
    Zone(#[from] UnknownZone),
}

impl TimetableError {
    /// What to write instead.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Cron(error) => error.remedy(),
            Self::Zone(error) => error.remedy(),
        }
    }

    /// The stable code a schedule shows for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Cron(_) => "schedule.cron_invalid",
            Self::Zone(_) => "schedule.zone_unknown",
        }
    }
}

impl Timetable {
    /// Of an expression and the IANA name of a zone.
    ///
    /// # Errors
    /// Where one of them is none.
    pub fn new(cron: &str, zone: &str) -> Result<Self, TimetableError> {
        Ok(Self {
            cron: cron.parse()?,
            zone: zone.parse()?,
        })
    }

    /// The zone whose clock counts.
    #[must_use]
    pub const fn zone(&self) -> Zone {
        self.zone
    }

    /// The expression.
    #[must_use]
    pub const fn cron(&self) -> &Cron {
        &self.cron
    }

    /// The first instant after `after` at which this fires; `None` where none comes within 41 years.
    #[must_use]
    pub fn after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        Some(self.named_after(after)?.1)
    }

    /// The fire times after `after`, with what changes of the clock make of them.
    pub fn times(&self, after: DateTime<Utc>) -> impl Iterator<Item = FireTime> {
        let mut last = after;
        std::iter::from_fn(move || {
            let (named, at) = self.named_after(last)?;
            last = at;
            let local = self.zone.shows(at);
            let effect = if local != named {
                Effect::Skipped(named)
            } else if self.zone.shows_again(at) {
                Effect::Twice
            } else {
                Effect::None
            };
            Some(FireTime { at, local, effect })
        })
    }

    fn named_after(&self, after: DateTime<Utc>) -> Option<(NaiveDateTime, DateTime<Utc>)> {
        let named = self
            .cron
            .next_after(self.zone.has_shown(after.trunc_subsecs(0)))?;
        Some((named, self.zone.reaches(named)))
    }
}
