//! Administering who there is and who may what: workspaces, tenants, users, memberships, logins. For
//! the owner's login; the database audits every change. Adding what is there already, or removing
//! what is not, changes nothing and says so.

mod graph;
mod harden;
mod login;
mod settings;

pub use graph::{GraphConnection, connect_graph};
pub use harden::{harden, open_databases, temporary_for_all};
pub use login::{LoginKind, NewLogin, add_login, remove_login};
pub use settings::refresh_logins;

use crate::error::EngineError;
use opsroom_model::Role;
use sqlx::PgConnection;
use thiserror::Error;

/// What a change came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Something is different now.
    Made,
    /// It was so already.
    Already,
}

impl Change {
    fn of(rows: u64) -> Self {
        if rows > 0 { Self::Made } else { Self::Already }
    }

    fn or(self, other: Self) -> Self {
        if self == Self::Made { self } else { other }
    }
}

/// Why a change was not made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AccessError {
    /// It names something that does not exist.
    #[error("there is no {what} '{name}'")]
    NotFound {
        /// `user`, `workspace`, `tenant` or `login`.
        what: &'static str,
        /// As given.
        name: String,
    },
    /// Something else still needs what was to be removed.
    #[error("{what} '{name}' is still in use: it has {by}")]
    InUse {
        /// `workspace` or `tenant`.
        what: &'static str,
        /// As given.
        name: String,
        /// What holds it.
        by: &'static str,
    },
    /// The name is taken by a login of another kind.
    #[error(
        "login '{login}' is there already, as {taken_as}; choose another name, or remove it first"
    )]
    Taken {
        /// As given.
        login: String,
        /// What it is.
        taken_as: String,
    },
    /// The login belongs to somebody else, and a login goes from nobody to anybody.
    #[error("login '{login}' is {user}'s already; remove it first, or add one of another name")]
    Owned {
        /// As given.
        login: String,
        /// Whose it is.
        user: String,
    },
    /// The tenant is there already, in another workspace, where it stays.
    #[error("tenant '{tenant}' is in workspace '{workspace}' already, and stays there")]
    Elsewhere {
        /// As given.
        tenant: String,
        /// The workspace it is in.
        workspace: String,
    },
    /// The name is taken by a role of the server that is no login of opsroom's, and stays as it is.
    #[error(
        "there is a role '{login}' on this server already, and it is none of opsroom's logins; choose another name"
    )]
    ForeignRole {
        /// As given.
        login: String,
    },
    /// A name is empty, too long, or has control characters.
    #[error("a name has 1 to 100 characters and no control characters")]
    BadName,
    /// Hardening asked for by another login.
    #[error("hardening a database takes a superuser's login")]
    NeedsSuperuser,
    /// The database failed or refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<sqlx::Error> for AccessError {
    fn from(error: sqlx::Error) -> Self {
        match EngineError::from(error) {
            error if error.sqlstate() == Some("23514") => Self::BadName,
            error => Self::Engine(error),
        }
    }
}

/// Where a membership holds.
#[derive(Debug, Clone)]
pub enum Place {
    /// In a workspace, with a role for all its tenants or as a mere member.
    Workspace(String, Option<Role>),
    /// In one tenant; takes effect together with a membership of its workspace.
    Tenant(String, Role),
}

/// The id behind a name.
///
/// # Errors
/// [`AccessError::NotFound`].
pub async fn user_id(connection: &mut PgConnection, name: &str) -> Result<i64, AccessError> {
    let id = sqlx::query_scalar("select id from opsroom.users where name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await?;
    id.ok_or_else(|| not_found("user", name))
}

async fn workspace_id(connection: &mut PgConnection, name: &str) -> Result<i64, AccessError> {
    let id = sqlx::query_scalar("select id from opsroom.workspaces where name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await?;
    id.ok_or_else(|| not_found("workspace", name))
}

async fn tenant_id(connection: &mut PgConnection, name: &str) -> Result<i64, AccessError> {
    let id = sqlx::query_scalar("select id from opsroom.tenants where name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await?;
    id.ok_or_else(|| not_found("tenant", name))
}

fn not_found(what: &'static str, name: &str) -> AccessError {
    AccessError::NotFound {
        what,
        name: name.chars().take(100).collect(),
    }
}

/// Adds a workspace.
///
/// # Errors
/// [`AccessError`].
pub async fn add_workspace(
    connection: &mut PgConnection,
    name: &str,
) -> Result<Change, AccessError> {
    let added =
        sqlx::query("insert into opsroom.workspaces (name) values ($1) on conflict do nothing")
            .bind(name);
    Ok(Change::of(added.execute(connection).await?.rows_affected()))
}

/// Adds a tenant to a workspace. Idempotent.
///
/// # Errors
/// [`AccessError::Elsewhere`] where another workspace has it; nothing changed then.
pub async fn add_tenant(
    connection: &mut PgConnection,
    name: &str,
    workspace: &str,
) -> Result<Change, AccessError> {
    let workspace = workspace_id(connection, workspace).await?;
    let added = sqlx::query(
        "insert into opsroom.tenants (workspace_id, name) values ($1, $2) on conflict do nothing",
    )
    .bind(workspace)
    .bind(name)
    .execute(&mut *connection)
    .await?;
    let elsewhere: Option<String> = sqlx::query_scalar(
        "select w.name from opsroom.tenants t join opsroom.workspaces w on w.id = t.workspace_id
          where t.name = $1 and w.id <> $2",
    )
    .bind(name)
    .bind(workspace)
    .fetch_optional(connection)
    .await?;
    match elsewhere {
        None => Ok(Change::of(added.rows_affected())),
        Some(workspace) => Err(AccessError::Elsewhere {
            tenant: name.to_owned(),
            workspace,
        }),
    }
}

/// Adds a person.
///
/// # Errors
/// [`AccessError`].
pub async fn add_user(connection: &mut PgConnection, name: &str) -> Result<Change, AccessError> {
    let added = sqlx::query("insert into opsroom.users (name) values ($1) on conflict do nothing")
        .bind(name);
    Ok(Change::of(added.execute(connection).await?.rows_affected()))
}

/// Adds a membership or changes its role.
///
/// # Errors
/// [`AccessError`].
pub async fn add_member(
    connection: &mut PgConnection,
    user: &str,
    place: &Place,
) -> Result<Change, AccessError> {
    let user = user_id(connection, user).await?;
    let (query, place, role) = match place {
        Place::Workspace(name, role) => (
            "insert into opsroom.workspace_members as m (workspace_id, user_id, role) values ($1, $2, $3)
             on conflict (workspace_id, user_id) do update set role = excluded.role where m.role is distinct from excluded.role",
            workspace_id(connection, name).await?,
            role.map(Role::as_str),
        ),
        Place::Tenant(name, role) => (
            "insert into opsroom.tenant_members as m (tenant_id, user_id, role) values ($1, $2, $3)
             on conflict (tenant_id, user_id) do update set role = excluded.role where m.role is distinct from excluded.role",
            tenant_id(connection, name).await?,
            Some(role.as_str()),
        ),
    };
    let changed = sqlx::query(query)
        .bind(place)
        .bind(user)
        .bind(role)
        .execute(connection)
        .await?;
    Ok(Change::of(changed.rows_affected()))
}

/// Removes a membership; the role of `place` does not matter.
///
/// # Errors
/// [`AccessError`].
pub async fn remove_member(
    connection: &mut PgConnection,
    user: &str,
    place: &Place,
) -> Result<Change, AccessError> {
    let user = user_id(connection, user).await?;
    let (query, place) = match place {
        Place::Workspace(name, _) => (
            "delete from opsroom.workspace_members where workspace_id = $1 and user_id = $2",
            workspace_id(connection, name).await?,
        ),
        Place::Tenant(name, _) => (
            "delete from opsroom.tenant_members where tenant_id = $1 and user_id = $2",
            tenant_id(connection, name).await?,
        ),
    };
    let removed = sqlx::query(query)
        .bind(place)
        .bind(user)
        .execute(connection)
        .await?;
    Ok(Change::of(removed.rows_affected()))
}

/// Removes a workspace without tenants.
///
/// # Errors
/// [`AccessError::InUse`] where it has some.
pub async fn remove_workspace(
    connection: &mut PgConnection,
    name: &str,
) -> Result<Change, AccessError> {
    let removed = sqlx::query("delete from opsroom.workspaces where name = $1")
        .bind(name)
        .execute(connection)
        .await;
    removal(removed, "workspace", name, "tenants")
}

/// Removes a tenant without runs, and with it its memberships, inventory and schedules.
///
/// # Errors
/// [`AccessError::InUse`] where it has some.
pub async fn remove_tenant(
    connection: &mut PgConnection,
    name: &str,
) -> Result<Change, AccessError> {
    let removed = sqlx::query("delete from opsroom.tenants where name = $1")
        .bind(name)
        .execute(connection)
        .await;
    removal(removed, "tenant", name, "runs")
}

fn removal(
    removed: Result<sqlx::postgres::PgQueryResult, sqlx::Error>,
    what: &'static str,
    name: &str,
    by: &'static str,
) -> Result<Change, AccessError> {
    match removed.map_err(EngineError::from) {
        Ok(done) => Ok(Change::of(done.rows_affected())),
        Err(error) if error.sqlstate() == Some("23503") => Err(AccessError::InUse {
            what,
            name: name.chars().take(100).collect(),
            by,
        }),
        Err(error) => Err(error.into()),
    }
}

/// What is left of a person after the removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserRemoval {
    /// Nothing.
    Gone,
    /// The name alone, on the runs it initiated.
    NameStays,
}

/// Takes away a person's memberships and logins, and the person where no run carries the name.
/// The database roles of the logins are dropped, too.
///
/// # Errors
/// [`AccessError`]; in parts where the connection broke between the steps, and repeatable then.
pub async fn remove_user(
    connection: &mut PgConnection,
    name: &str,
) -> Result<UserRemoval, AccessError> {
    let user = user_id(connection, name).await?;
    let logins: Vec<String> =
        sqlx::query_scalar("select login_role::text from opsroom.logins where user_id = $1")
            .bind(user)
            .fetch_all(&mut *connection)
            .await?;
    for login in logins {
        remove_login(connection, &login).await?;
    }
    for statement in [
        "delete from opsroom.tenant_members where user_id = $1",
        "delete from opsroom.workspace_members where user_id = $1",
    ] {
        sqlx::query(statement)
            .bind(user)
            .execute(&mut *connection)
            .await?;
    }
    let gone = sqlx::query("delete from opsroom.users where id = $1")
        .bind(user)
        .execute(connection)
        .await;
    match gone.map_err(EngineError::from) {
        Ok(_) => Ok(UserRemoval::Gone),
        Err(error) if error.sqlstate() == Some("23503") => Ok(UserRemoval::NameStays),
        Err(error) => Err(error.into()),
    }
}
