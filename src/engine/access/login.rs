//! Logins: database roles, each a member of exactly one of opsroom's group roles. Not here: the limits
//! of each kind (`settings`).

use super::{AccessError, Change, not_found, settings, tenant_id, user_id};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::fmt;

/// What a login may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginKind {
    /// Read what its person may see: the console.
    Reader,
    /// Start operations as its person.
    Starter,
    /// Execute runs of every tenant.
    Worker,
    /// Another application: record runs of the tenants it is registered for.
    App,
}

impl fmt::Display for LoginKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl LoginKind {
    /// The word as stored; the group role is `opsroom_` and this word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Starter => "starter",
            Self::Worker => "worker",
            Self::App => "app",
        }
    }
}

/// A login to add.
#[derive(Debug, Clone)]
pub struct NewLogin<'a> {
    /// The role's name.
    pub login: &'a str,
    /// What it may do.
    pub kind: LoginKind,
    /// The person it belongs to; without one a reader sees and a starter starts nothing.
    pub user: Option<&'a str>,
    /// `None` leaves the role without one: it needs another way in (peer, certificate). It travels
    /// to the server in a statement, which a server set to log DDL writes down.
    pub password: Option<&'a str>,
    /// For [`LoginKind::App`]: the tenants whose runs it may record.
    pub tenants: &'a [String],
}

/// Adds a login, or brings one of the same kind up to date: registrations are added, a person is given
/// to one that has none. A password that is given is set, and is no [`Change`] where the rest was so.
///
/// # Errors
/// [`AccessError::Taken`] where the role is of another kind, [`AccessError::Owned`] where it is another
/// person's; nothing was changed then.
pub async fn add_login(
    connection: &mut PgConnection,
    new: &NewLogin<'_>,
) -> Result<Change, AccessError> {
    let mut transaction = connection.begin().await?;
    let user = match new.user {
        Some(name) => Some(user_id(&mut transaction, name).await?),
        None => None,
    };
    let mut change = create_role(&mut transaction, new.login, new.kind).await?;
    let known = sqlx::query(
        "insert into opsroom.logins as l (login_role, user_id, kind) values ($1::name, $2, $3)
         on conflict (login_role) do update set user_id = excluded.user_id
          where l.user_id is null and excluded.user_id is not null",
    )
    .bind(new.login)
    .bind(user)
    .bind(new.kind.as_str())
    .execute(&mut *transaction)
    .await?;
    change = change.or(Change::of(known.rows_affected()));
    let owner: Option<String> = sqlx::query_scalar(
        "select u.name from opsroom.logins l join opsroom.users u on u.id = l.user_id
          where l.login_role = $1::name and l.user_id <> $2",
    )
    .bind(new.login)
    .bind(user)
    .fetch_optional(&mut *transaction)
    .await?;
    if let Some(user) = owner {
        return Err(AccessError::Owned {
            login: new.login.to_owned(),
            user,
        });
    }
    configure_role(&mut transaction, new).await?;
    for tenant in new.tenants {
        let tenant = tenant_id(&mut transaction, tenant).await?;
        let registered =
            sqlx::query("insert into opsroom.app_registrations (login_role, tenant_id) values ($1::name, $2) on conflict do nothing")
                .bind(new.login)
                .bind(tenant)
                .execute(&mut *transaction)
                .await?;
        change = change.or(Change::of(registered.rows_affected()));
    }
    transaction.commit().await?;
    Ok(change)
}

/// Removes a login and drops its role.
///
/// # Errors
/// [`AccessError::NotFound`] where it is no login of opsroom's.
pub async fn remove_login(connection: &mut PgConnection, login: &str) -> Result<(), AccessError> {
    let mut transaction = connection.begin().await?;
    let known = sqlx::query("delete from opsroom.logins where login_role = $1::name")
        .bind(login)
        .execute(&mut *transaction)
        .await?;
    if known.rows_affected() == 0 {
        return Err(not_found("login", login));
    }
    drop_role(&mut transaction, login).await?;
    transaction.commit().await?;
    Ok(())
}

/// Drops the role and, first, what it left in this database: a login can set default privileges, or
/// make large objects where the database is not hardened, and its role could not be dropped for those.
async fn drop_role(connection: &mut PgConnection, login: &str) -> Result<(), AccessError> {
    let present: bool =
        sqlx::query_scalar("select exists (select from pg_catalog.pg_roles where rolname = $1)")
            .bind(login)
            .fetch_one(&mut *connection)
            .await?;
    if !present {
        return Ok(());
    }
    // Owned things are dropped by members only; the membership goes with the role.
    utility(connection, "grant %I to current_user", &[login]).await?;
    utility(connection, "drop owned by %I", &[login]).await?;
    utility(connection, "drop role %I", &[login]).await
}

async fn create_role(
    connection: &mut PgConnection,
    login: &str,
    kind: LoginKind,
) -> Result<Change, AccessError> {
    let group = format!("opsroom_{kind}");
    // Administrators are members of the group roles, too; they must not be taken for a login of ours.
    let present: Option<(bool, Option<String>)> = sqlx::query_as(
        "select not (r.rolsuper or r.rolcreaterole or r.rolbypassrls)
                and array(select g.rolname from pg_auth_members m join pg_roles g on g.oid = m.roleid where m.member = r.oid)
                    = array[$2::name],
                (select l.kind from opsroom.logins l where l.login_role = r.rolname)
           from pg_roles r where r.rolname = $1",
    )
    .bind(login)
    .bind(&group)
    .fetch_optional(&mut *connection)
    .await?;
    match present {
        None => {
            utility(
                connection,
                "create role %I login inherit nosuperuser nocreatedb nocreaterole in role %I",
                &[login, &group],
            )
            .await?;
            Ok(Change::Made)
        }
        Some((true, None)) => Ok(Change::Made),
        Some((true, Some(known))) if known == kind.as_str() => Ok(Change::Already),
        Some((_, Some(taken_as))) => Err(AccessError::Taken {
            login: login.to_owned(),
            taken_as,
        }),
        Some((_, None)) => Err(AccessError::ForeignRole {
            login: login.to_owned(),
        }),
    }
}

async fn configure_role(
    connection: &mut PgConnection,
    new: &NewLogin<'_>,
) -> Result<(), AccessError> {
    settings::apply(connection, Some(new.login)).await?;
    if let Some(password) = new.password {
        utility(
            connection,
            "alter role %I password %L",
            &[new.login, password],
        )
        .await?;
    }
    Ok(())
}

/// Runs a statement that takes no parameters, its parts quoted by the server.
pub(super) async fn utility(
    connection: &mut PgConnection,
    template: &str,
    parts: &[&str],
) -> Result<(), AccessError> {
    let statement: String = sqlx::query_scalar("select format($1, variadic $2::text[])")
        .bind(template)
        .bind(parts)
        .fetch_one(&mut *connection)
        .await?;
    sqlx::query(AssertSqlSafe(statement))
        .execute(connection)
        .await?;
    Ok(())
}
