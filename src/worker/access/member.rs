//! Memberships. Access to a tenant needs membership of the tenant and of its workspace; a role on the
//! workspace stands for all its tenants, present and future.

use super::{say, table};
use crate::failure::{Failure, USAGE};
use crate::tell::tell;
use clap::{Args, Subcommand};
use opsroom_engine::access::{self, Place};
use opsroom_model::Role;
use sqlx::{PgConnection, Row};

/// What to do with memberships.
#[derive(Debug, Subcommand)]
pub(crate) enum MemberCommand {
    /// Add a membership, or change its role.
    #[command(after_help = "Examples:
  opsroom-worker access member add 'Alice Meyer' --workspace emea
  opsroom-worker access member add 'Alice Meyer' \\
      --tenant contoso --role operator
  opsroom-worker access member add 'On-call' --workspace emea --role operator

A role in a workspace holds for every tenant of it.")]
    Add {
        /// The person.
        user: String,
        /// Where.
        #[command(flatten)]
        place: PlaceArgs,
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
        place: PlaceArgs,
    },
}

/// A workspace or a tenant.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PlaceArgs {
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
        MemberCommand::Add { user, place, role } => {
            let place = place.with(role)?;
            let change = access::add_member(connection, &user, &place).await?;
            say(
                change,
                &format!("{user} is a member of {}", describe(&place)),
                &format!("{user} was that already"),
            );
            tell_what_is_missing(connection, &user, &place).await
        }
        MemberCommand::List => list(connection).await,
        MemberCommand::Remove { user, place } => {
            let place = place.with(Some(Role::Readonly))?;
            let change = access::remove_member(connection, &user, &place).await?;
            say(
                change,
                &format!("{user} is no member any more"),
                &format!("{user} was no member"),
            );
            Ok(())
        }
    }
}

/// A membership of a tenant alone grants nothing: it takes one of its workspace as well.
async fn tell_what_is_missing(
    connection: &mut PgConnection,
    user: &str,
    place: &Place,
) -> Result<(), Failure> {
    let Place::Tenant(tenant, _) = place else {
        return Ok(());
    };
    let missing: Option<String> = sqlx::query_scalar(
        "select w.name from opsroom.tenants t join opsroom.workspaces w on w.id = t.workspace_id
          where t.name = $1
            and not exists (select from opsroom.workspace_members m join opsroom.users u on u.id = m.user_id
                             where m.workspace_id = w.id and u.name = $2)",
    )
    .bind(tenant)
    .bind(user)
    .fetch_optional(connection)
    .await?;
    if let Some(workspace) = missing {
        tell!(
            "it takes effect with a membership of the workspace, too: \
             opsroom-worker access member add '{user}' --workspace '{workspace}'"
        );
    }
    Ok(())
}

impl PlaceArgs {
    fn with(self, role: Option<Role>) -> Result<Place, Failure> {
        match (self.workspace, self.tenant, role) {
            (Some(workspace), _, role) => Ok(Place::Workspace(workspace, role)),
            (None, Some(tenant), Some(role)) => Ok(Place::Tenant(tenant, role)),
            (None, _, _) => Err(Failure::new("a membership of a tenant needs a role")
                .remedy("add --role owner, manager, operator or readonly")
                .code(USAGE)),
        }
    }
}

fn describe(place: &Place) -> String {
    match place {
        Place::Workspace(name, None) => format!("workspace {name}"),
        Place::Workspace(name, Some(role)) => {
            format!("workspace {name}, as {role} of all its tenants")
        }
        Place::Tenant(name, role) => format!("tenant {name}, as {role}"),
    }
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
