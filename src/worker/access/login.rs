//! Logins: database roles, each a member of exactly one of opsroom's group roles, with limits that
//! suit it. The password comes from the environment and goes nowhere else.

use super::{needs_createrole, say, table};
use crate::failure::{Failure, USAGE};
use crate::tell::tell;
use clap::{Subcommand, ValueEnum};
use opsroom_engine::access::{self, LoginKind, NewLogin};
use sqlx::{PgConnection, Row};

/// What to do with logins.
#[derive(Debug, Subcommand)]
pub(crate) enum LoginCommand {
    /// Add a login.
    #[command(after_help = "Examples:
  OPSROOM_LOGIN_PASSWORD=… \\
      opsroom-worker access login add alice --kind reader --user 'Alice Meyer'
  opsroom-worker access login add billing_app --kind app \\
      --tenant contoso --tenant fabrikam

Without OPSROOM_LOGIN_PASSWORD the login has no password and needs another way in (peer, certificate).")]
    Add {
        /// The role's name.
        login: String,
        /// What it may do.
        #[arg(long, value_enum)]
        kind: Kind,
        /// The person it belongs to; readers and starters need one.
        #[arg(long)]
        user: Option<String>,
        /// For app: a tenant whose runs it may record; give it once per tenant.
        #[arg(long)]
        tenant: Vec<String>,
    },
    /// List the logins.
    List,
    /// Bring the limits of all logins (timeouts, connections) to what this version sets.
    #[command(
        after_help = "It prints what it changed, and changes nothing the second time. For logins made by an earlier version, and
where a login changed its own. As a superuser it also limits their temporary files, as access harden does."
    )]
    Refresh,
    /// Remove a login and its role.
    Remove {
        /// The role's name.
        login: String,
    },
}

/// What a login may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Read what its person may see: the console.
    Reader,
    /// Start operations as its person.
    Starter,
    /// Execute runs of every tenant.
    Worker,
    /// Another application: record runs of the tenants it is registered for.
    App,
}

impl From<Kind> for LoginKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Reader => Self::Reader,
            Kind::Starter => Self::Starter,
            Kind::Worker => Self::Worker,
            Kind::App => Self::App,
        }
    }
}

pub(super) async fn run(
    connection: &mut PgConnection,
    command: LoginCommand,
) -> Result<(), Failure> {
    match command {
        LoginCommand::Add {
            login,
            kind,
            user,
            tenant,
        } => add(connection, &login, kind.into(), user.as_deref(), &tenant).await,
        LoginCommand::List => list(connection).await,
        LoginCommand::Refresh => {
            let done = access::refresh_logins(connection)
                .await
                .map_err(needs_createrole)?;
            for what in &done {
                tell!("{what}");
            }
            if done.is_empty() {
                tell!("nothing to change: every login has its limits");
            }
            Ok(())
        }
        LoginCommand::Remove { login } => {
            let sessions: i64 = sqlx::query_scalar(
                "select count(*) from pg_stat_activity where usename = $1::name",
            )
            .bind(&login)
            .fetch_one(&mut *connection)
            .await?;
            access::remove_login(connection, &login)
                .await
                .map_err(needs_createrole)?;
            tell!("login {login} removed");
            match sessions {
                0 => {}
                open => tell!(
                    "{open} of its sessions are still connected, without rights; end those programs"
                ),
            }
            Ok(())
        }
    }
}

async fn add(
    connection: &mut PgConnection,
    login: &str,
    kind: LoginKind,
    user: Option<&str>,
    tenants: &[String],
) -> Result<(), Failure> {
    if matches!(kind, LoginKind::Reader | LoginKind::Starter) && user.is_none() {
        return Err(Failure::new(format!("a {kind} login belongs to a person"))
            .remedy("add --user NAME")
            .code(USAGE));
    }
    if (kind == LoginKind::App) == tenants.is_empty() {
        let remedy = if tenants.is_empty() {
            "add --tenant NAME"
        } else {
            "leave --tenant away, or use --kind app"
        };
        return Err(
            Failure::new("tenants are registered for app logins, and only for them")
                .remedy(remedy)
                .code(USAGE),
        );
    }
    let password = std::env::var("OPSROOM_LOGIN_PASSWORD")
        .ok()
        .filter(|password| !password.is_empty());
    let new = NewLogin {
        login,
        kind,
        user,
        password: password.as_deref(),
        tenants,
    };
    let change = access::add_login(connection, &new)
        .await
        .map_err(needs_createrole)?;
    let already = match password {
        Some(_) => format!("login {login} was there already; its password was changed"),
        None => format!("login {login} was there already"),
    };
    say(change, &format!("login {login} added as {kind}"), &already);
    Ok(())
}

async fn list(connection: &mut PgConnection) -> Result<(), Failure> {
    let rows = sqlx::query(
        "select l.login_role::text, l.kind, coalesce(u.name, ''),
                case when l.kind = 'worker' or s.all_tenants then 'all'
                     when l.kind = 'app'
                     then (select count(*)::text from opsroom.app_registrations a where a.login_role = l.login_role)
                     else (select count(*)::text from opsroom.reach r where r.login_role = l.login_role) end
           from opsroom.logins l left join opsroom.users u on u.id = l.user_id
           left join opsroom.login_scope s on s.login_role = l.login_role order by 1",
    )
    .fetch_all(connection)
    .await?;
    let rows: Vec<_> = rows
        .iter()
        .map(|row| (0..4).map(|column| row.get(column)).collect())
        .collect();
    table(&["LOGIN", "KIND", "USER", "TENANTS"], &rows);
    Ok(())
}
