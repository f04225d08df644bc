//! Rollups of what was loaded: a worker would count it day by day, and until then no screen that reads
//! them could be looked at.

use crate::error::SeedError;
use crate::{Stage, run};
use opsroom_engine::rollups;
use sqlx::PgConnection;
use std::time::Duration;

/// Counts what is not counted yet; idempotent, and beside workers that do the same.
pub(crate) async fn catch_up(
    owner: &mut PgConnection,
    told: &mut (dyn FnMut(Stage) + Send),
) -> Result<(), SeedError> {
    told(Stage::Step("rollups"));
    let of = rollups::tick(owner, Duration::ZERO).await?.pending;
    let mut done = 0;
    while rollups::rebuild_pending(owner).await?.is_some() {
        done += 1;
        told(Stage::Counting {
            done,
            of: of.max(done),
        });
    }
    rollups::catch_up(owner).await?;
    for statement in [
        "vacuum (analyze) opsroom.rollup_days",
        "vacuum (analyze) opsroom.rollup_hours",
        "vacuum (analyze) opsroom.rollup_recent",
        "vacuum (analyze) opsroom.rollup_code_days",
        "vacuum (analyze) opsroom.rollup_code_hours",
        "vacuum (analyze) opsroom.rollup_tenant_codes",
    ] {
        run(owner, statement).await?;
    }
    Ok(())
}
