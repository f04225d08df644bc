//! `schedule next`: when a schedule or an expression fires, in local time and UTC, with what changes
//! of the clock make of it.

use super::{Named, find, now};
use crate::access::table;
use crate::cli::{Database, Output};
use crate::database;
use crate::failure::{Failure, USAGE};
use crate::tell::tell;
use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use opsroom_engine::schedule::admin::{Schedule, State};
use opsroom_engine::schedule::{Effect, FireTime, Timetable};
use serde_json::{Value, json};

pub(super) const EXAMPLES: &str = "Examples:
  opsroom-worker schedule next nightly --tenant contoso -n 10
  opsroom-worker schedule next --cron '30 2 * * *' \\
      --time-zone Europe/Berlin --after 2026-03-27T00:00:00Z

With --cron nothing is asked of a database, and the times count from this machine's clock unless --after is given.";

/// What to look ahead for.
#[derive(Debug, Args)]
pub(crate) struct Next {
    /// The schedule's name.
    #[arg(required_unless_present = "cron", requires = "tenant")]
    name: Option<String>,
    /// The tenant's name or id.
    #[arg(long)]
    tenant: Option<String>,
    /// An expression instead of a schedule.
    #[arg(long, value_name = "EXPRESSION", conflicts_with_all = ["name", "tenant"])]
    cron: Option<String>,
    /// The expression's zone.
    #[arg(long, value_name = "ZONE", default_value = "UTC", requires = "cron")]
    time_zone: String,
    /// How many fire times.
    #[arg(short = 'n', long = "count", default_value_t = 10, allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=1000))]
    count: u16,
    /// Those after this moment, as in 2026-03-27T00:00:00Z [default: now].
    #[arg(long, value_name = "TIME", value_parser = moment)]
    after: Option<DateTime<Utc>>,
    /// How the answer looks on standard output.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.to_utc())
        .map_err(|_| "write a moment with its offset, as in 2026-03-27T00:00:00Z".to_owned())
}

pub(super) async fn run(database: &Database, next: Next) -> Result<(), Failure> {
    let (timetable, after) = match (&next.cron, next.name, next.tenant) {
        (Some(cron), _, _) => (Timetable::new(cron, &next.time_zone)?, Utc::now()),
        (None, Some(name), Some(tenant)) => {
            let mut connection = database::connect_migrated(database).await?;
            let named = Named {
                name,
                tenant,
                run_type: None,
            };
            let schedule = find(&mut connection, &named).await?;
            if schedule.state == State::Paused && next.output == Output::Text {
                tell!("paused: it fires at none of these until it is resumed");
            }
            let timetable = Timetable::new(&schedule.cron, &schedule.zone)?;
            (timetable, now(&mut connection).await?)
        }
        _ => {
            return Err(
                Failure::new("neither a schedule nor an expression is named")
                    .remedy("write NAME --tenant TENANT, or --cron EXPRESSION")
                    .code(USAGE),
            );
        }
    };
    let times: Vec<_> = timetable
        .times(next.after.unwrap_or(after))
        .take(next.count.into())
        .collect();
    match next.output {
        Output::Text => print(&timetable, &times),
        Output::Json => tell!(
            "{}",
            Value::from(
                times
                    .iter()
                    .map(|time| document(&timetable, time))
                    .collect::<Vec<_>>()
            )
        ),
    }
    Ok(())
}

/// The next `count` fire times of a schedule just put, unless it is paused.
pub(super) fn preview(schedule: &Schedule, count: usize) -> Result<(), Failure> {
    if schedule.state == State::Paused {
        tell!("it is paused; opsroom-worker schedule resume lets it fire");
        return Ok(());
    }
    let timetable = Timetable::new(&schedule.cron, &schedule.zone)?;
    let times: Vec<_> = timetable
        .times(schedule.decided_until)
        .take(count)
        .collect();
    print(&timetable, &times);
    Ok(())
}

fn print(timetable: &Timetable, times: &[FireTime]) {
    let rows: Vec<_> = times
        .iter()
        .map(|time| {
            vec![
                local(timetable, time),
                time.at.format("%Y-%m-%d %H:%M:%S").to_string(),
                effect(time).unwrap_or_default(),
            ]
        })
        .collect();
    let header = format!("LOCAL ({})", timetable.zone());
    table(&[&header, "UTC", ""], &rows);
}

fn local(timetable: &Timetable, time: &FireTime) -> String {
    format!(
        "{} {}",
        time.local.format("%a %Y-%m-%d %H:%M:%S"),
        timetable.zone().abbreviation(time.at)
    )
}

fn effect(time: &FireTime) -> Option<String> {
    match time.effect {
        Effect::None => None,
        Effect::Skipped(named) => Some(format!(
            "the clock skips {}: fires when the gap ends",
            named.format("%H:%M:%S")
        )),
        Effect::Twice => Some("shown twice by the clock: fires the first time only".to_owned()),
    }
}

fn document(timetable: &Timetable, time: &FireTime) -> Value {
    let word = match time.effect {
        Effect::None => None,
        Effect::Skipped(_) => Some("skipped"),
        Effect::Twice => Some("twice"),
    };
    json!({
        "at": time.at.to_rfc3339_opts(SecondsFormat::Secs, true),
        "local": time.local.format("%Y-%m-%dT%H:%M:%S").to_string(),
        "zone": timetable.zone().name(),
        "abbreviation": timetable.zone().abbreviation(time.at),
        "clock": word,
    })
}
