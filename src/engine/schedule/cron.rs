//! A cron expression: which times of the local clock it names. Pure calendar arithmetic without any
//! time zone; what a zone makes of it is in `timetable`.
//!
//! Five fields (minute, hour, day of month, month, day of week) or six with the second first, or a
//! nickname. docs/schedules.md has the whole syntax.

mod parse;

pub use parse::{CronError, Field};

use chrono::{Datelike as _, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike as _};
use std::fmt;
use std::str::FromStr;

/// As far as a next time is looked for. The rarest day there is, a fifth Monday of a February, is 40
/// years from the next one around 2100.
const HORIZON_DAYS: u32 = 41 * 366;

/// Which times of the local clock are meant. Bit `n` of a field stands for the value `n`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    seconds: u64,
    minutes: u64,
    hours: u64,
    months: u64,
    days: DaysOfMonth,
    weekdays: Weekdays,
}

/// The day-of-month field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct DaysOfMonth {
    /// A lone `*`.
    any: bool,
    days: u64,
    /// `L`: the last day, whichever it is.
    last: bool,
}

/// The day-of-week field, Sunday as 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Weekdays {
    /// A lone `*`.
    any: bool,
    days: u64,
    /// `FRI#2`: bit `w` of element `n - 1`.
    nth: [u64; 5],
    /// `FRIL`: the month's last one.
    last: u64,
}

impl Cron {
    /// The expression as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first time of the local clock after `after` that is named. `None` where there is none
    /// within 41 years, or before the calendar ends.
    #[must_use]
    pub fn next_after(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let start = after
            .with_nanosecond(0)?
            .checked_add_signed(TimeDelta::seconds(1))?;
        let (mut date, mut from) = (start.date(), start.time());
        let end = date.checked_add_days(Days::new(u64::from(HORIZON_DAYS)))?;
        while date < end {
            if !has(self.months, date.month()) {
                date = first_of_next_month(date)?;
                from = NaiveTime::MIN;
                continue;
            }
            if self.names_day(date)
                && let Some(time) = self.time_from(from)
            {
                return Some(date.and_time(time));
            }
            date = date.succ_opt()?;
            from = NaiveTime::MIN;
        }
        None
    }

    /// True where the expression names this time of the local clock.
    #[must_use]
    pub fn names(&self, local: NaiveDateTime) -> bool {
        has(self.seconds, local.second())
            && has(self.minutes, local.minute())
            && has(self.hours, local.hour())
            && has(self.months, local.month())
            && self.names_day(local.date())
    }

    /// Where both day fields say something, either is enough, as cron has always had it.
    fn names_day(&self, date: NaiveDate) -> bool {
        match (self.days.any, self.weekdays.any) {
            (true, true) => true,
            (false, true) => self.days.names(date),
            (true, false) => self.weekdays.names(date),
            (false, false) => self.days.names(date) || self.weekdays.names(date),
        }
    }

    /// The first named time of a day that is not before `from`.
    fn time_from(&self, from: NaiveTime) -> Option<NaiveTime> {
        let (hour, minute, second) = (from.hour(), from.minute(), from.second());
        let (first_minute, first_second) = (at_least(self.minutes, 0)?, at_least(self.seconds, 0)?);
        let named = |hour, minute, second| NaiveTime::from_hms_opt(hour, minute, second);
        if has(self.hours, hour) {
            if has(self.minutes, minute)
                && let Some(second) = at_least(self.seconds, second)
            {
                return named(hour, minute, second);
            }
            if let Some(minute) = at_least(self.minutes, minute + 1) {
                return named(hour, minute, first_second);
            }
        }
        named(at_least(self.hours, hour + 1)?, first_minute, first_second)
    }
}

impl DaysOfMonth {
    fn names(&self, date: NaiveDate) -> bool {
        has(self.days, date.day()) || (self.last && is_last_day(date))
    }
}

impl Weekdays {
    fn names(&self, date: NaiveDate) -> bool {
        let weekday = date.weekday().num_days_from_sunday();
        let week = (date.day() - 1) / 7;
        has(self.days, weekday)
            || self
                .nth
                .get(week as usize)
                .is_some_and(|nth| has(*nth, weekday))
            || (has(self.last, weekday)
                && date
                    .checked_add_days(Days::new(7))
                    .is_none_or(|next| next.month() != date.month()))
    }
}

fn is_last_day(date: NaiveDate) -> bool {
    date.succ_opt()
        .is_none_or(|next| next.month() != date.month())
}

fn first_of_next_month(date: NaiveDate) -> Option<NaiveDate> {
    if date.month() == 12 {
        NaiveDate::from_ymd_opt(date.year() + 1, 1, 1)
    } else {
        NaiveDate::from_ymd_opt(date.year(), date.month() + 1, 1)
    }
}

fn has(field: u64, value: u32) -> bool {
    value < 64 && field >> value & 1 == 1
}

/// The least value of `field` that is not below `value`.
fn at_least(field: u64, value: u32) -> Option<u32> {
    let left = field.checked_shr(value)?;
    (left != 0).then(|| value + left.trailing_zeros())
}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse::parse(text)
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}
