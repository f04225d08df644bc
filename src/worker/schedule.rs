//! `opsroom-worker schedule`: operations that start by themselves, as commands. What they do is in
//! [`opsroom_engine::schedule`].

mod add;
mod list;
mod next;

use crate::access::say;
use crate::cli::Database;
use crate::database;
use crate::failure::{Failure, NOT_FOUND, USAGE};
use crate::tell::tell;
use clap::{Args, Subcommand};
use opsroom_engine::EngineError;
use opsroom_engine::schedule::TimetableError;
use opsroom_engine::schedule::admin::{self, Schedule, ScheduleError, Which};
use opsroom_engine::start::find_tenant;
use sqlx::PgConnection;

/// What to do with schedules.
#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleCommand {
    /// Add a schedule, or change the tenant's one of that name.
    #[command(after_help = add::EXAMPLES)]
    Add(add::Add),
    /// List schedules with their next and last fire times.
    #[command(after_help = "Examples:
  opsroom-worker schedule list
  opsroom-worker schedule list --tenant contoso --type inventory.sync
  opsroom-worker schedule list -o json | jq '.[] | select(.error)'")]
    List(list::List),
    /// Stop a schedule from firing; what would fire meanwhile is skipped.
    #[command(after_help = "Example:\n  opsroom-worker schedule pause nightly --tenant contoso")]
    Pause(Named),
    /// Let a paused schedule fire again, from now on.
    #[command(after_help = "Example:\n  opsroom-worker schedule resume nightly --tenant contoso")]
    Resume(Named),
    /// Remove a schedule; its runs stay.
    #[command(after_help = "Example:\n  opsroom-worker schedule remove nightly --tenant contoso")]
    Remove(Named),
    /// Show when a schedule, or an expression, fires next, and what daylight saving makes of it.
    #[command(after_help = next::EXAMPLES)]
    Next(next::Next),
}

/// One schedule.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Its name.
    name: String,
    /// The tenant's name or id.
    #[arg(long)]
    tenant: String,
    /// Only if it is of this type.
    #[arg(long = "type", value_name = "TYPE")]
    run_type: Option<String>,
}

pub(crate) async fn run(database: &Database, command: ScheduleCommand) -> Result<(), Failure> {
    let command = match command {
        // An expression is looked at without a database.
        ScheduleCommand::Next(next) => return next::run(database, next).await,
        command => command,
    };
    let mut connection = database::connect_migrated(database).await?;
    let connection = &mut connection;
    match command {
        ScheduleCommand::Add(add) => add::run(connection, add).await,
        ScheduleCommand::List(list) => list::run(connection, list).await,
        ScheduleCommand::Pause(named) => {
            let schedule = find(connection, &named).await?;
            let change = admin::pause(connection, schedule.id).await?;
            let name = &named.name;
            say(
                change,
                &format!("schedule {name} is paused; what would fire meanwhile is skipped"),
                &format!("schedule {name} was paused already"),
            );
            Ok(())
        }
        ScheduleCommand::Resume(named) => {
            let schedule = find(connection, &named).await?;
            let change = admin::resume(connection, schedule.id).await?;
            let name = &named.name;
            say(
                change,
                &format!("schedule {name} fires again"),
                &format!("schedule {name} was not paused"),
            );
            let schedule = find(connection, &named).await?;
            next::preview(&schedule, 1)
        }
        ScheduleCommand::Remove(named) => {
            let schedule = find(connection, &named).await?;
            admin::remove(connection, schedule.id).await?;
            tell!("schedule {} removed; its runs stay", named.name);
            Ok(())
        }
        ScheduleCommand::Next(_) => Ok(()),
    }
}

async fn find(connection: &mut PgConnection, named: &Named) -> Result<Schedule, Failure> {
    let tenant = find_tenant(connection, &named.tenant).await?;
    let which = Which {
        tenant: Some(tenant),
        run_type: named.run_type.as_deref(),
        name: Some(&named.name),
    };
    let found = admin::schedules(connection, which).await?;
    found.into_iter().next().ok_or_else(|| {
        let name: String = named.name.chars().take(100).collect();
        let of_type = named
            .run_type
            .as_ref()
            .map_or(String::new(), |run_type| format!(" of type {run_type}"));
        Failure::new(format!(
            "tenant {} has no schedule '{name}'{of_type}",
            named.tenant
        ))
        .remedy(format!(
            "opsroom-worker schedule list --tenant {} shows them",
            named.tenant
        ))
        .code(NOT_FOUND)
    })
}

impl From<TimetableError> for Failure {
    fn from(error: TimetableError) -> Self {
        Self::new(error.to_string())
            .remedy(error.remedy())
            .code(USAGE)
    }
}

impl From<ScheduleError> for Failure {
    fn from(error: ScheduleError) -> Self {
        match error {
            ScheduleError::Engine(error) => error.into(),
            ScheduleError::Start(error) => error.into(),
            ScheduleError::Timetable(error) => error.into(),
            ScheduleError::BadName | ScheduleError::BadLimit => {
                Self::new(error.to_string()).code(USAGE)
            }
            ScheduleError::NotFound => Self::new(error.to_string())
                .remedy("somebody removed it meanwhile; opsroom-worker schedule list shows what there is")
                .code(NOT_FOUND),
            error => Self::new(error.to_string()),
        }
    }
}

/// Types that have to be known before anything is asked of the database.
fn unknown_type(given: &str, known: &[String]) -> Failure {
    let given: String = given.chars().take(100).collect();
    Failure::new(format!("unknown operation type '{given}'"))
        .remedy(format!("one of {}", known.join(", ")))
        .code(USAGE)
}

/// The database's present; fire times are compared with nothing else.
async fn now(connection: &mut PgConnection) -> Result<chrono::DateTime<chrono::Utc>, EngineError> {
    admin::now(connection).await
}
