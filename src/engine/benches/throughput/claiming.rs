//! What claiming costs as the queue grows, and a heartbeat as a worker holds more.

use crate::figures::{Figures, quantile};
use crate::operation::{TYPE, world};
use opsroom_testkit::World;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::time::{Duration, Instant};
use uuid::Uuid;

const SLOTS: i32 = 8;
const ROUNDS: usize = 200;

pub(crate) async fn measure(figures: &mut Figures) {
    let world = world().await;
    let mut connection = world.connect(&world.worker).await.unwrap();
    let worker = register(&world).await;
    let mut medians = Vec::new();
    let mut queued = 0;
    for goal in [0_u32, 1_000, 100_000, 1_000_000] {
        fill(&world, goal - queued).await;
        queued = goal;
        let mut times = Vec::new();
        for round in 0..ROUNDS + 20 {
            let taken = claim_and_give_back(&mut connection, worker).await;
            if round >= 20 {
                times.push(taken);
            }
        }
        let median = quantile(&mut times, 0.5);
        figures.tell(
            &format!("claiming {SLOTS} with {goal} queued, p50"),
            &format!("{median:.3} ms"),
        );
        medians.push(median);
    }
    figures.at_most(
        "claiming, 1,000,000 queued / 1,000 queued",
        medians[3] / medians[1],
        1.5,
        "x",
    );
}

pub(crate) async fn heartbeat(figures: &mut Figures) {
    let world = world().await;
    let mut connection = world.connect(&world.worker).await.unwrap();
    let worker = register(&world).await;
    let without = beat(&mut connection, worker).await;
    fill(&world, 5_000).await;
    let held: i64 = sqlx::query_scalar("select count(*) from opsroom.claim($1, 5000, $2, 0)")
        .bind(worker)
        .bind([TYPE])
        .fetch_one(&mut connection)
        .await
        .unwrap();
    let with = beat(&mut connection, worker).await;
    figures.tell("a beat, nothing held, p50", &format!("{without:.3} ms"));
    figures.at_most(
        &format!("a beat, {held} runs held / nothing held, p50"),
        with / without,
        1.5,
        "x",
    );
}

async fn beat(connection: &mut PgConnection, worker: Uuid) -> f64 {
    let mut times = Vec::new();
    for _ in 0..1000 {
        let begun = Instant::now();
        sqlx::query("select opsroom.beat($1)")
            .bind(worker)
            .execute(&mut *connection)
            .await
            .unwrap();
        times.push(begun.elapsed());
    }
    quantile(&mut times, 0.5)
}

async fn register(world: &World) -> Uuid {
    let worker = Uuid::new_v4();
    sqlx::query("insert into opsroom.workers (id, name, pid, version, types, slots, lease) values ($1, 'bench', 1, '0', $2, 8, '1 h')")
        .bind(worker)
        .bind([TYPE])
        .execute(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    worker
}

/// Rolled back, so that the queue stays as long as it is.
async fn claim_and_give_back(connection: &mut PgConnection, worker: Uuid) -> Duration {
    let mut transaction = connection.begin().await.unwrap();
    let begun = Instant::now();
    sqlx::query("select * from opsroom.claim($1, $2, $3, 0)")
        .bind(worker)
        .bind(SLOTS)
        .bind([TYPE])
        .fetch_all(&mut *transaction)
        .await
        .unwrap();
    let taken = begun.elapsed();
    transaction.rollback().await.unwrap();
    taken
}

/// Queues `more` runs, without triggers: it is the queue that is asked about.
async fn fill(world: &World, more: u32) {
    let mut owner = world.owner().await.unwrap();
    let fill = format!(
        "set session_replication_role = replica;
         insert into opsroom.operation_runs (tenant_id, type, run_identity_hash, context, available_at, initiator_name)
         select t.id, '{TYPE}', encode(sha256(gen_random_uuid()::text::bytea), 'hex'), '{{\"input\":{{}}}}', now(), 'System'
           from generate_series(1, {more}) n
           join (select id, row_number() over (order by id) - 1 as place, count(*) over () as many from opsroom.tenants) t
             on t.place = n % t.many"
    );
    sqlx::raw_sql(AssertSqlSafe(fill))
        .execute(&mut owner)
        .await
        .unwrap();
    sqlx::raw_sql("vacuum analyze opsroom.operation_runs")
        .execute(&mut owner)
        .await
        .unwrap();
}
