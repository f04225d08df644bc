//! Reading a cron expression. An error says at which character, in which field, and what would do.

use super::{Cron, DaysOfMonth, Weekdays};
use chrono::NaiveDate;
use std::fmt;
use std::ops::RangeInclusive;
use thiserror::Error;

/// The longest expression the database takes.
const LONGEST: usize = 200;

const NICKNAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A field of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// 0 to 59; only in expressions of six fields.
    Second,
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// 1 to 31, or `L`.
    DayOfMonth,
    /// 1 to 12, or `JAN` to `DEC`.
    Month,
    /// 0 to 7, both ends Sunday, or `SUN` to `SAT`; with `#n` or `L` behind.
    DayOfWeek,
}

const FIELDS: [Field; 6] = [
    Field::Second,
    Field::Minute,
    Field::Hour,
    Field::DayOfMonth,
    Field::Month,
    Field::DayOfWeek,
];

impl Field {
    const fn range(self) -> RangeInclusive<u32> {
        match self {
            Self::Second | Self::Minute => 0..=59,
            Self::Hour => 0..=23,
            Self::DayOfMonth => 1..=31,
            Self::Month => 1..=12,
            Self::DayOfWeek => 0..=7,
        }
    }

    const fn takes(self) -> &'static str {
        match self {
            Self::Second | Self::Minute => "0 to 59, as in 5, 0,30, 10-20 or */15",
            Self::Hour => "0 to 23, as in 3, 8-18 or */6",
            Self::DayOfMonth => "1 to 31, or L for the last day",
            Self::Month => "1 to 12, or JAN to DEC",
            Self::DayOfWeek => {
                "0 to 7 (both Sunday), or SUN to SAT, as in MON-FRI, FRI#2 (the second) or FRIL (the last)"
            }
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day of month",
            Self::Month => "month",
            Self::DayOfWeek => "day of week",
        })
    }
}

/// Why an expression is none. Displays what is wrong and where; [`CronError::remedy`] what would do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CronError {
    /// It has no five or six fields.
    #[error("the cron expression has {found} fields")]
    Fields {
        /// How many it has.
        found: usize,
    },
    /// A part of a field cannot be read.
    #[error("cron expression, position {position} ({field}): '{found}' {problem}")]
    Part {
        /// From 1, in characters.
        position: usize,
        /// The field.
        field: Field,
        /// The part, shortened.
        found: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A word that begins with `@` and is no nickname.
    #[error("the cron nickname '{0}' is unknown")]
    Nickname(String),
    /// More than 200 characters.
    #[error("the cron expression has {0} characters, 200 at most are taken")]
    Long(usize),
    /// No day there is fits, such as February 30.
    #[error("the cron expression names no day that ever comes")]
    Never,
}

impl CronError {
    /// What to write instead.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Fields { .. } | Self::Long(_) => {
                "write five fields: minute, hour, day of month, month, day of week, as in '0 3 * * *' \
                 (six with the second first)"
                    .to_owned()
            }
            Self::Part { field, .. } => format!("write {}", field.takes()),
            Self::Nickname(_) => format!("one of {}", NICKNAMES.map(|(name, _)| name).join(", ")),
            Self::Never => "look at its day and month fields".to_owned(),
        }
    }
}

pub(super) fn parse(text: &str) -> Result<Cron, CronError> {
    let length = text.chars().count();
    if length > LONGEST {
        return Err(CronError::Long(length));
    }
    let trimmed = text.trim();
    let expanded = if trimmed.starts_with('@') {
        let known = NICKNAMES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(trimmed));
        known
            .ok_or_else(|| CronError::Nickname(shortened(trimmed)))?
            .1
    } else {
        text
    };
    let words = words(expanded);
    let fields: &[Field] = match words.len() {
        5 => &FIELDS[1..],
        6 => &FIELDS,
        found => return Err(CronError::Fields { found }),
    };
    let mut cron = Cron {
        text: trimmed.to_owned(),
        seconds: 1,
        minutes: 0,
        hours: 0,
        months: 0,
        days: DaysOfMonth::default(),
        weekdays: Weekdays::default(),
    };
    for (field, (position, word)) in fields.iter().zip(words) {
        let word = Word {
            field: *field,
            position,
            text: word,
        };
        match field {
            Field::Second => cron.seconds = word.plain()?,
            Field::Minute => cron.minutes = word.plain()?,
            Field::Hour => cron.hours = word.plain()?,
            Field::Month => cron.months = word.plain()?,
            Field::DayOfMonth => cron.days = word.days_of_month()?,
            Field::DayOfWeek => cron.weekdays = word.weekdays()?,
        }
    }
    // From the start of a cycle of 400 years that has every day within the horizon.
    let ever = NaiveDate::from_ymd_opt(2000, 1, 1)
        .and_then(|date| date.and_hms_opt(0, 0, 0))
        .and_then(|start| cron.next_after(start));
    if ever.is_none() {
        return Err(CronError::Never);
    }
    Ok(cron)
}

/// The words of a text, each with the position of its first character, from 1.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut begun: Option<(usize, usize)> = None;
    for (position, (byte, c)) in text.char_indices().enumerate() {
        match (c.is_whitespace(), begun) {
            (true, Some((first, start))) => {
                words.push((first, &text[start..byte]));
                begun = None;
            }
            (false, None) => begun = Some((position + 1, byte)),
            _ => {}
        }
    }
    if let Some((first, start)) = begun {
        words.push((first, &text[start..]));
    }
    words
}

fn shortened(text: &str) -> String {
    text.chars()
        .take(30)
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

/// One field's text, or a part of it, and where it stands.
#[derive(Clone, Copy)]
struct Word<'a> {
    field: Field,
    position: usize,
    text: &'a str,
}

impl<'a> Word<'a> {
    fn wrong(&self, problem: &'static str) -> CronError {
        CronError::Part {
            position: self.position,
            field: self.field,
            found: shortened(self.text),
            problem,
        }
    }

    /// The part of this word that begins after `skipped` bytes of it.
    fn part(&self, skipped: usize, text: &'a str) -> Self {
        Word {
            position: self.position + self.text[..skipped].chars().count(),
            text,
            ..*self
        }
    }

    fn items(self) -> impl Iterator<Item = Self> {
        let mut at = 0;
        self.text.split(',').map(move |text| {
            let item = self.part(at, text);
            at += text.len() + 1;
            item
        })
    }

    /// A list of values, ranges and steps.
    fn plain(self) -> Result<u64, CronError> {
        self.items()
            .try_fold(0, |bits, item| Ok(bits | item.span()?))
    }

    fn days_of_month(self) -> Result<DaysOfMonth, CronError> {
        let mut days = DaysOfMonth {
            any: self.text == "*",
            ..DaysOfMonth::default()
        };
        for item in self.items() {
            if item.text.eq_ignore_ascii_case("l") {
                days.last = true;
            } else {
                days.days |= item.span()?;
            }
        }
        Ok(days)
    }

    fn weekdays(self) -> Result<Weekdays, CronError> {
        let mut weekdays = Weekdays {
            any: self.text == "*",
            ..Weekdays::default()
        };
        for item in self.items() {
            if let Some((day, nth)) = item.text.split_once('#') {
                let count = item.part(day.len() + 1, nth);
                let nth = match nth {
                    "1" | "2" | "3" | "4" | "5" => count.number()? as usize - 1,
                    _ => return Err(count.wrong("is not 1 to 5, the how-manieth of the month")),
                };
                weekdays.nth[nth] |= sunday_once(1 << item.part(0, day).value()?);
            } else if let Some(day) = item.text.strip_suffix(['l', 'L']) {
                weekdays.last |= sunday_once(1 << item.part(0, day).value()?);
            } else {
                weekdays.days |= sunday_once(item.span()?);
            }
        }
        Ok(weekdays)
    }

    /// `*`, `7`, `1-5`, each of them with a step but the single value.
    fn span(self) -> Result<u64, CronError> {
        let (range, step) = match self.text.split_once('/') {
            None => (self, 1),
            Some((range, step)) => {
                let step = self.part(range.len() + 1, step);
                match step.number()? {
                    0 => return Err(step.wrong("is no step: it never gets on")),
                    number => (self.part(0, range), number),
                }
            }
        };
        let (first, last) = match range.text.split_once('-') {
            _ if range.text == "*" => match self.field {
                Field::DayOfWeek => (0, 6),
                field => field.range().into_inner(),
            },
            None if step > 1 || self.text.contains('/') => {
                return Err(self.wrong("has a step and no range to go through (as in 5-59/10)"));
            }
            None => {
                let value = range.value()?;
                (value, value)
            }
            Some((first, last)) => {
                let end = range.part(first.len() + 1, last);
                let (first, mut last) = (range.part(0, first).value()?, end.value()?);
                // A week may end on Sunday.
                if self.field == Field::DayOfWeek && last == 0 && first > 0 {
                    last = 7;
                }
                (first, last)
            }
        };
        if first > last {
            return Err(range.wrong("is a range that ends before it begins"));
        }
        let bits = (first..=last)
            .step_by(step as usize)
            .fold(0, |bits, value| bits | 1 << value);
        Ok(bits)
    }

    /// A number or a name, within the field's range.
    fn value(self) -> Result<u32, CronError> {
        let name = |names: &[&str]| {
            names
                .iter()
                .position(|name| name.eq_ignore_ascii_case(self.text))
        };
        let named = match self.field {
            Field::Month => name(&MONTHS).map(|at| at + 1),
            Field::DayOfWeek => name(&WEEKDAYS),
            _ => None,
        };
        if let Some(named) = named {
            return Ok(named as u32);
        }
        let value = self.number()?;
        let range = self.field.range();
        if value < *range.start() {
            Err(self.wrong("is too low"))
        } else if value > *range.end() {
            Err(self.wrong("is too high"))
        } else {
            Ok(value)
        }
    }

    fn number(self) -> Result<u32, CronError> {
        if self.text.is_empty() {
            return Err(self.wrong("stands where a value is missing"));
        }
        if !self.text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.wrong("cannot be read"));
        }
        self.text.parse().map_err(|_| self.wrong("is too high"))
    }
}

/// Sunday is 0 and 7.
const fn sunday_once(bits: u64) -> u64 {
    (bits | bits >> 7) & 0x7f
}
