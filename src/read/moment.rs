//! Moments as the database has them. PostgreSQL knows infinity and years no calendar here can hold,
//! and another application may have written either: they are carried exactly and shown as the
//! nearest moment that can be shown.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{
    PgArgumentBuffer, PgHasArrayType, PgRow, PgTypeInfo, PgValueFormat, PgValueRef,
};
use sqlx::{Decode, Encode, Postgres, Row, Type};

/// 2000-01-01, from which PostgreSQL counts, in seconds since 1970.
const EPOCH: i64 = 946_684_800;
/// 1900-01-01 and 9999-12-31, in seconds since 1970: beyond them nothing is shown.
const EARLIEST: i64 = -2_208_988_800;
const LATEST: i64 = 253_402_214_400;

/// A `timestamptz` as it is stored: microseconds since 2000, the greatest and the least of which
/// stand for infinity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(i64);

impl Moment {
    /// What can be shown and calculated with; `None` beyond it.
    pub(crate) fn shown(self) -> Option<DateTime<Utc>> {
        let at = DateTime::from_timestamp(EPOCH, 0)?
            .checked_add_signed(TimeDelta::microseconds(self.0))?;
        (EARLIEST..=LATEST).contains(&at.timestamp()).then_some(at)
    }

    /// The same; the nearest one where it is beyond.
    pub(crate) fn nearest(self) -> DateTime<Utc> {
        self.shown().unwrap_or_else(|| bound(self.0 > 0))
    }
}

fn bound(late: bool) -> DateTime<Utc> {
    let seconds = if late { LATEST } else { EARLIEST };
    DateTime::from_timestamp(seconds, 0).unwrap_or_default()
}

impl From<DateTime<Utc>> for Moment {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_micros().saturating_sub(EPOCH * 1_000_000))
    }
}

impl Type<Postgres> for Moment {
    fn type_info() -> PgTypeInfo {
        <DateTime<Utc> as Type<Postgres>>::type_info()
    }
}

impl PgHasArrayType for Moment {
    fn array_type_info() -> PgTypeInfo {
        <DateTime<Utc> as PgHasArrayType>::array_type_info()
    }
}

impl Decode<'_, Postgres> for Moment {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        match value.format() {
            PgValueFormat::Binary => Ok(Self(<i64 as Decode<Postgres>>::decode(value)?)),
            PgValueFormat::Text => Err("a moment as text".into()),
        }
    }
}

impl Encode<'_, Postgres> for Moment {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<Postgres>>::encode(self.0, buffer)
    }
}

/// A column that may be null, or beyond what can be shown.
pub(crate) fn optional(row: &PgRow, name: &str) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    let moment: Option<Moment> = row.try_get(name)?;
    Ok(moment.and_then(Moment::shown))
}

/// A column that always has a moment.
pub(crate) fn always(row: &PgRow, name: &str) -> Result<DateTime<Utc>, sqlx::Error> {
    row.try_get::<Moment, _>(name).map(Moment::nearest)
}

/// A moment as PostgreSQL's JSON writes it, `2026-11-21T05:46:31.123+00:00`: beyond what can be shown
/// `infinity`, `280000-01-01T…`, `0044-03-15T… BC`, of which the nearest is taken.
pub(crate) fn of_json(value: &Value) -> Option<DateTime<Utc>> {
    let text = value.as_str()?;
    let (earliest, latest) = (bound(false), bound(true));
    match DateTime::parse_from_rfc3339(text) {
        Ok(at) => Some(at.with_timezone(&Utc).clamp(earliest, latest)),
        Err(_) if text.starts_with('-') || text.ends_with("BC") => Some(earliest),
        Err(_) => Some(latest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_stored_can_be_shown() {
        for (stored, year) in [(i64::MAX, "9999"), (i64::MIN, "1900"), (0, "2000")] {
            assert_eq!(Moment(stored).nearest().format("%Y").to_string(), year);
        }
        assert_eq!(Moment(i64::MAX).shown(), None);
        let now = DateTime::from_timestamp_micros(1_795_252_800_123_456);
        assert_eq!(now.map(Moment::from).and_then(Moment::shown), now);
    }

    #[test]
    fn whatever_stands_in_json_can_be_shown() {
        for (text, year) in [
            ("infinity", "9999"),
            ("-infinity", "1900"),
            ("280000-01-01T00:00:00+00:00", "9999"),
            ("0044-03-15T00:00:00+00:00 BC", "1900"),
            ("0001-03-15T00:00:00+00:00", "1900"),
            ("2026-11-21T05:46:31.123+00:00", "2026"),
        ] {
            let at = of_json(&Value::from(text)).unwrap();
            assert_eq!(at.format("%Y").to_string(), year, "{text}");
        }
        assert_eq!(of_json(&Value::Null), None);
    }
}
