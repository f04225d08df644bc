//! Lengths of time and numbers as a person reads them, in few and steady columns.

use chrono::TimeDelta;

/// How long ago: seconds below a minute, then minutes, hours, days. Above a minute it changes once a
/// minute, never more often. At most six columns.
#[must_use]
pub fn age(length: TimeDelta) -> String {
    let seconds = length.num_seconds().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (minutes, hours, days) {
        (0, ..) => format!("{seconds}s"),
        (_, 0, _) => format!("{minutes}m"),
        (_, 1..=9, _) => format!("{hours}h{:02}m", minutes % 60),
        (_, _, 0) => format!("{hours}h"),
        (_, _, 1..=9) => format!("{days}d{:02}h", hours % 24),
        _ => format!("{days}d"),
    }
}

/// How long it took: tenths below ten seconds, then what two units say. At most six columns.
#[must_use]
pub fn took(length: TimeDelta) -> String {
    let ms = length.num_milliseconds().max(0);
    let (seconds, minutes, hours) = (ms / 1000, ms / 60_000, ms / 3_600_000);
    match (seconds, minutes, hours) {
        (0..=9, ..) => format!("{}.{}s", seconds, ms % 1000 / 100),
        (_, 0, _) => format!("{seconds}s"),
        (_, _, 0) => format!("{minutes}m{:02}s", seconds % 60),
        (_, _, 1..=99) => format!("{hours}h{:02}m", minutes % 60),
        _ if hours < 240 => format!("{}d{:02}h", hours / 24, hours % 24),
        _ => format!("{}d", hours / 24),
    }
}

/// The same with a blank before the unit, for running text.
#[must_use]
pub fn words(length: TimeDelta) -> String {
    let seconds = length.num_seconds().max(0);
    let ms = length.num_milliseconds().max(0);
    match seconds {
        0 => format!("{ms} ms"),
        1..=59 => format!("{seconds} s"),
        60..=3599 if seconds % 60 == 0 => format!("{} min", seconds / 60),
        60..=3599 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..=86_399 if seconds % 3600 < 60 => format!("{} h", seconds / 3600),
        3600..=86_399 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// `12,345`.
#[must_use]
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_change_once_a_minute_above_one() {
        let of = |seconds| age(TimeDelta::seconds(seconds));
        assert_eq!(of(-3), "0s");
        assert_eq!(of(59), "59s");
        assert_eq!(of(60), "1m");
        assert_eq!(of(119), "1m");
        assert_eq!(of(7260), "2h01m");
        assert_eq!(of(36_000), "10h");
        assert_eq!(of(86_400), "1d00h");
        assert_eq!(of(30 * 86_400), "30d");
    }

    #[test]
    fn no_length_takes_more_than_six_columns() {
        for seconds in (0..40_000_000).step_by(997) {
            let length = TimeDelta::milliseconds(seconds * 1000 + 333);
            assert!(age(length).len() <= 6, "{}", age(length));
            assert!(took(length).len() <= 6, "{}", took(length));
        }
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
