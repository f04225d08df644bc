//! `schedule list`: what there is, what comes next, what is wrong.

use crate::access::table;
use crate::cli::Output;
use crate::failure::Failure;
use crate::tell::tell;
use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use opsroom_engine::schedule::Timetable;
use opsroom_engine::schedule::admin::{self, Schedule, State, Which};
use opsroom_engine::start::find_tenant;
use serde_json::{Value, json};
use sqlx::PgConnection;

/// Which schedules to list.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only this tenant's, by name or id.
    #[arg(long)]
    tenant: Option<String>,
    /// Only of this type.
    #[arg(long = "type", value_name = "TYPE")]
    run_type: Option<String>,
    /// Only of this name.
    #[arg(long)]
    name: Option<String>,
    /// How the answer looks on standard output.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

pub(super) async fn run(connection: &mut PgConnection, list: List) -> Result<(), Failure> {
    let tenant = match &list.tenant {
        Some(name) => Some(find_tenant(connection, name).await?),
        None => None,
    };
    let which = Which {
        tenant,
        run_type: list.run_type.as_deref(),
        name: list.name.as_deref(),
    };
    let schedules = admin::schedules(connection, which).await?;
    match list.output {
        Output::Json => {
            let all: Vec<_> = schedules.iter().map(document).collect();
            tell!("{}", Value::from(all));
        }
        Output::Text => {
            let rows: Vec<_> = schedules.iter().map(row).collect();
            let header = [
                "TENANT",
                "SCHEDULE",
                "TYPE",
                "CRON",
                "ZONE",
                "MISSED",
                "NEXT (UTC)",
                "LAST (UTC)",
                "RUN",
                "STATE",
            ];
            table(&header, &rows);
            if schedules.len() as i64 == admin::MOST {
                tell!(
                    "the first {} are shown; narrow it with --tenant or --type",
                    admin::MOST
                );
            }
        }
    }
    Ok(())
}

fn minute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

fn row(schedule: &Schedule) -> Vec<String> {
    vec![
        schedule.tenant_name.clone(),
        schedule.name.clone(),
        schedule.run_type.clone(),
        schedule.cron.clone(),
        schedule.zone.clone(),
        schedule.missed.to_string(),
        schedule.next_fire_at.map_or_else(|| "-".into(), minute),
        schedule
            .last
            .map_or_else(|| "-".into(), |(at, _)| minute(at)),
        schedule
            .last
            .map_or_else(|| "-".into(), |(_, run)| run.to_string()),
        state(schedule),
    ]
}

/// The reason in words where it can be found out again.
fn state(schedule: &Schedule) -> String {
    let state = match (&schedule.error_code, schedule.state) {
        (_, State::Paused) => "paused".to_owned(),
        (None, State::Active) => "active".to_owned(),
        (Some(code), State::Active) => match Timetable::new(&schedule.cron, &schedule.zone) {
            Err(error) => format!("{code}: {error}"),
            Ok(_) => code.clone(),
        },
    };
    match schedule.missed_fires {
        0 => state,
        missed => format!("{state}, {missed} missed"),
    }
}

fn document(schedule: &Schedule) -> Value {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let (policy, limit) = schedule.missed.stored();
    json!({
        "id": schedule.id,
        "tenant": schedule.tenant_name,
        "name": schedule.name,
        "type": schedule.run_type,
        "cron": schedule.cron,
        "time_zone": schedule.zone,
        "input": schedule.input,
        "missed": policy,
        "missed_limit": limit,
        "paused": schedule.state == State::Paused,
        "next_fire_at": schedule.next_fire_at.map(time),
        "last_fire_at": schedule.last.map(|(at, _)| time(at)),
        "last_run": schedule.last.map(|(_, run)| run.0),
        "missed_fires": schedule.missed_fires,
        "error": schedule.error_code,
    })
}
