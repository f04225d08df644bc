//! What time it is, by this machine and by the database, and how a person wants times written.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

const MINUTE: TimeDelta = TimeDelta::minutes(1);

/// How far the minute has gone.
fn into_minute(now: DateTime<Utc>) -> TimeDelta {
    TimeDelta::milliseconds(now.timestamp_millis().rem_euclid(60_000))
}

/// How times are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeMode {
    /// How long ago.
    Relative,
    /// The time of day here.
    Local,
    /// The time of day in UTC.
    Utc,
}

impl TimeMode {
    /// The one after this.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Relative => Self::Local,
            Self::Local => Self::Utc,
            Self::Utc => Self::Relative,
        }
    }

    /// What to call it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Relative => "times: how long ago",
            Self::Local => "times: local",
            Self::Utc => "times: UTC",
        }
    }
}

/// The time, injected.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// By this machine.
    pub now: DateTime<Utc>,
    /// How times are shown.
    pub mode: TimeMode,
    /// What a moment is called here.
    pub local: fn(DateTime<Utc>) -> NaiveDateTime,
    ahead: TimeDelta,
    frozen: Option<DateTime<Utc>>,
}

impl Clock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn new(now: DateTime<Utc>, local: fn(DateTime<Utc>) -> NaiveDateTime) -> Self {
        Self {
            now,
            mode: TimeMode::Relative,
            local,
            ahead: TimeDelta::zero(),
            frozen: None,
        }
    }

    /// The database's time; in time travel, that of the moment shown.
    #[must_use]
    pub fn db_now(&self) -> DateTime<Utc> {
        self.frozen.unwrap_or_else(|| self.db_time())
    }

    /// The database's time, whatever moment is shown.
    #[must_use]
    pub fn db_time(&self) -> DateTime<Utc> {
        self.now + self.ahead
    }

    /// Makes ages those of an earlier moment, or of now again.
    pub fn freeze(&mut self, at: Option<DateTime<Utc>>) {
        self.frozen = at;
    }

    /// How long ago `at` was. From a minute on it is counted to the last full minute, so that all ages
    /// on a screen change together, once a minute, and nothing is written in between.
    #[must_use]
    pub fn since(&self, at: DateTime<Utc>) -> TimeDelta {
        let now = self.db_now();
        let exact = now - at;
        if exact < MINUTE {
            return exact.max(TimeDelta::zero());
        }
        (exact - into_minute(now)).max(MINUTE)
    }

    /// How long it is until `due`, by the same rule.
    #[must_use]
    pub fn until(&self, due: DateTime<Utc>) -> TimeDelta {
        let now = self.db_now();
        let exact = due - now;
        if exact < MINUTE {
            return TimeDelta::seconds(exact.num_seconds().max(0));
        }
        TimeDelta::minutes((exact + into_minute(now)).num_minutes())
    }

    /// True where times are shown as how long ago.
    #[must_use]
    pub fn shows_ages(&self) -> bool {
        self.mode == TimeMode::Relative
    }

    /// A moment for a column: how long ago, or when, at most eleven columns.
    #[must_use]
    pub fn moment(&self, at: DateTime<Utc>) -> String {
        match self.mode {
            TimeMode::Relative => crate::lapse::age(self.since(at)),
            _ => self.stamp(at),
        }
    }

    /// Learns from an answer what time it is there. Small differences are the way the answer took,
    /// and would make ages jump.
    pub fn learn(&mut self, as_of: DateTime<Utc>) {
        let ahead = as_of - self.now;
        if (ahead - self.ahead).abs() > TimeDelta::milliseconds(1500) {
            self.ahead = ahead;
        }
    }

    /// A moment with its time of day; the day, too, where it is not today.
    #[must_use]
    pub fn stamp(&self, at: DateTime<Utc>) -> String {
        let (at, now) = match self.mode {
            TimeMode::Utc => (at.naive_utc(), self.db_now().naive_utc()),
            _ => ((self.local)(at), (self.local)(self.db_now())),
        };
        if at.date() == now.date() {
            at.format("%H:%M:%S").to_string()
        } else {
            at.format("%m-%d %H:%M").to_string()
        }
    }
}
