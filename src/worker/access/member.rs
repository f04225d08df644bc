//! Memberships. Access to a tenant needs membership of the tenant and of its workspace; a role on the
//! workspace stands for all its tenants, present and future.

use super::{say, table, tenant_id, user_id, workspace_id};
use crate::failure::Failure;
use clap::{Args, Subcommand};
use opsroom_model::Role;
use sqlx::{PgConnection, Row};

/// What to do with memberships.
#[derive(Debug, Subcommand)]
pub(crate) enum MemberCommand {
    /// Add a membership, or change its role.
    #[command(after_help = "Examples:
  opsroom-worker access member add 'Alice Meyer' --workspace emea
  opsroom-worker access member add 'Alice Meyer' --tenant contoso --role operator
  opsroom-worker access member add 'On-call' --workspace emea --role operator   # every tenant of emea")]
    Add {
        /// The person.
        user: String,
        /// Where.
        #[command(flatten)]
        place: Place,
        /// owner, manager, operator or readonly; needed for a tenant.
        #[arg(long)]
        role: Option<Role>,
    },
    /// List memberships.
    List,
    /// Remove a membership.
    Remove {
        /// The person.
        user: String,
        /// Where.
        #[command(flatten)]
        place: Place,
    },
}

/// A workspace or a tenant.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Place {
    /// The workspace's name.
    #[arg(long)]
    workspace: Option<String>,
    /// The tenant's name.
    #[arg(long)]
    tenant: Option<String>,
}

pub(super) async fn run(
    connection: &mut PgConnection,
    command: MemberCommand,
) -> Result<(), Failure> {
    match command {
        MemberCommand::Add { user, place, role } => add(connection, &user, &place, role).await,
        MemberCommand::List => list(connection).await,
        MemberCommand::Remove { user, place } => remove(connection, &user, &place).await,
    }
}

async fn add(
    connection: &mut PgConnection,
    user: &str,
    place: &Place,
    role: Option<Role>,
) -> Result<(), Failure> {
    let id = user_id(connection, user).await?;
    let (changed, place) = match (&place.workspace, &place.tenant) {
        (Some(workspace), _) => {
            let workspace_id = workspace_id(connection, workspace).await?;
            let changed = sqlx::query(
                "insert into opsroom.workspace_members as m (workspace_id, user_id, role) values ($1, $2, $3)
                 on conflict (workspace_id, user_id) do update set role = excluded.role
                  where m.role is distinct from excluded.role",
            )
            .bind(workspace_id)
            .bind(id)
            .bind(role.map(Role::as_str))
            .execute(connection)
            .await?;
            (changed, format!("workspace {workspace}"))
        }
        (None, Some(tenant)) => {
            let Some(role) = role else {
                return Err(Failure::new("a membership of a tenant needs a role")
                    .remedy("add --role owner, manager, operator or readonly")
                    .code(crate::failure::USAGE));
            };
            let tenant_id = tenant_id(connection, tenant).await?;
            let changed = sqlx::query(
                "insert into opsroom.tenant_members as m (tenant_id, user_id, role) values ($1, $2, $3)
                 on conflict (tenant_id, user_id) do update set role = excluded.role
                  where m.role is distinct from excluded.role",
            )
            .bind(tenant_id)
            .bind(id)
            .bind(role.as_str())
            .execute(connection)
            .await?;
            (changed, format!("tenant {tenant}"))
        }
        // clap asks for one of them.
        (None, None) => return Ok(()),
    };
    let role = role.map_or_else(String::new, |role| format!(" as {role}"));
    say(
        changed.rows_affected(),
        &format!("{user} is a member of {place}{role}"),
        &format!("{user} was that already"),
    );
    Ok(())
}

async fn list(connection: &mut PgConnection) -> Result<(), Failure> {
    let rows = sqlx::query(
        "select u.name as who, 'workspace' as kind, w.name as place, coalesce(m.role, '') as role
           from opsroom.workspace_members m join opsroom.users u on u.id = m.user_id
           join opsroom.workspaces w on w.id = m.workspace_id
         union all
         select u.name, 'tenant', t.name, m.role
           from opsroom.tenant_members m join opsroom.users u on u.id = m.user_id
           join opsroom.tenants t on t.id = m.tenant_id
         order by who, kind desc, place",
    )
    .fetch_all(connection)
    .await?;
    let rows: Vec<_> = rows
        .iter()
        .map(|row| (0..4).map(|column| row.get(column)).collect())
        .collect();
    table(&["USER", "OF", "NAME", "ROLE"], &rows);
    Ok(())
}

async fn remove(connection: &mut PgConnection, user: &str, place: &Place) -> Result<(), Failure> {
    let id = user_id(connection, user).await?;
    let query = match (&place.workspace, &place.tenant) {
        (Some(workspace), _) => sqlx::query(
            "delete from opsroom.workspace_members where workspace_id = $1 and user_id = $2",
        )
        .bind(workspace_id(connection, workspace).await?),
        (None, Some(tenant)) => {
            sqlx::query("delete from opsroom.tenant_members where tenant_id = $1 and user_id = $2")
                .bind(tenant_id(connection, tenant).await?)
        }
        (None, None) => return Ok(()),
    };
    let removed = query.bind(id).execute(connection).await?;
    say(
        removed.rows_affected(),
        &format!("{user} is no member any more"),
        &format!("{user} was no member"),
    );
    Ok(())
}
