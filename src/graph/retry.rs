//! When to try again: deadlines, `Retry-After`, back-off. Pure but for the clock; nothing is sent.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::time::Instant;
use uuid::Uuid;

use crate::config::Limits;
use crate::error::GraphError;

const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

/// The instant after which an answer is of no use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(duration: Duration) -> Self {
        Self(Instant::now() + duration)
    }

    pub(crate) fn earlier(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    pub(crate) fn instant(self) -> Instant {
        self.0
    }

    pub(crate) fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// How long to wait before attempt number `attempt + 2`, or `None`: give up and tell the caller.
/// A wait that would outlast the deadline is not begun.
pub(crate) fn next_wait(
    error: &GraphError,
    attempt: u32,
    limits: &Limits,
    deadline: Deadline,
) -> Option<Duration> {
    if !error.is_retryable() || attempt >= limits.max_retries {
        return None;
    }
    let wait = match error.retry_after() {
        Some(asked) => asked,
        None => backoff(limits.first_backoff, attempt, Uuid::new_v4().as_u128()),
    };
    (wait < deadline.remaining()).then_some(wait)
}

/// Between half and all of `first * 2^attempt`, at most [`LONGEST_BACKOFF`]: the random half keeps
/// workers that failed together from returning together.
fn backoff(first: Duration, attempt: u32, random: u128) -> Duration {
    let factor = 1u32.checked_shl(attempt).unwrap_or(u32::MAX);
    let whole = first.saturating_mul(factor).min(LONGEST_BACKOFF);
    let share = (random % 1000) as u32;
    whole / 2 + whole / 2 * share / 1000
}

/// `Retry-After` as seconds or as an HTTP date (a past one means now).
pub(crate) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let date = DateTime::parse_from_rfc2822(value).ok()?;
    Some((date.to_utc() - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{Deadline, LONGEST_BACKOFF, backoff, next_wait, retry_after};
    use crate::config::Limits;
    use crate::error::GraphError;
    use chrono::{TimeZone, Utc};
    use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
    use std::time::Duration;

    fn asked(value: &'static str) -> Option<Duration> {
        let now = Utc
            .with_ymd_and_hms(2026, 3, 1, 12, 0, 0)
            .single()
            .expect("a time");
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
        retry_after(&headers, now)
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(asked("17"), Some(Duration::from_secs(17)));
        assert_eq!(
            asked("Sun, 01 Mar 2026 12:01:30 GMT"),
            Some(Duration::from_secs(90))
        );
        assert_eq!(asked("Sun, 01 Mar 2026 11:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(asked("-3"), None);
        assert_eq!(asked("99999999999999999999"), None);
    }

    #[test]
    fn back_off_doubles_within_its_bound() {
        let first = Duration::from_millis(500);
        assert_eq!(backoff(first, 0, 0), Duration::from_millis(250));
        assert!(backoff(first, 1, 999) > Duration::from_millis(990));
        assert!(backoff(first, 60, 999) <= LONGEST_BACKOFF);
    }

    #[tokio::test]
    async fn a_wait_beyond_the_deadline_is_left_to_the_caller() {
        let limits = Limits::default();
        let throttled = GraphError::Throttled {
            retry_after: Some(Duration::from_secs(300)),
        };
        let soon = Deadline::after(Duration::from_secs(60));
        assert_eq!(next_wait(&throttled, 0, &limits, soon), None);
        let late = Deadline::after(Duration::from_secs(600));
        assert_eq!(
            next_wait(&throttled, 0, &limits, late),
            Some(Duration::from_secs(300))
        );
        assert_eq!(
            next_wait(&throttled, limits.max_retries, &limits, late),
            None
        );
        assert_eq!(next_wait(&GraphError::Forbidden, 0, &limits, late), None);
    }
}
