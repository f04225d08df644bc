//! A time zone as a clock on the wall: what it shows at an instant, and the first instant at which
//! it shows a time or a later one. All of it follows from the offset at an instant, so a time that is
//! skipped or shown twice is no special case and nothing here can fail.

use chrono::{DateTime, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// No zone was ever further from UTC than this.
const FARTHEST: TimeDelta = TimeDelta::hours(24);
/// How finely changes of the offset are looked for; two within it that cancel out go unseen, and no
/// zone has such.
const STRIDE: TimeDelta = TimeDelta::hours(1);

/// A zone of the IANA database, as of the version this program was built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Tz);

/// A name that is no zone's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown time zone '{given}'")]
pub struct UnknownZone {
    given: String,
    similar: Vec<&'static str>,
}

impl UnknownZone {
    /// What to write instead.
    #[must_use]
    pub fn remedy(&self) -> String {
        if self.similar.is_empty() {
            "write a name of the IANA database, as in Europe/Berlin, America/New_York or UTC".into()
        } else {
            format!("did you mean {}?", self.similar.join(" or "))
        }
    }
}

/// A stretch of time with one offset: from the first instant up to, not including, the second.
struct Stretch {
    from: NaiveDateTime,
    until: NaiveDateTime,
    offset: TimeDelta,
}

impl Zone {
    /// The zone without a difference to UTC.
    pub const UTC: Self = Self(Tz::UTC);

    /// Every zone there is, aliases included.
    pub fn all() -> impl Iterator<Item = Self> {
        TZ_VARIANTS.iter().copied().map(Self)
    }

    /// The IANA name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// What the clock shows at `at`.
    #[must_use]
    pub fn shows(self, at: DateTime<Utc>) -> NaiveDateTime {
        let at = at.naive_utc();
        moved(at, self.offset(at))
    }

    /// The abbreviation in force at `at`, such as `CEST`.
    #[must_use]
    pub fn abbreviation(self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.0).format("%Z").to_string()
    }

    /// The first instant at which the clock shows `local` or a later time. Where the clock skips
    /// `local` that is the end of the gap, where it shows it twice the first time.
    #[must_use]
    pub fn reaches(self, local: NaiveDateTime) -> DateTime<Utc> {
        let (from, until) = (moved(local, -FARTHEST), moved(local, FARTHEST));
        let reached = self.stretches(from, until).find_map(|stretch| {
            let instant = stretch.from.max(moved(local, -stretch.offset));
            (instant < stretch.until).then_some(instant)
        });
        reached.unwrap_or(until).and_utc()
    }

    /// The latest time the clock has shown up to `at`, in whole seconds: later than what it shows at
    /// `at` where it was set back shortly before.
    #[must_use]
    pub fn has_shown(self, at: DateTime<Utc>) -> NaiveDateTime {
        let at = at.naive_utc();
        let before = self
            .stretches(moved(at, -FARTHEST), at)
            .map(|stretch| moved(stretch.until, stretch.offset - TimeDelta::seconds(1)));
        before.fold(moved(at, self.offset(at)), NaiveDateTime::max)
    }

    /// True where the clock is set back within a day after `at` and shows the time it shows at `at`
    /// once more.
    #[must_use]
    pub fn shows_again(self, at: DateTime<Utc>) -> bool {
        let local = self.shows(at);
        let at = at.naive_utc();
        self.stretches(at, moved(at, FARTHEST))
            .skip(1)
            .any(|stretch| {
                let again = moved(local, -stretch.offset);
                (stretch.from..stretch.until).contains(&again)
            })
    }

    /// The changes of the offset after `from`, `until` included: the instants from which a new one holds.
    pub fn changes(
        self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> impl Iterator<Item = DateTime<Utc>> {
        self.stretches(from.naive_utc(), until.naive_utc())
            .filter(move |stretch| self.offset(stretch.until) != stretch.offset)
            .map(|stretch| stretch.until.and_utc())
    }

    fn offset(self, at: NaiveDateTime) -> TimeDelta {
        let offset = self.0.offset_from_utc_datetime(&at).fix();
        TimeDelta::seconds(i64::from(offset.local_minus_utc()))
    }

    fn stretches(self, from: NaiveDateTime, until: NaiveDateTime) -> impl Iterator<Item = Stretch> {
        let mut next = from;
        std::iter::from_fn(move || {
            if next >= until {
                return None;
            }
            let (begun, offset) = (next, self.offset(next));
            let mut last = next;
            while last < until {
                let ahead = moved(last, STRIDE).min(until);
                if ahead == last {
                    break;
                }
                if self.offset(ahead) != offset {
                    next = self.change(last, ahead, offset);
                    return Some(Stretch {
                        from: begun,
                        until: next,
                        offset,
                    });
                }
                last = ahead;
            }
            next = until;
            Some(Stretch {
                from: begun,
                until,
                offset,
            })
        })
    }

    /// The instant, to the second, from which the offset is no longer `offset`, which holds at `low`
    /// and not at `high`.
    fn change(
        self,
        mut low: NaiveDateTime,
        mut high: NaiveDateTime,
        offset: TimeDelta,
    ) -> NaiveDateTime {
        while high - low > TimeDelta::seconds(1) {
            let middle = moved(low, TimeDelta::seconds((high - low).num_seconds() / 2));
            if self.offset(middle) == offset {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }
}

/// Where the calendar ends, its end.
fn moved(at: NaiveDateTime, by: TimeDelta) -> NaiveDateTime {
    at.checked_add_signed(by)
        .unwrap_or(if by < TimeDelta::zero() {
            NaiveDateTime::MIN
        } else {
            NaiveDateTime::MAX
        })
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        name.parse().map(Self).map_err(|_| UnknownZone {
            given: name
                .chars()
                .take(64)
                .map(|c| if c.is_control() { '?' } else { c })
                .collect(),
            similar: similar(name),
        })
    }
}

/// Zones of that name in other letters, or of that city.
fn similar(given: &str) -> Vec<&'static str> {
    let plain = |name: &str| name.to_ascii_lowercase().replace([' ', '-'], "_");
    let given = plain(given);
    let city = given.rsplit('/').next().unwrap_or(&given);
    let names = || TZ_VARIANTS.iter().map(|zone| zone.name());
    let mut found: Vec<_> = names().filter(|name| plain(name) == given).collect();
    if found.is_empty() {
        found = names()
            .filter(|name| plain(name).rsplit('/').next() == Some(city))
            .take(3)
            .collect();
    }
    found
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
