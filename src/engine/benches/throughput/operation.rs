//! Operations that do nothing, and where they are registered.

use opsroom_engine::{Identity, JobError, Operation, Policy, Registry, Run};
use opsroom_testkit::World;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;

pub(crate) const TYPE: &str = "bench.noop";

#[derive(Serialize, Deserialize)]
pub(crate) struct Input {}

/// What a job does.
pub(crate) enum Job {
    /// Tells that it has begun, and ends.
    Tell(UnboundedSender<()>),
    /// Waits to be stopped.
    Wait,
}

struct Noop(Arc<Job>);

impl Operation for Noop {
    const TYPE: &'static str = TYPE;
    const LABEL: &'static str = "Nothing";
    type Input = Input;

    fn policy(&self) -> Policy {
        Policy {
            identity: Identity::PerRequest,
            ..Policy::default()
        }
    }

    async fn perform(&self, run: &Run, _: Input) -> Result<(), JobError> {
        match &*self.0 {
            Job::Tell(tell) => {
                // The bench may be over.
                let _ = tell.send(());
                Ok(())
            }
            Job::Wait => {
                run.stopped().await;
                Err(JobError::Stopped)
            }
        }
    }
}

pub(crate) fn registry(job: Job) -> Registry {
    Registry::new().with(Noop(Arc::new(job))).unwrap()
}

/// A world with tenants enough to take turns, and the type known to it.
pub(crate) async fn world() -> World {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    registry(Job::Wait).publish(&mut owner).await.unwrap();
    sqlx::raw_sql(
        "insert into opsroom.tenants (workspace_id, name) select (select min(id) from opsroom.workspaces), 'bench ' || n from generate_series(1, 18) n",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    world
}

/// Queues runs of a person, spread over all tenants.
pub(crate) const QUEUE: &str = "insert into opsroom.operation_runs
    (tenant_id, type, run_identity_hash, context, available_at, user_id, initiator_name)
  select t.id, 'bench.noop', encode(sha256(gen_random_uuid()::text::bytea), 'hex'), '{\"input\":{}}', clock_timestamp(), u.id, u.name
    from generate_series(0, 49) n
    join (select id, row_number() over (order by id) - 1 as place, count(*) over () as many from opsroom.tenants) t on t.place = n % t.many
   cross join (select id, name from opsroom.users order by id limit 1) u";

pub(crate) fn pool(world: &World, connections: u32) -> PgPool {
    world.pool(&world.worker, connections).unwrap()
}
