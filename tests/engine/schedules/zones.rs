//! Every zone there is, at every change of its clock from 1970 to 2100: nothing panics, each named
//! time fires once, at the first instant the clock shows it or, where it skips it, right after.

use chrono::{
    DateTime, LocalResult, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _, Timelike as _, Utc,
};
use opsroom_engine::schedule::{Effect, FireTime, Timetable, Zone};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn instant(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// Every change of every zone, those that are alike once.
fn changes() -> Vec<(Zone, DateTime<Utc>)> {
    let (from, until) = (
        instant("1970-01-01T00:00:00Z"),
        instant("2100-01-01T00:00:00Z"),
    );
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for zone in Zone::all() {
        let tz: chrono_tz::Tz = zone.name().parse().unwrap();
        // Four days are short enough to find every change (as many as by the day), and cheap; when it
        // was is for the zone to find.
        let offset = |at: DateTime<Utc>| tz.offset_from_utc_datetime(&at.naive_utc()).fix();
        let (mut day, mut before) = (from, offset(from));
        while day < until {
            let next = day + TimeDelta::days(4);
            let after = offset(next);
            if before != after {
                for change in zone.changes(day, next) {
                    let around = [-1, 0].map(|s| shown(tz, change + TimeDelta::seconds(s)));
                    if seen.insert((change, around)) {
                        found.push((zone, change));
                    }
                }
            }
            (day, before) = (next, after);
        }
    }
    found
}

fn shown(tz: chrono_tz::Tz, at: DateTime<Utc>) -> NaiveDateTime {
    at.with_timezone(&tz).naive_local()
}

/// What the zone's own data say of a time: the first instant that shows it, or the end of the gap.
fn expected(tz: chrono_tz::Tz, named: NaiveDateTime, change: DateTime<Utc>) -> DateTime<Utc> {
    match tz.from_local_datetime(&named) {
        LocalResult::Single(at) => at.to_utc(),
        LocalResult::Ambiguous(first, second) => first.to_utc().min(second.to_utc()),
        LocalResult::None => change,
    }
}

#[test]
fn every_change_of_every_clock() {
    let changes = changes();
    println!("{} changes", changes.len());
    assert!(changes.len() > 9000, "{} changes found", changes.len());
    let (mut gaps, mut folds) = (0, 0);
    for (zone, change) in changes {
        let tz: chrono_tz::Tz = zone.name().parse().unwrap();
        let (before, after) = (shown(tz, change - TimeDelta::seconds(1)), shown(tz, change));
        let moved = after - before - TimeDelta::seconds(1);
        // In the middle of what is skipped or repeated.
        let named = (after - moved / 2).with_second(0).unwrap();
        if moved > TimeDelta::zero() && named > before && named < after {
            gaps += 1;
        } else if moved < TimeDelta::zero() && named >= after && named <= before {
            folds += 1;
        } else {
            continue;
        }
        let place = format!("{zone} at {change}");
        let daily =
            Timetable::new(&named.format("%-M %-H * * *").to_string(), zone.name()).unwrap();
        let start = change - TimeDelta::days(2);
        let at = expected(tz, named, change);
        let times: Vec<_> = daily
            .times(start)
            .take_while(|time| time.at < change + TimeDelta::days(2))
            .collect();
        assert!(
            times.windows(2).all(|pair| pair[0].at < pair[1].at),
            "{place}: {times:?}"
        );
        let there: Vec<_> = times.iter().filter(|time| time.at == at).collect();
        assert_eq!(there.len(), 1, "{place}: {named} at {at}, not in {times:?}");
        // Nobody can tell two days apart that are the same day: Samoa lost one.
        let effect = if moved > TimeDelta::zero() {
            Effect::Skipped(named)
        } else {
            Effect::Twice
        };
        if moved.abs() < TimeDelta::hours(12) {
            assert_eq!(there[0].effect, effect, "{place}");
            let day = |time: &FireTime| match time.effect {
                Effect::Skipped(named) => named.date(),
                _ => time.local.date(),
            };
            let same_day = times
                .iter()
                .map(day)
                .filter(|day| *day == named.date())
                .count();
            assert_eq!(same_day, 1, "{place}: once a day, in {times:?}");
        }
        // And again from around it: what comes next does not depend on where one looks from.
        for quarters in [-9, -5, -1, 0, 1, 5, 9] {
            let from = change + TimeDelta::minutes(15 * quarters);
            let next = times
                .iter()
                .map(|time| time.at)
                .find(|at| *at > from)
                .unwrap();
            assert_eq!(daily.after(from), Some(next), "{place}, from {from}");
        }
    }
    println!("{gaps} gaps, {folds} folds");
    assert!(gaps > 4000 && folds > 4000, "{gaps} gaps, {folds} folds");
}

fn any_zone() -> impl Strategy<Value = Zone> {
    let zones: Vec<_> = Zone::all().collect();
    proptest::sample::select(zones)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// The definition itself, minute by minute: it fires when the clock's latest reading passes a named
    /// time, and at no other moment.
    #[test]
    fn fires_when_the_clock_gets_there_and_only_then(
        zone in any_zone(),
        cron in proptest::sample::select(vec![
            "* * * * *", "*/7 * * * *", "30 * * * *", "0 2 * * *", "30 2 * * *", "59 1 * * *", "0 0 * * *", "15 0 1 * *",
        ]),
        start in 0i64..4_102_444_800,
    ) {
        let timetable = Timetable::new(cron, zone.name()).unwrap();
        let tz: chrono_tz::Tz = zone.name().parse().unwrap();
        let minute = |n: i64| DateTime::from_timestamp(start / 60 * 60 + 60 * n, 0).unwrap();
        // Near a change of the clock where there is one within the year.
        let near = zone.changes(minute(0), minute(525_600)).next().map_or(minute(0), |at| at - TimeDelta::hours(4));
        let near = DateTime::from_timestamp(near.timestamp() / 60 * 60, 0).unwrap();
        let mut latest = (0..48 * 60).map(|n| shown(tz, near - TimeDelta::minutes(n))).max().unwrap();
        let (mut fires, mut at) = (Vec::new(), near);
        for _ in 0..8 * 60 {
            at += TimeDelta::minutes(1);
            let shows = shown(tz, at);
            let named = timetable.cron().next_after(latest);
            if named.is_some_and(|named| named <= shows) {
                fires.push(at);
            }
            latest = latest.max(shows);
        }
        // Offsets of odd seconds, before 1972, are not on whole minutes.
        prop_assume!(fires.iter().all(|at| (shown(tz, *at) - at.naive_utc()).num_seconds() % 60 == 0));
        let found: Vec<_> = timetable.times(near).map(|time| time.at).take_while(|time| *time <= at).collect();
        prop_assert_eq!(found, fires, "{} {} from {}", cron, zone, near);
    }

    #[test]
    fn any_moment_any_zone(zone in any_zone(), cron in "([0-9]|[1-5][0-9]) ([0-9]|1[0-9]|2[0-3]) ([*]|[1-9]) [*] [*]", at in -8_000_000_000_000i64..8_000_000_000_000) {
        let timetable = Timetable::new(&cron, zone.name()).unwrap();
        let at = DateTime::from_timestamp(at, 999_999_999).unwrap();
        if let Some(next) = timetable.after(at) {
            prop_assert!(next > at);
        }
    }
}

#[test]
fn the_ends_of_time_are_no_trap() {
    for zone in Zone::all() {
        let timetable = Timetable::new("*/5 * * * *", zone.name()).unwrap();
        for at in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            let _ = timetable.times(at).take(3).count();
        }
    }
}
