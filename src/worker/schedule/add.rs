//! `schedule add`: checked before it is stored, and shown when it fires.

use super::{next, unknown_type};
use crate::failure::{Failure, USAGE};
use crate::graph;
use crate::start::read_input;
use crate::tell::tell;
use clap::{Args, ValueEnum};
use opsroom_engine::schedule::admin::{self, NewSchedule, Put, Schedule, Which};
use opsroom_engine::schedule::{Missed, Timetable};
use opsroom_engine::start::find_tenant;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};

pub(super) const EXAMPLES: &str = "Examples:
  opsroom-worker schedule add nightly --tenant contoso \\
      --type inventory.sync --cron '0 3 * * *' --time-zone Europe/Berlin
  opsroom-worker schedule add hourly --tenant contoso \\
      --type inventory.sync --cron @hourly --missed skip
  opsroom-worker schedule add weekly --tenant fabrikam --type inventory.sync \\
      --cron '30 6 * * MON' --time-zone America/New_York \\
      --input '{\"scope\":\"families\",\"families\":[\"settings_catalog\"]}' \\
      --missed all --missed-limit 4

Expressions: minute, hour, day of month, month, day of week (six fields with the second first), or @daily and the like.
A time that the clock skips fires at the end of the gap; one that it shows twice fires the first time.";

/// What to schedule.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Its name, unique within the tenant.
    name: String,
    /// The tenant's name or id.
    #[arg(long)]
    tenant: String,
    /// The operation's type, e.g. inventory.sync.
    #[arg(long = "type", value_name = "TYPE")]
    run_type: String,
    /// When: a cron expression.
    #[arg(long, value_name = "EXPRESSION")]
    cron: String,
    /// On whose clock: a name of the IANA database, e.g. Europe/Berlin [default: as it is, UTC where new].
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// The operation's input as JSON [default: as it is, the type's own where new].
    #[arg(long, value_name = "JSON")]
    input: Option<String>,
    /// What becomes of fire times that passed by more than a minute while no worker was there [default: as
    /// it is, once where new].
    #[arg(long, value_enum)]
    missed: Option<Policy>,
    /// With --missed all: at most so many, the newest [default: as it is, 24 where new].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=1000))]
    missed_limit: Option<u16>,
}

/// What becomes of missed fire times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Policy {
    /// Nothing.
    Skip,
    /// One run for all of them.
    Once,
    /// A run for each, up to a limit.
    All,
}

pub(super) async fn run(connection: &mut PgConnection, add: Add) -> Result<(), Failure> {
    let registry = graph::registry_for_starting()?;
    let known = registry.types();
    if !known.contains(&add.run_type) {
        return Err(unknown_type(&add.run_type, &known));
    }
    // Before the tenant is looked up: an expression is the likelier typing mistake.
    Timetable::new(&add.cron, add.time_zone.as_deref().unwrap_or(UTC))?;
    let given = add.input.as_deref().map(read_input).transpose()?;
    let mut step = connection.begin().await?;
    let tenant = find_tenant(&mut step, &add.tenant).await?;
    let which = Which {
        tenant: Some(tenant),
        run_type: None,
        name: Some(&add.name),
    };
    let before = admin::schedules(&mut step, which).await?.pop();
    let missed = missed(&add, before.as_ref())?;
    // Another type's input would not fit.
    let same_type = before.as_ref().filter(|is| is.run_type == add.run_type);
    let new = NewSchedule {
        tenant,
        name: &add.name,
        run_type: &add.run_type,
        cron: &add.cron,
        zone: match (&add.time_zone, &before) {
            (Some(given), _) => given,
            (None, Some(is)) => &is.zone,
            (None, None) => UTC,
        },
        input: given
            .or_else(|| same_type.and_then(|is| is.input.clone()))
            .unwrap_or(Value::Null),
        missed,
    };
    let (schedule, put) = admin::put(&mut step, &registry, &new).await?;
    step.commit().await?;
    let name = &schedule.name;
    match put {
        Put::Added => tell!("schedule {name} added"),
        Put::Changed => tell!("schedule {name} changed"),
        Put::Already => tell!("schedule {name} was so already"),
    }
    if let Some(before) = before {
        for (field, is, due) in differences(&before, &schedule) {
            tell!("  {field}  {is} -> {due}");
        }
    }
    next::preview(&schedule, 3)
}

const UTC: &str = "UTC";

/// What is asked for, or else what is, or else one run for all.
fn missed(add: &Add, before: Option<&Schedule>) -> Result<Missed, Failure> {
    let is = before.map(|is| is.missed);
    let limit = match (add.missed_limit, is) {
        (Some(limit), _) | (None, Some(Missed::FireAll { limit })) => limit,
        (None, _) => Missed::DEFAULT_LIMIT,
    };
    match (add.missed, is) {
        (Some(Policy::All), _) | (None, Some(Missed::FireAll { .. })) => {
            Ok(Missed::FireAll { limit })
        }
        _ if add.missed_limit.is_some() => Err(Failure::new(
            "--missed-limit is for --missed all, which makes up for more than one",
        )
        .remedy("add --missed all, or leave the limit away")
        .code(USAGE)),
        (Some(Policy::Skip), _) => Ok(Missed::Skip),
        (Some(Policy::Once), _) => Ok(Missed::FireOnce),
        (None, is) => Ok(is.unwrap_or(Missed::FireOnce)),
    }
}

/// Each field that is another one now, with what it was and what it is.
fn differences(before: &Schedule, now: &Schedule) -> Vec<(&'static str, String, String)> {
    let fields = |of: &Schedule| {
        [
            ("type", of.run_type.clone()),
            ("cron", of.cron.clone()),
            ("time zone", of.zone.clone()),
            (
                "input",
                of.input.as_ref().map_or_else(String::new, Value::to_string),
            ),
            ("missed", of.missed.to_string()),
        ]
    };
    let pairs = fields(before).into_iter().zip(fields(now));
    pairs
        .filter(|(is, due)| is.1 != due.1)
        .map(|((field, is), (_, due))| (field, is, due))
        .collect()
}
