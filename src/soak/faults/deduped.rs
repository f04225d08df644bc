//! Many clients start the same run at the same moment, round after round; in every second round
//! somebody ends the run under their hands.

use crate::jobs::{ONCE, Task};
use crate::report::{Extent, Verdict};
use crate::site::{Ground, registry};
use color_eyre::eyre::{Result, eyre};
use opsroom_engine::{
    Confirmation, Initiator, Priority, Registry, Start, Transport, Wake, ensure_run,
};
use opsroom_model::TenantId;
use sqlx::PgConnection;
use std::sync::Arc;
use tokio::sync::Barrier;

const CLIENTS: usize = 16;
const END: &str = "update opsroom.operation_runs set status = 'completed', outcome = 'failed',
       failure_summary = '[{\"code\": \"dispatch.failed\", \"message\": \"soak\", \"count\": 1}]'
 where type = 'soak.once' and status = 'queued'";

/// What one client met.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    created: i64,
    reused: i64,
    errors: i64,
    /// Rounds that nobody disturbed and that did not end with exactly one active run.
    not_one: i64,
}

/// Causes it.
///
/// # Errors
/// The database could not be set up.
pub async fn cause(extent: Extent, ground: &Ground) -> Result<Verdict> {
    let rounds = extent.of(100, 10_000);
    let site = ground.site().await?;
    let barrier = Arc::new(Barrier::new(CLIENTS));
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let (connection, barrier) = (site.owner().await?, Arc::clone(&barrier));
        let racer = Racer {
            connection,
            registry: registry()?,
            tenant: TenantId(site.tenants[0]),
        };
        clients.spawn(racer.race(client, extent, rounds, barrier));
    }
    let mut all = Met::default();
    while let Some(met) = clients.join_next().await {
        let met = met.map_err(|_| eyre!("a client panicked"))?;
        all.created += met.created;
        all.reused += met.reused;
        all.errors += met.errors;
        all.not_one += met.not_one;
    }
    let rows = site
        .number("select count(*) from opsroom.operation_runs where type = 'soak.once'")
        .await?;
    Ok(Verdict::after(format!(
        "{CLIENTS} clients × {rounds} rounds, {} starts created, {} reused",
        all.created, all.reused
    ))
    .exactly("errors shown", all.errors, 0)
    .exactly("rounds without exactly one active run", all.not_one, 0)
    .exactly(
        "rows beyond what was reported as created",
        rows - all.created,
        0,
    )
    // A round that is not disturbed follows one whose run was ended, so it creates one.
    .at_least("runs", rows, i64::from(rounds.div_ceil(2))))
}

struct Racer {
    connection: PgConnection,
    registry: Registry,
    tenant: TenantId,
}

impl Racer {
    async fn race(
        mut self,
        client: usize,
        extent: Extent,
        rounds: u32,
        barrier: Arc<Barrier>,
    ) -> Met {
        let mut met = Met::default();
        for round in 0..rounds {
            if client == 0 && round % 1000 == 0 {
                extent.begins("clients racing", round, rounds);
            }
            barrier.wait().await;
            let disturbs = client == 0 && round % 2 == 1;
            let failed = if disturbs {
                self.end().await.is_err()
            } else {
                self.start(&mut met).await
            };
            met.errors += i64::from(failed);
            barrier.wait().await;
            if client == 0 {
                if round % 2 == 0 && self.active().await != Some(1) {
                    met.not_one += 1;
                }
                // Odd rounds begin with a run that is active, so that ending it is a race.
                if round % 2 == 1 && self.end().await.is_err() {
                    met.errors += 1;
                }
            }
        }
        met
    }

    /// Says whether it failed.
    async fn start(&mut self, met: &mut Met) -> bool {
        let start = Start {
            tenant: self.tenant,
            run_type: ONCE,
            input: serde_json::json!(Task::Deaf),
            initiator: Initiator::System,
            wake: Wake::Silent,
            priority: Priority::Normal,
            transport: Transport::Workers,
        };
        match ensure_run(&mut self.connection, &self.registry, start).await {
            Ok(Confirmation::Created(_)) => met.created += 1,
            Ok(Confirmation::Reused(_)) => met.reused += 1,
            Err(error) => {
                tracing::warn!(%error, "a start failed");
                return true;
            }
        }
        false
    }

    async fn end(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query(END)
            .execute(&mut self.connection)
            .await
            .map(drop)
    }

    async fn active(&mut self) -> Option<i64> {
        sqlx::query_scalar("select count(*) from opsroom.operation_runs where type = 'soak.once' and status <> 'completed'")
            .fetch_one(&mut self.connection)
            .await
            .ok()
    }
}
