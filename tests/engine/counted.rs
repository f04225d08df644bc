//! How soon a worker counts what it ended where nothing else goes on.

use crate::rollups::number;
use crate::scripted::{SOON, Scripted, TYPE, Working, completed, options};
use opsroom_engine::WorkerOptions;
use opsroom_engine::run::ItemStatus;
use opsroom_testkit::{World, eventually};
use serde_json::json;
use sqlx::PgConnection;
use std::time::{Duration, Instant};

/// A worker looks for what others ended this often at the most.
const PERIOD: Duration = Duration::from_millis(2_250);

/// Each commit that ends an attempt takes a while: whoever counts before it counts nothing.
const SLOW_COMMITS: &str = "
create function public.linger() returns trigger language plpgsql as $$ begin perform pg_sleep(0.3); return null; end $$;
grant execute on function public.linger() to public;
create constraint trigger linger after insert on opsroom.run_attempts deferrable initially deferred
  for each row execute function public.linger()";

/// When somebody looked last, in microseconds.
async fn ticked(owner: &mut PgConnection) -> i64 {
    let query =
        "select (extract(epoch from ticked_at) * 1000000)::bigint from opsroom.rollup_state";
    number(owner, query).await
}

async fn is_counted_at_once(operation: Scripted) {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    sqlx::raw_sql(SLOW_COMMITS)
        .execute(&mut owner)
        .await
        .unwrap();
    let pool = world.pool(&world.worker, 8).unwrap();
    let quiet = WorkerOptions {
        poll: Duration::from_secs(1),
        ..options("quiet")
    };
    let working = Working::start(pool, operation.registry(), quiet);
    // The first tick of all finds sums to make; from the second on there is nothing to do.
    let mut last = ticked(&mut owner).await;
    for _ in 0..2 {
        eventually(SOON, "it ticks", async || ticked(&mut owner).await > last)
            .await
            .unwrap();
        last = ticked(&mut owner).await;
    }
    let run = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    completed(&world, run).await;
    let ended = Instant::now();
    eventually(SOON, "it is counted", async || {
        number(&mut owner, "select count(*) from opsroom.rollup_days").await > 0
    })
    .await
    .unwrap();
    let late = ended.elapsed();
    working.end().await;
    assert!(late < PERIOD, "counted {late:?} after its ending");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ending_written_with_others_is_counted_at_once() {
    is_counted_at_once(Scripted::new(|_, _| Box::pin(async { Ok(()) }))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ending_written_by_itself_is_counted_at_once() {
    let operation = Scripted::new(|run, _| {
        Box::pin(async move {
            run.start_over(1);
            run.item("a", "Alpha", ItemStatus::Succeeded);
            Ok(())
        })
    });
    is_counted_at_once(operation).await;
}
