//! People. Whoever initiated runs stays on record by name, without logins and memberships.

use super::{say, table, user_id};
use crate::failure::Failure;
use clap::Subcommand;
use opsroom_engine::EngineError;
use sqlx::{Connection as _, PgConnection, Row};

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
            let added =
                sqlx::query("insert into opsroom.users (name) values ($1) on conflict do nothing")
                    .bind(&name)
                    .execute(connection)
                    .await?;
            say(
                added.rows_affected(),
                &format!("user {name} added"),
                &format!("user {name} was there already"),
            );
        }
        UserCommand::List => {
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
        }
        UserCommand::Remove { name } => remove(connection, &name).await?,
    }
    Ok(())
}

async fn remove(connection: &mut PgConnection, name: &str) -> Result<(), Failure> {
    let user = user_id(connection, name).await?;
    let mut transaction = connection.begin().await?;
    for statement in [
        "delete from opsroom.tenant_members where user_id = $1",
        "delete from opsroom.workspace_members where user_id = $1",
        "delete from opsroom.logins where user_id = $1",
    ] {
        sqlx::query(statement)
            .bind(user)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    let gone = sqlx::query("delete from opsroom.users where id = $1")
        .bind(user)
        .execute(connection)
        .await;
    match gone.map_err(EngineError::from) {
        Ok(_) => println!("user {name} removed"),
        Err(error) if error.sqlstate() == Some("23503") => {
            println!(
                "user {name} has no logins and memberships any more; the name stays on the runs it started"
            );
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
