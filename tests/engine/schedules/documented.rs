//! docs/schedules.md says when schedules fire. It says so truly.

use chrono::DateTime;
use opsroom_engine::schedule::{Effect, Timetable};

const PAGE: &str = include_str!("../../../docs/schedules.md");

#[test]
fn the_examples_in_the_docs_are_so() {
    let rows: Vec<Vec<&str>> = PAGE
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .filter(|cells: &Vec<&str>| cells.len() == 5)
        .collect();
    assert!(rows.len() >= 20, "{} examples", rows.len());
    for row in rows {
        let [cron, zone, after, fires, why] = row[..] else {
            panic!("{row:?}");
        };
        let timetable = Timetable::new(cron.trim_matches('`'), zone).unwrap();
        let after = DateTime::parse_from_rfc3339(after).unwrap().to_utc();
        let expected: Vec<&str> = fires.split(", ").collect();
        let times: Vec<_> = timetable.times(after).take(expected.len()).collect();
        let found: Vec<String> = times
            .iter()
            .map(|time| time.at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
            .collect();
        assert_eq!(found, expected, "{row:?}");
        let effects = |wanted: fn(&Effect) -> bool| times.iter().any(|time| wanted(&time.effect));
        let (skipped, twice) = (
            effects(|effect| matches!(effect, Effect::Skipped(_))),
            effects(|effect| matches!(effect, Effect::Twice)),
        );
        assert_eq!(skipped, why.contains("skips"), "{row:?}: {times:?}");
        assert_eq!(twice, why.contains("twice"), "{row:?}: {times:?}");
    }
}
