//! Logins: database roles, each a member of exactly one of opsroom's group roles, with limits that
//! suit it. The password comes from the environment and goes nowhere else.

use super::{say, table, tenant_id, user_id};
use crate::failure::{Failure, USAGE};
use clap::{Subcommand, ValueEnum};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row};

/// What to do with logins.
#[derive(Debug, Subcommand)]
pub(crate) enum LoginCommand {
    /// Add a login.
    #[command(after_help = "Examples:
  OPSROOM_LOGIN_PASSWORD=… opsroom-worker access login add alice --kind reader --user 'Alice Meyer'
  opsroom-worker access login add billing_app --kind app --tenant contoso --tenant fabrikam

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

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Starter => "starter",
            Self::Worker => "worker",
            Self::App => "app",
        }
    }

    const fn connection_limit(self) -> u32 {
        match self {
            Self::Reader => 10,
            Self::Starter | Self::App => 50,
            Self::Worker => 100,
        }
    }

    /// Settings of the role: the session may still change most of them, so they guard against
    /// accidents; the grants guard against intent.
    const fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Reader => &[
                ("default_transaction_read_only", "on"),
                ("statement_timeout", "10s"),
                ("lock_timeout", "1s"),
                ("idle_in_transaction_session_timeout", "10s"),
                ("jit", "off"),
                ("plan_cache_mode", "force_custom_plan"),
            ],
            Self::Starter | Self::App => &[
                ("statement_timeout", "10s"),
                ("lock_timeout", "2s"),
                ("idle_in_transaction_session_timeout", "60s"),
                ("jit", "off"),
            ],
            Self::Worker => &[
                ("statement_timeout", "60s"),
                ("idle_in_transaction_session_timeout", "60s"),
                ("jit", "off"),
            ],
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
        } => add(connection, &login, kind, user.as_deref(), &tenant).await,
        LoginCommand::List => list(connection).await,
        LoginCommand::Remove { login } => remove(connection, &login).await,
    }
}

async fn add(
    connection: &mut PgConnection,
    login: &str,
    kind: Kind,
    user: Option<&str>,
    tenants: &[String],
) -> Result<(), Failure> {
    if matches!(kind, Kind::Reader | Kind::Starter) && user.is_none() {
        return Err(
            Failure::new(format!("a {} login belongs to a person", kind.word()))
                .remedy("add --user NAME")
                .code(USAGE),
        );
    }
    if kind == Kind::App && tenants.is_empty() {
        return Err(Failure::new("an app login is registered for tenants")
            .remedy("add --tenant NAME")
            .code(USAGE));
    }
    let password = std::env::var("OPSROOM_LOGIN_PASSWORD")
        .ok()
        .filter(|password| !password.is_empty());
    let mut transaction = connection.begin().await?;
    let user = match user {
        Some(name) => Some(user_id(&mut transaction, name).await?),
        None => None,
    };
    let created = create_role(&mut transaction, login, kind).await?;
    configure_role(&mut transaction, login, kind, password.as_deref()).await?;
    let known = sqlx::query(
        "insert into opsroom.logins as l (login_role, user_id, kind) values ($1::name, $2, $3)
         on conflict (login_role) do update set user_id = excluded.user_id where l.user_id is distinct from excluded.user_id",
    )
    .bind(login)
    .bind(user)
    .bind(kind.word())
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    for tenant in tenants {
        let tenant = tenant_id(&mut transaction, tenant).await?;
        sqlx::query("insert into opsroom.app_registrations (login_role, tenant_id) values ($1::name, $2) on conflict do nothing")
            .bind(login)
            .bind(tenant)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    say(
        known + u64::from(created),
        &format!("login {login} added as {}", kind.word()),
        &format!("login {login} was there already"),
    );
    Ok(())
}

/// Creates the role, or accepts one that is of this kind already.
async fn create_role(
    connection: &mut PgConnection,
    login: &str,
    kind: Kind,
) -> Result<bool, Failure> {
    let group = format!("opsroom_{}", kind.word());
    let present: Option<(bool, Option<String>)> = sqlx::query_as(
        "select pg_has_role(r.oid, $2::name, 'member'),
                (select l.kind from opsroom.logins l where l.login_role = r.rolname)
           from pg_roles r where r.rolname = $1",
    )
    .bind(login)
    .bind(&group)
    .fetch_optional(&mut *connection)
    .await?;
    match present {
        Some((true, Some(known))) if known == kind.word() => return Ok(false),
        Some((_, Some(known))) => {
            return Err(
                Failure::new(format!("login {login} is there already, as {known}"))
                    .remedy("choose another name, or remove it first"),
            );
        }
        Some((true, None)) => return Ok(true),
        Some((false, None)) => {
            return Err(Failure::new(format!(
                "a role {login} that is none of opsroom's is there already"
            ))
            .remedy("choose another name"));
        }
        None => {}
    }
    let statement: String =
        sqlx::query_scalar("select format('create role %I login inherit nosuperuser nocreatedb nocreaterole in role %I', $1::text, $2::text)")
            .bind(login)
            .bind(&group)
            .fetch_one(&mut *connection)
            .await?;
    sqlx::query(AssertSqlSafe(statement))
        .execute(connection)
        .await?;
    Ok(true)
}

async fn configure_role(
    connection: &mut PgConnection,
    login: &str,
    kind: Kind,
    password: Option<&str>,
) -> Result<(), Failure> {
    let mut statements: Vec<String> = vec![
        sqlx::query_scalar(
            "select format('alter role %I connection limit %s', $1::text, $2::text)",
        )
        .bind(login)
        .bind(kind.connection_limit().to_string())
        .fetch_one(&mut *connection)
        .await?,
    ];
    for (name, value) in kind.settings() {
        let statement = sqlx::query_scalar(
            "select format('alter role %I set %I = %L', $1::text, $2::text, $3::text)",
        )
        .bind(login)
        .bind(name)
        .bind(value)
        .fetch_one(&mut *connection)
        .await?;
        statements.push(statement);
    }
    if let Some(password) = password {
        let statement =
            sqlx::query_scalar("select format('alter role %I password %L', $1::text, $2::text)")
                .bind(login)
                .bind(password)
                .fetch_one(&mut *connection)
                .await?;
        statements.push(statement);
    }
    for statement in statements {
        // format() above quoted every part.
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn list(connection: &mut PgConnection) -> Result<(), Failure> {
    let rows = sqlx::query(
        "select l.login_role::text, l.kind, coalesce(u.name, ''),
                case when s.all_tenants then 'all'
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

async fn remove(connection: &mut PgConnection, login: &str) -> Result<(), Failure> {
    let mut transaction = connection.begin().await?;
    let known = sqlx::query("delete from opsroom.logins where login_role = $1::name")
        .bind(login)
        .execute(&mut *transaction)
        .await?;
    if known.rows_affected() == 0 {
        return Err(super::not_found("login", login));
    }
    let statement: String = sqlx::query_scalar("select format('drop role if exists %I', $1::text)")
        .bind(login)
        .fetch_one(&mut *transaction)
        .await?;
    sqlx::query(AssertSqlSafe(statement))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    println!("login {login} removed");
    Ok(())
}
