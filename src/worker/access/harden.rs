//! Hardening a database: what only a superuser may take away from everybody.

use crate::failure::{FORBIDDEN, Failure};
use crate::tell::tell;
use opsroom_engine::access::{self, AccessError};
use sqlx::PgConnection;

pub(super) async fn run(connection: &mut PgConnection) -> Result<(), Failure> {
    let done = access::harden(connection).await.map_err(explain)?;
    for what in &done {
        tell!("{what}");
    }
    if done.is_empty() {
        tell!("nothing to change: this database is hardened already");
    }
    let open = access::open_databases(connection).await?;
    if !open.is_empty() {
        tell!(
            "left open: every login may connect to {}; revoke connect on those from public, or say so in pg_hba.conf",
            open.join(", ")
        );
    }
    Ok(())
}

fn explain(error: AccessError) -> Failure {
    match error {
        AccessError::NeedsSuperuser => Failure::new(error.to_string())
            .remedy("run it once as a superuser, for example postgres")
            .code(FORBIDDEN),
        error => error.into(),
    }
}
