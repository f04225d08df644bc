//! What may be typed. Help texts are written here, next to the names they explain.

use crate::access::Access;
use crate::retention::Retention;
use crate::rollups::Rollups;
use crate::schedule::ScheduleCommand;
use clap::{Args, Parser, Subcommand, ValueEnum};
use opsroom_engine::settings::Limit;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Executes operation runs, and administers who may see and start them.
#[derive(Debug, Parser)]
#[command(name = "opsroom-worker", version, about, propagate_version = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// Where the database is.
    #[command(flatten)]
    pub(crate) database: Database,
    /// How log lines look on standard error.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, env = "OPSROOM_LOG_FORMAT")]
    pub(crate) log: LogFormat,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "Examples:
  opsroom-worker migrate
  opsroom-worker work --slots 16 --name ams-2
  opsroom-worker start inventory.sync --tenant contoso
  opsroom-worker schedule add nightly --tenant contoso \\
      --type inventory.sync --cron '0 3 * * *' --time-zone Europe/Berlin
  opsroom-worker access login add alice --kind reader --user 'Alice Meyer'

Exit codes: 0 done, 1 failed, 2 usage, 7 not found, 8 forbidden, 9 database unreachable, 130 interrupted.";

/// Where the database is.
#[derive(Debug, Clone, Args)]
pub(crate) struct Database {
    /// Connection URL; without it the PG* variables hold. Several hosts, separated by commas: the one that
    /// takes writes. Passwords belong into ~/.pgpass or PGPASSWORD.
    #[arg(
        long,
        global = true,
        env = "DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(crate) database_url: Option<String>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring the database's schema up to date.
    #[command(
        after_help = "Example:\n  DATABASE_URL=postgres://admin@db/opsroom opsroom-worker migrate\n\nThe login needs CREATEROLE the first time, and CREATE on the database."
    )]
    Migrate,
    /// Execute runs until told to stop (SIGTERM or Ctrl-C drains, a second one leaves at once).
    #[command(
        after_help = "Example:\n  opsroom-worker work --slots 16 --types inventory.sync,directory_groups.sync\n  opsroom-worker work --metrics 127.0.0.1:9464"
    )]
    Work(Work),
    /// Start an operation for a tenant, or find the run that is already doing it.
    #[command(
        after_help = "Examples:\n  opsroom-worker start inventory.sync --tenant contoso\n  opsroom-worker start inventory.sync --tenant contoso \\\n      --input '{\"scope\":\"families\",\"families\":[\"settings_catalog\"]}'"
    )]
    Start(Start),
    /// Operations that start by themselves at times of a zone's clock.
    Schedule {
        /// What to do with schedules.
        #[command(subcommand)]
        what: ScheduleCommand,
    },
    /// Counts per hour and day that the console reads: count anew, or compare with the runs.
    Rollups {
        /// What to do.
        #[command(subcommand)]
        what: Rollups,
    },
    /// How many days completed runs are kept, per type.
    Retention {
        /// What to do.
        #[command(subcommand)]
        what: Retention,
    },
    /// Remove completed runs past their retention, in small batches; workers do it by themselves, too.
    #[command(
        after_help = "Never removed: active runs, runs the rollups have not counted, what schedules fired. May be stopped at any point."
    )]
    Prune(Prune),
    /// Show or change what is set for all workers at once.
    #[command(
        after_help = "Examples:\n  opsroom-worker settings\n  opsroom-worker settings --tenant-limit 20\n  opsroom-worker settings --tenant contoso\n  opsroom-worker settings --tenant contoso --tenant-limit none"
    )]
    Settings(Settings),
    /// Workspaces, tenants, users, memberships and logins.
    Access {
        /// What to administer.
        #[command(subcommand)]
        what: Access,
    },
}

impl Command {
    /// What it is called, and the login it takes.
    pub(crate) const fn takes(&self) -> (&'static str, &'static str) {
        match self {
            Self::Migrate => ("migrate", "an administrator's login, with CREATEROLE"),
            Self::Work(_) => ("work", "a worker's login"),
            Self::Start(_) => ("start", "a starter's login"),
            Self::Schedule { what } => match what {
                ScheduleCommand::List(_) => ("schedule list", "a worker's or a reader's login"),
                ScheduleCommand::Next(_) => ("schedule next", "a worker's or a reader's login"),
                _ => ("schedule", "a worker's login to change one"),
            },
            Self::Rollups { .. } => ("rollups", "a worker's login"),
            Self::Retention { .. } => ("retention", "the owner's login"),
            Self::Prune(_) => ("prune", "a worker's login"),
            Self::Settings(_) => ("settings", "the owner's login"),
            Self::Access { .. } => ("access", "the owner's login"),
        }
    }
}

/// What to remove.
#[derive(Debug, Args)]
pub(crate) struct Prune {
    /// Days to keep where a type has no retention of its own, instead of the stored default.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(i32).range(1..=3650))]
    pub(crate) days: Option<i32>,
    /// Say what would go, and remove nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Runs removed in one transaction.
    #[arg(long, value_name = "N", default_value_t = 2000, allow_negative_numbers = true, value_parser = clap::value_parser!(i32).range(1..=50_000))]
    pub(crate) batch: i32,
}

/// How to execute.
#[derive(Debug, Args)]
pub(crate) struct Work {
    /// Runs executed at the same time.
    #[arg(long, default_value_t = 8, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) slots: u32,
    /// What the console calls this worker [default: the host's name].
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Only these types, separated by commas [default: all].
    #[arg(long, value_delimiter = ',', value_name = "TYPE")]
    pub(crate) types: Vec<String>,
    /// How long this worker counts as alive after its last beat, 1s to 1h.
    #[arg(long, default_value = "30s", value_parser = lease, value_name = "TIME")]
    pub(crate) lease: Duration,
    /// The longest wait before looking for work; four times as long while notifications wake it and
    /// there is none.
    #[arg(long, default_value = "1s", value_parser = duration, value_name = "TIME")]
    pub(crate) poll: Duration,
    /// Do not listen for notifications: poll alone, as behind a pooler that forbids LISTEN.
    #[arg(long)]
    pub(crate) no_notify: bool,
    /// How long jobs may go on once the worker was told to stop.
    #[arg(long, default_value = "30s", value_parser = duration, value_name = "TIME")]
    pub(crate) drain_timeout: Duration,
    /// What others may ask this worker.
    #[command(flatten)]
    pub(crate) monitoring: Monitoring,
    /// Microsoft Graph, and who vouches for us there.
    #[command(flatten)]
    pub(crate) graph: Graph,
}

/// What others may ask this worker.
#[derive(Debug, Args)]
pub(crate) struct Monitoring {
    /// Serve /metrics (Prometheus), /health and /ready at this address, e.g. 127.0.0.1:9464 [default: off].
    #[arg(long, env = "OPSROOM_METRICS", value_name = "ADDRESS")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Allow an address that others can reach: they learn operation types, counts and times.
    #[arg(long, requires = "metrics")]
    pub(crate) metrics_public: bool,
}

/// Microsoft Graph.
#[derive(Debug, Args)]
pub(crate) struct Graph {
    /// Base URL of Microsoft Graph.
    #[arg(
        long,
        env = "OPSROOM_GRAPH_URL",
        default_value = "https://graph.microsoft.com",
        value_name = "URL"
    )]
    pub(crate) graph_url: String,
    /// Base URL of the token endpoints.
    #[arg(
        long,
        env = "OPSROOM_GRAPH_LOGIN_URL",
        default_value = "https://login.microsoftonline.com",
        value_name = "URL"
    )]
    pub(crate) graph_login_url: String,
    /// Folder with one file per client secret, named as in the tenant's connection; needed for every type
    /// that calls Graph.
    #[arg(long, env = "OPSROOM_GRAPH_SECRETS", value_name = "DIR")]
    pub(crate) graph_secrets: Option<PathBuf>,
}

/// What to start.
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// The operation's type, e.g. inventory.sync.
    #[arg(value_name = "TYPE")]
    pub(crate) run_type: String,
    /// The tenant's name or id.
    #[arg(long)]
    pub(crate) tenant: String,
    /// The operation's input as JSON.
    #[arg(long, value_name = "JSON")]
    pub(crate) input: Option<String>,
    /// Its place among what waits of the same tenant; logins of people always start normal ones.
    #[arg(long, value_enum, default_value_t = Priority::Normal)]
    pub(crate) priority: Priority,
    /// Wake no idle worker: it finds the run at its next poll.
    #[arg(long)]
    pub(crate) no_notify: bool,
    /// How the answer looks on standard output.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}

/// How urgent a run is within its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Priority {
    /// Before all others.
    High,
    /// The usual.
    Normal,
    /// When nothing else is due.
    Low,
}

impl From<Priority> for opsroom_engine::Priority {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::High => Self::High,
            Priority::Normal => Self::Normal,
            Priority::Low => Self::Low,
        }
    }
}

/// What to set; without anything to set, what is set is shown.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// Runs of one tenant executed at the same time, over all workers: a number, or none.
    #[arg(long, value_parser = limit, allow_negative_numbers = true, value_name = "N")]
    pub(crate) tenant_limit: Option<Limit>,
    /// Show the limit of this tenant, or set it with --tenant-limit; none takes it away, so that the general
    /// one holds.
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    /// Whether starting a run notifies idle workers.
    #[arg(long, value_enum, value_name = "ON")]
    pub(crate) wake: Option<Switch>,
    /// Days that notifications stay.
    #[arg(long, allow_negative_numbers = true, value_parser = clap::value_parser!(i32).range(1..=36_500), value_name = "DAYS")]
    pub(crate) keep_notifications: Option<i32>,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// Yes.
    On,
    /// No.
    Off,
}

fn limit(text: &str) -> Result<Limit, String> {
    match text.parse() {
        _ if text == "none" => Ok(Limit::None),
        Ok(runs) if runs > 0 => Ok(Limit::AtMost(runs)),
        _ => Err("write a number above zero, or none".to_owned()),
    }
}

/// How an answer looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// One object.
    Json,
}

/// A length of time such as `500ms`, `30s`, `5m`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err("write a number and ms, s, m or h, as in 30s".to_owned()),
    };
    let millis = digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit));
    millis
        .filter(|millis| *millis > 0)
        .map(Duration::from_millis)
        .ok_or_else(|| "write a number above zero, as in 30s".to_owned())
}

/// The database takes leases from a second to an hour.
fn lease(text: &str) -> Result<Duration, String> {
    let lease = duration(text)?;
    if (Duration::from_secs(1)..=Duration::from_secs(3600)).contains(&lease) {
        Ok(lease)
    } else {
        Err("a lease is 1s to 1h long".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn lengths_of_time_need_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        for bad in ["5", "", "s", "0s", "-1s", "99999999999999999999h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
