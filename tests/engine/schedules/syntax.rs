//! Which expressions there are, which times they name, and what a person is told about the others.

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, TimeDelta, Timelike as _};
use opsroom_engine::schedule::{Cron, Zone};
use proptest::prelude::*;

fn at(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap()
}

#[test]
fn expressions_name_these_times() {
    for (cron, after, next) in [
        ("*/15 * * * *", "2026-11-21 10:00:00", "2026-11-21 10:15:00"),
        ("0 3 * * *", "2026-11-21 03:00:00", "2026-11-22 03:00:00"),
        (
            "30 8-18/2 * * MON-FRI",
            "2026-11-20 18:30:00",
            "2026-11-23 08:30:00",
        ),
        ("0 0 L * *", "2028-02-01 00:00:00", "2028-02-29 00:00:00"),
        ("0 0 29 2 *", "2096-03-01 00:00:00", "2104-02-29 00:00:00"),
        (
            "0 9 * * fri#2",
            "2026-11-01 00:00:00",
            "2026-11-13 09:00:00",
        ),
        ("0 9 * * FRIL", "2026-11-01 00:00:00", "2026-11-27 09:00:00"),
        (
            "0 9 * FEB MON#5",
            "2026-01-01 00:00:00",
            "2044-02-29 09:00:00",
        ),
        ("0 0 * * 7", "2026-11-21 00:00:00", "2026-11-22 00:00:00"),
        (
            "0 0 * * sat-sun",
            "2026-11-22 00:00:00",
            "2026-11-28 00:00:00",
        ),
        // Either day field is enough.
        ("0 0 13 * FRI", "2026-11-13 00:00:00", "2026-11-20 00:00:00"),
        (
            "*/10 * * * * *",
            "2026-11-21 10:00:05",
            "2026-11-21 10:00:10",
        ),
        (
            "59 59 23 31 DEC *",
            "2026-12-31 23:59:59",
            "2027-12-31 23:59:59",
        ),
        (" @daily ", "2026-11-21 00:00:00", "2026-11-22 00:00:00"),
        ("@Weekly", "2026-11-21 00:00:00", "2026-11-22 00:00:00"),
        ("@yearly", "2026-11-21 00:00:00", "2027-01-01 00:00:00"),
        ("@hourly", "2026-11-21 00:00:00", "2026-11-21 01:00:00"),
    ] {
        let parsed: Cron = cron
            .parse()
            .unwrap_or_else(|error| panic!("{cron}: {error}"));
        assert_eq!(parsed.next_after(at(after)), Some(at(next)), "{cron}");
        assert!(parsed.names(at(next)), "{cron}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_a_remedy() {
    for (cron, says, remedy) in [
        (
            "0 25 * * *",
            "position 3 (hour): '25' is too high",
            "0 to 23",
        ),
        (
            "0 3 0 * *",
            "position 5 (day of month): '0' is too low",
            "1 to 31",
        ),
        (
            "0 3 * foo *",
            "position 7 (month): 'foo' cannot be read",
            "JAN to DEC",
        ),
        (
            "0,,5 3 * * *",
            "position 3 (minute): '' stands where a value is missing",
            "0 to 59",
        ),
        ("*/0 * * * *", "position 3 (minute): '0' is no step", "*/15"),
        (
            "5/10 * * * *",
            "position 1 (minute): '5/10' has a step and no range",
            "0 to 59",
        ),
        (
            "0 18-8 * * *",
            "position 3 (hour): '18-8' is a range that ends before it begins",
            "0 to 23",
        ),
        (
            "0 3 * * MON#6",
            "position 13 (day of week): '6' is not 1 to 5",
            "FRI#2",
        ),
        (
            "0 3 * * 5MON",
            "position 9 (day of week): '5MON' cannot be read",
            "SUN to SAT",
        ),
        (
            "0 3 15W * *",
            "position 5 (day of month): '15W' cannot be read",
            "1 to 31",
        ),
        (
            "0 3 * * é",
            "position 9 (day of week): 'é' cannot be read",
            "SUN to SAT",
        ),
        ("0 3 * *", "has 4 fields", "five fields"),
        ("0 0 3 * * * 2026", "has 7 fields", "five fields"),
        ("", "has 0 fields", "five fields"),
        (
            "@fortnightly",
            "'@fortnightly' is unknown",
            "@yearly, @annually, @monthly",
        ),
        ("0 0 30 2 *", "no day that ever comes", "day and month"),
        (
            "99999999999 * * * *",
            "position 1 (minute): '99999999999' is too high",
            "0 to 59",
        ),
    ] {
        let error = cron.parse::<Cron>().unwrap_err();
        assert!(error.to_string().contains(says), "{cron}: {error}");
        assert!(
            error.remedy().contains(remedy),
            "{cron}: {}",
            error.remedy()
        );
    }
    let long = "0 ".repeat(101);
    assert!(
        long.parse::<Cron>()
            .unwrap_err()
            .to_string()
            .contains("202")
    );
}

#[test]
fn a_zone_that_is_none_is_told_which_was_meant() {
    for (given, remedy) in [
        ("europe/berlin", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("America/New York", "America/New_York"),
        ("Mars/Olympus", "IANA"),
        ("+02:00", "IANA"),
        ("", "IANA"),
    ] {
        let error = given.parse::<Zone>().unwrap_err();
        assert!(
            error.remedy().contains(remedy),
            "{given}: {}",
            error.remedy()
        );
    }
}

/// A field's text and the values it stands for, worked out without the parser.
fn field(low: u32, high: u32) -> impl Strategy<Value = (String, Vec<u32>)> {
    let span = (low..=high, low..=high, 1..=high).prop_map(move |(a, b, step)| {
        let (first, last) = (a.min(b), a.max(b));
        let values = (first..=last).filter(|value| (value - first).is_multiple_of(step));
        (format!("{first}-{last}/{step}"), values.collect::<Vec<_>>())
    });
    let every = (1..=high).prop_map(move |step| {
        let values = (low..=high).filter(|value| (value - low).is_multiple_of(step));
        (format!("*/{step}"), values.collect::<Vec<_>>())
    });
    let list = proptest::collection::vec(low..=high, 1..4).prop_map(|values| {
        let text: Vec<_> = values.iter().map(ToString::to_string).collect();
        (text.join(","), values)
    });
    let any = Just(("*".to_owned(), (low..=high).collect::<Vec<_>>()));
    prop_oneof![span, every, list, any]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_next_time_is_the_first_that_fits(
        minute in field(0, 59), hour in field(0, 23), day in field(1, 31), month in field(1, 12), weekday in field(0, 6),
        start in 0i64..4_000_000_000,
    ) {
        let text = [&minute, &hour, &day, &month, &weekday].map(|(text, _)| text.as_str()).join(" ");
        let Ok(cron) = text.parse::<Cron>() else {
            // Only days that never come are refused.
            prop_assert!(weekday.0 == "*" && day.1.iter().all(|day| *day > 28), "{}", text);
            return Ok(());
        };
        let start = chrono::DateTime::from_timestamp(start, 0).unwrap().naive_utc();
        let found = cron.next_after(start).unwrap();
        let fits = |local: NaiveDateTime| {
            let by_day = day.1.contains(&local.day());
            let by_weekday = weekday.1.contains(&local.weekday().num_days_from_sunday());
            let on_day = match (day.0 == "*", weekday.0 == "*") {
                (true, _) => by_weekday,
                (_, true) => by_day,
                _ => by_day || by_weekday,
            };
            on_day && local.second() == 0 && minute.1.contains(&local.minute()) && hour.1.contains(&local.hour())
                && month.1.contains(&local.month())
        };
        prop_assert!(found > start && fits(found), "{} after {}: {}", text, start, found);
        // Every minute of the first two days in between, and midnight to midnight of the days after.
        let mut minute = start.with_second(0).unwrap() + TimeDelta::minutes(1);
        for _ in 0..2880 {
            prop_assert!(minute >= found || !fits(minute), "{} skipped {}", text, minute);
            minute += TimeDelta::minutes(1);
        }
    }

    #[test]
    fn no_text_is_too_odd_to_be_refused(text in "\\PC{0,40}", zone in "\\PC{0,20}") {
        let _ = text.parse::<Cron>();
        let _ = zone.parse::<Zone>();
    }

    #[test]
    fn nor_one_that_looks_like_an_expression(text in "[-0-9*/,#lLwW@? SUNMONJAN]{0,30}") {
        if let Ok(cron) = text.parse::<Cron>() {
            let start = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
            let next = cron.next_after(start);
            prop_assert!(next.is_some_and(|next| next > start && cron.names(next)), "{}", text);
        }
    }
}

#[test]
fn the_ends_of_the_calendar_are_no_trap() {
    let cron: Cron = "* * * * * *".parse().unwrap();
    assert_eq!(cron.next_after(NaiveDateTime::MAX), None);
    assert!(cron.next_after(NaiveDateTime::MIN).is_some());
    let rare: Cron = "0 0 29 2 MON#5".parse().unwrap();
    assert!(rare.next_after(at("2100-01-01 00:00:00")).is_some());
}
