//! `schedule add`: checked before it is stored, and shown when it fires.

use super::{next, unknown_type};
use crate::failure::{Failure, USAGE};
use crate::graph;
use crate::start::read_input;
use crate::tell::tell;
use clap::{Args, ValueEnum};
use opsroom_engine::schedule::admin::{self, NewSchedule, Put};
use opsroom_engine::schedule::{Missed, Timetable};
use opsroom_engine::start::find_tenant;
use serde_json::Value;
use sqlx::PgConnection;

pub(super) const EXAMPLES: &str = "Examples:
  opsroom-worker schedule add nightly --tenant contoso --type inventory.sync --cron '0 3 * * *' --time-zone Europe/Berlin
  opsroom-worker schedule add hourly --tenant contoso --type inventory.sync --cron @hourly --missed skip
  opsroom-worker schedule add weekly --tenant fabrikam --type inventory.sync --cron '30 6 * * MON' --time-zone America/New_York \\
      --input '{\"scope\":\"families\",\"families\":[\"settings_catalog\"]}' --missed all --missed-limit 4

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
    /// On whose clock: a name of the IANA database, e.g. Europe/Berlin.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
    /// The operation's input as JSON.
    #[arg(long, value_name = "JSON")]
    input: Option<String>,
    /// What becomes of fire times that passed by more than a minute while no worker was there.
    #[arg(long, value_enum, default_value_t = Policy::Once)]
    missed: Policy,
    /// With --missed all: at most so many, the newest [default: 24].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
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
    Timetable::new(&add.cron, &add.time_zone)?;
    let missed = match (add.missed, add.missed_limit) {
        (Policy::All, limit) => Missed::FireAll {
            limit: limit.unwrap_or(Missed::DEFAULT_LIMIT),
        },
        (_, Some(_)) => {
            return Err(Failure::new(
                "--missed-limit is for --missed all, which makes up for more than one",
            )
            .remedy("add --missed all, or leave the limit away")
            .code(USAGE));
        }
        (Policy::Skip, None) => Missed::Skip,
        (Policy::Once, None) => Missed::FireOnce,
    };
    let input = add.input.as_deref().map_or(Ok(Value::Null), read_input)?;
    let new = NewSchedule {
        tenant: find_tenant(connection, &add.tenant).await?,
        name: &add.name,
        run_type: &add.run_type,
        cron: &add.cron,
        zone: &add.time_zone,
        input,
        missed,
    };
    let (schedule, put) = admin::put(connection, &registry, &new).await?;
    let name = &schedule.name;
    tell!(
        "{}",
        match put {
            Put::Added => format!("schedule {name} added"),
            Put::Changed => format!("schedule {name} changed"),
            Put::Already => format!("schedule {name} was so already"),
        }
    );
    next::preview(&schedule, 3)
}
