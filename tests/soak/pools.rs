//! Workers that are dedicated to some types by `--types`: the real command line.

use opsroom_model::RunId;
use opsroom_model::query::parse;
use opsroom_read::{PageRequest, ReadOptions, Reader, Stuck};
use opsroom_soak::jobs::{JOB, ONCE, THRICE};
use opsroom_soak::site::{SOON, registry};
use opsroom_soak::{Program, process::Process};
use opsroom_testkit::{World, eventually};
use serde_json::json;
use std::collections::HashMap;

fn dedicated(world: &World, name: &str, types: &str) -> Process {
    let program = Program(env!("CARGO_BIN_EXE_opsroom-soak").into());
    let url = world.database().url(&world.worker);
    let args = ["--types", types, "--poll", "50ms", "--slots", "2"];
    program.worker(&url, name, &args).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn types_that_need_secrets_are_left_to_workers_that_have_them() {
    let world = World::new().await.unwrap();
    let program = Program(env!("CARGO_BIN_EXE_opsroom-soak").into());
    let url = world.database().url(&world.worker);
    let worker = program.worker(&url, "plain", &[]).unwrap();
    let mut owner = world.owner().await.unwrap();
    let mut types = Vec::<String>::new();
    let registered = eventually(SOON, "the worker is there", async || {
        types = sqlx::query_scalar("select unnest(types) from opsroom.workers order by 1")
            .fetch_all(&mut owner)
            .await
            .unwrap();
        !types.is_empty()
    });
    registered.await.unwrap();
    let mut own = opsroom_soak::jobs::TYPES.to_vec();
    own.sort_unstable();
    assert_eq!(types, own, "{}", worker.log());
    assert!(
        worker.log().contains("inventory.sync"),
        "it says what it leaves"
    );
}

/// Which worker ended each run, by its name.
async fn enders(world: &World) -> HashMap<i64, String> {
    sqlx::query_as(
        "select r.id, w.name from opsroom.operation_runs r join opsroom.workers w on w.id = r.worker_id where r.status = 'completed'",
    )
    .fetch_all(&mut world.owner().await.unwrap())
    .await
    .unwrap()
    .into_iter()
    .collect()
}

async fn stuck(world: &World) -> HashMap<RunId, Stuck> {
    let options = ReadOptions::new(Some(&world.database().url(&world.oncall))).unwrap();
    let mut reader = Reader::connect(options).await.unwrap();
    let request = PageRequest {
        query: parse("is:stuck").unwrap(),
        limit: 100,
        before: None,
    };
    let page = reader.page(&request, &[]).await.unwrap();
    let rows: Vec<_> = page.rows.iter().map(|row| row.id).collect();
    let stuck: HashMap<_, _> = page.stuck.into_iter().collect();
    assert_eq!(rows.len(), stuck.len(), "{rows:?}");
    stuck
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_takes_its_types_alone_and_what_nobody_takes_waits_and_says_so() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    registry().unwrap().publish(&mut owner).await.unwrap();
    let mut runs: HashMap<&str, Vec<i64>> = HashMap::new();
    for n in 0..60 {
        let run_type = [JOB, ONCE, THRICE][n % 3];
        let tenant = [world.north, world.south][n % 2];
        let task = json!({"does": "carry", "text": "x"});
        let run = world.queued(tenant, run_type, &task).await.unwrap();
        runs.entry(run_type).or_default().push(run);
    }
    let both = format!("{ONCE},{THRICE}");
    let _pools = [
        dedicated(&world, "jobs", JOB),
        dedicated(&world, "thrice", THRICE),
    ];
    let mut ended = HashMap::new();
    let two_thirds = eventually(SOON, "what somebody takes has ended", async || {
        ended = enders(&world).await;
        ended.len() == 40
    });
    two_thirds.await.unwrap();
    for (run_type, name) in [(JOB, "jobs"), (THRICE, "thrice")] {
        for run in &runs[run_type] {
            assert_eq!(ended[run], name, "{run_type}");
        }
    }
    let waiting = stuck(&world).await;
    assert_eq!(waiting.len(), 20);
    for run in &runs[ONCE] {
        assert_eq!(world.run(*run).await.unwrap()["claim_no"], 0);
        assert_eq!(waiting[&RunId(*run)], Stuck::NoWorker);
    }

    let _pool = dedicated(&world, "rest", &both);
    let all = eventually(SOON, "the rest has ended", async || {
        ended = enders(&world).await;
        ended.len() == 60
    });
    all.await.unwrap();
    assert!(runs[ONCE].iter().all(|run| ended[run] == "rest"));
    assert!(stuck(&world).await.is_empty());
}
