//! Lengths, moments and ranges of them, as a query writes them. What they are relative to, is said by
//! whoever asks: nothing here knows what time it is.

use super::parse::Misread;
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use std::fmt::{self, Display, Formatter};
use winnow::Parser;
use winnow::ascii::digit1;
use winnow::combinator::{alt, eof, repeat, terminated};
use winnow::error::EmptyError;

/// A length of time in milliseconds, from 1 to a hundred years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Length(u64);

/// Units as they are written back, the longest first.
const UNITS: [(u64, &str); 5] = [
    (86_400_000, "d"),
    (3_600_000, "h"),
    (60_000, "m"),
    (1_000, "s"),
    (1, "ms"),
];
const LONGEST: u64 = 36_525 * 86_400_000;
/// Years a moment may lie in: the database takes no others.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=2199;

impl Length {
    /// A length, where it is within the bounds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Option<Self> {
        if millis >= 1 && millis <= LONGEST {
            Some(Self(millis))
        } else {
            None
        }
    }

    /// In milliseconds.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// As a difference of times.
    #[must_use]
    pub fn delta(self) -> TimeDelta {
        TimeDelta::milliseconds(i64::try_from(self.0).unwrap_or(i64::MAX))
    }

    fn read(text: &str) -> Option<Self> {
        let unit = alt((
            "ms".value(1_u64),
            "s".value(1_000),
            "m".value(60_000),
            "h".value(3_600_000),
            "d".value(86_400_000),
            "w".value(7 * 86_400_000),
        ));
        let number = digit1::<&str, EmptyError>.try_map(str::parse::<u64>);
        let part = (number, unit).verify_map(|(number, unit)| number.checked_mul(unit));
        let sum = repeat(1.., part).fold(
            || Some(0_u64),
            |sum, part: u64| sum.and_then(|sum| sum.checked_add(part)),
        );
        let millis = terminated(sum, eof).parse(text).ok()??;
        Self::from_millis(millis)
    }
}

impl Display for Length {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // A day stays the 24h that people write.
        let fits = |length: u64, unit: &str| {
            self.0.is_multiple_of(length) && (unit != "d" || self.0 > length)
        };
        let whole = UNITS.iter().find(|(length, unit)| fits(*length, unit));
        let (length, unit) = whole.copied().unwrap_or((1, "ms"));
        write!(f, "{}{unit}", self.0 / length)
    }
}

/// A moment, relative to now or absolute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// So long before now.
    Ago(Length),
    /// A day in UTC.
    Day(NaiveDate),
    /// A whole second.
    At(DateTime<Utc>),
}

impl When {
    /// Its beginning.
    #[must_use]
    pub fn start(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Ago(length) => now.checked_sub_signed(length.delta()).unwrap_or(now),
            Self::Day(day) => day.and_time(NaiveTime::MIN).and_utc(),
            Self::At(at) => at,
        }
    }

    /// The first moment after it: of a day, the next midnight; else itself.
    #[must_use]
    pub fn end(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Day(day) => {
                let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
                next.and_time(NaiveTime::MIN).and_utc()
            }
            other => other.start(now),
        }
    }

    pub(super) fn read(text: &str) -> Result<Self, Misread> {
        let read = Length::read(text)
            .map(Self::Ago)
            .or_else(|| {
                NaiveDate::parse_from_str(text, "%Y-%m-%d")
                    .ok()
                    .map(Self::Day)
            })
            .or_else(|| moment(text).map(Self::At));
        let known = read.filter(|when| match when {
            Self::Ago(_) => true,
            Self::Day(day) => YEARS.contains(&day.year()),
            Self::At(at) => YEARS.contains(&at.year()),
        });
        known.ok_or_else(|| {
            Misread::whole(format!(
                "'{text}' is no time: a length as in 24h or 7d, a day as in 2026-07-01, or a time in UTC as in 2026-07-01T10:00Z"
            ))
        })
    }

    /// Reads `A..B`, or one moment alone.
    pub(super) fn read_range(text: &str) -> Result<(Self, Option<Self>), Misread> {
        let Some((from, to)) = text.split_once("..") else {
            return Self::read(text).map(|when| (when, None));
        };
        let (begin, end) = (
            Self::read(from)?,
            Self::read(to).map_err(Misread::behind(from, ".."))?,
        );
        let backwards = match (begin, end) {
            (Self::Ago(a), Self::Ago(b)) => a <= b,
            (Self::Ago(_), _) | (_, Self::Ago(_)) => false,
            (a, b) => a.start(DateTime::UNIX_EPOCH) >= b.end(DateTime::UNIX_EPOCH),
        };
        if backwards {
            return Err(Misread::whole(format!(
                "the range '{text}' ends before it begins: write the earlier time first, as in 7d..24h"
            )));
        }
        Ok((begin, Some(end)))
    }
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return (at.timestamp_subsec_nanos() == 0).then(|| at.with_timezone(&Utc));
    }
    let with_offset = ["%Y-%m-%dT%H:%M%:z", "%Y-%m-%dT%H:%M:%S%:z"];
    let offset = with_offset
        .iter()
        .find_map(|form| DateTime::parse_from_str(text, form).ok());
    if let Some(at) = offset {
        return (at.timestamp_subsec_nanos() == 0).then(|| at.with_timezone(&Utc));
    }
    let bare = text.strip_suffix('Z').unwrap_or(text);
    ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(bare, form).ok())
        .filter(|at| at.and_utc().timestamp_subsec_nanos() == 0)
        .map(|at| at.and_utc())
}

impl Display for When {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ago(length) => length.fmt(f),
            Self::Day(day) => write!(f, "{}", day.format("%Y-%m-%d")),
            Self::At(at) if at.timestamp() % 60 == 0 => {
                write!(f, "{}", at.format("%Y-%m-%dT%H:%MZ"))
            }
            Self::At(at) => write!(f, "{}", at.format("%Y-%m-%dT%H:%M:%SZ")),
        }
    }
}

/// Which lengths are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// `>5m`.
    Over(Length),
    /// `>=5m`.
    AtLeast(Length),
    /// `<5m`.
    Under(Length),
    /// `<=5m`.
    AtMost(Length),
    /// `1m..5m`, both included.
    Between(Length, Length),
}

impl Span {
    /// True where `length` is one of them. A length below zero, which clocks that disagree can leave
    /// behind, is less than any other.
    #[must_use]
    pub fn holds(self, length: TimeDelta) -> bool {
        match self {
            Self::Over(bound) => length > bound.delta(),
            Self::AtLeast(bound) => length >= bound.delta(),
            Self::Under(bound) => length < bound.delta(),
            Self::AtMost(bound) => length <= bound.delta(),
            Self::Between(least, most) => (least.delta()..=most.delta()).contains(&length),
        }
    }

    pub(super) fn read(text: &str) -> Result<Self, Misread> {
        let of = |rest: &str, before: &str| length(rest).map_err(Misread::behind(before, ""));
        for (sign, make) in [
            (">=", Self::AtLeast as fn(Length) -> Self),
            ("<=", Self::AtMost),
            (">", Self::Over),
            ("<", Self::Under),
        ] {
            if let Some(rest) = text.strip_prefix(sign) {
                return of(rest, sign).map(make);
            }
        }
        let Some((least, most)) = text.split_once("..") else {
            return Err(Misread::whole(format!(
                "took: compares: took:>{0}, took:<{0}, or a range as in took:1m..5m",
                Length::read(text).map_or_else(|| "5m".to_owned(), |length| length.to_string())
            )));
        };
        let (least_read, most_read) = (
            length(least)?,
            length(most).map_err(Misread::behind(least, ".."))?,
        );
        if least_read > most_read {
            return Err(Misread::whole(format!(
                "the range '{text}' ends before it begins: write the shorter one first, as in took:1m..5m"
            )));
        }
        Ok(Self::Between(least_read, most_read))
    }
}

fn length(text: &str) -> Result<Length, Misread> {
    Length::read(text).ok_or_else(|| {
        Misread::whole(format!(
            "'{text}' is no length of time: numbers with ms, s, m, h, d or w, as in 90s or 1h30m, up to a hundred years"
        ))
    })
}

impl Display for Span {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Over(bound) => write!(f, ">{bound}"),
            Self::AtLeast(bound) => write!(f, ">={bound}"),
            Self::Under(bound) => write!(f, "<{bound}"),
            Self::AtMost(bound) => write!(f, "<={bound}"),
            Self::Between(least, most) => write!(f, "{least}..{most}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_and_print() {
        for (text, canonical) in [
            ("24h", "24h"),
            ("90s", "90s"),
            ("1d", "24h"),
            ("1h30m", "90m"),
            ("2m03s", "123s"),
            ("250ms", "250ms"),
            ("2w", "14d"),
        ] {
            assert_eq!(Length::read(text).unwrap().to_string(), canonical, "{text}");
        }
        for text in [
            "",
            "5",
            "h",
            "0s",
            "5 m",
            "1.5h",
            "99999999w",
            "18446744073709551615w",
            "-5m",
            "５m",
        ] {
            assert_eq!(Length::read(text), None, "{text}");
        }
    }

    #[test]
    fn moments_read_in_utc_and_print() {
        for (text, canonical) in [
            ("2026-07-01", "2026-07-01"),
            ("2026-07-01T10:00Z", "2026-07-01T10:00Z"),
            ("2026-07-01T10:00", "2026-07-01T10:00Z"),
            ("2026-07-01T10:00:30", "2026-07-01T10:00:30Z"),
            ("2026-07-01T10:00+02:00", "2026-07-01T08:00Z"),
            ("2026-07-01T10:00:05+02:00", "2026-07-01T08:00:05Z"),
        ] {
            assert_eq!(When::read(text).unwrap().to_string(), canonical, "{text}");
        }
        for text in [
            "2026-13-01",
            "1969-12-31",
            "2200-01-01",
            "2026-07-01T25:00Z",
            "2026-07-01T10:00:60Z",
            "+2026-07-01T10:00:00.5Z",
            "2026-07-01T10:00:00.5Z",
        ] {
            assert!(When::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_counts_to_its_end() {
        let day = When::read("2026-07-01").unwrap();
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(day.end(now) - day.start(now), TimeDelta::days(1));
        assert!(When::read_range("2026-07-01..2026-07-01").is_ok());
        assert!(When::read_range("24h..7d").is_err());
    }
}
