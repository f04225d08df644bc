//! People. Whoever initiated runs stays on record by name, without logins and memberships.

use super::{needs_createrole, say, table};
use crate::failure::Failure;
use crate::tell::tell;
use clap::Subcommand;
use opsroom_engine::access::{self, UserRemoval};
use sqlx::{PgConnection, Row};

/// What to do with people.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a person.
    Add {
        /// The name that runs will carry.
        name: String,
    },
    /// List people with their logins.
    List,
    /// Take away a person's memberships and login records.
    Remove {
        /// The name.
        name: String,
    },
}

pub(super) async fn run(
    connection: &mut PgConnection,
    command: UserCommand,
) -> Result<(), Failure> {
    match command {
        UserCommand::Add { name } => {
            let change = access::add_user(connection, &name).await?;
            say(
                change,
                &format!("user {name} added"),
                &format!("user {name} was there already"),
            );
        }
        UserCommand::List => list(connection).await?,
        UserCommand::Remove { name } => match access::remove_user(connection, &name)
            .await
            .map_err(needs_createrole)?
        {
            UserRemoval::Gone => tell!("user {name} removed"),
            UserRemoval::NameStays => {
                tell!(
                    "user {name} has no logins and memberships any more; the name stays on the runs it started"
                );
            }
        },
    }
    Ok(())
}

async fn list(connection: &mut PgConnection) -> Result<(), Failure> {
    let rows = sqlx::query(
        "select u.name, coalesce(string_agg(l.login_role::text, ', ' order by l.login_role), '')
           from opsroom.users u left join opsroom.logins l on l.user_id = u.id group by u.id order by u.name",
    )
    .fetch_all(connection)
    .await?;
    let rows: Vec<_> = rows
        .iter()
        .map(|row| vec![row.get(0), row.get(1)])
        .collect();
    table(&["USER", "LOGINS"], &rows);
    Ok(())
}
