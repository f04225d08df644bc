//! `opsroom-worker migrate`.

use crate::cli::Database;
use crate::database;
use crate::failure::Failure;
use crate::tell::{note, tell};
use opsroom_engine::access;

pub(crate) async fn run(database: &Database) -> Result<(), Failure> {
    let mut connection = database::connect(database).await?;
    let migrated = opsroom_engine::migrate(&mut connection, |version, description| {
        note!("migration {version:04} {description}");
    })
    .await?;
    match migrated.applied.len() {
        0 => tell!("the schema is current (version {})", migrated.version),
        applied => tell!(
            "{applied} migrations applied, the schema is at version {}",
            migrated.version
        ),
    }
    if access::temporary_for_all(&mut connection).await? {
        note!(
            "warning: every login may make temporary tables and functions here; `opsroom-worker access harden`, run by a superuser, takes that away"
        );
    }
    Ok(())
}
