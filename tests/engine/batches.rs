//! What is written together, and that each keeps its own fence.

use crate::scripted::{SOON, Scripted, TYPE, Working, completed, options, until};
use opsroom_engine::{Initiator, Priority, Start, Transport, Wake, WorkerOptions, ensure_run};
use opsroom_model::TenantId;
use opsroom_testkit::{World, eventually};
use serde_json::json;
use sqlx::postgres::PgListener;
use sqlx::{Connection as _, PgConnection};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Barrier, Notify};
use uuid::Uuid;

/// A worker in the table that holds runs of `north`.
async fn holder(world: &World, runs: usize) -> (PgConnection, Uuid, Vec<i64>) {
    for _ in 0..runs {
        world.queued(world.north, TYPE, &json!({})).await.unwrap();
    }
    let mut connection = world.connect(&world.worker).await.unwrap();
    let worker = Uuid::new_v4();
    sqlx::query("insert into opsroom.workers (id, name, pid, version, types, slots, lease) values ($1, 'w', 1, '0', $2, 9, '1 h')")
        .bind(worker)
        .bind([TYPE])
        .execute(&mut connection)
        .await
        .unwrap();
    let held = sqlx::query_scalar("select run_id from opsroom.claim($1, 100, $2, 0)")
        .bind(worker)
        .bind([TYPE])
        .fetch_all(&mut connection)
        .await
        .unwrap();
    (connection, worker, held)
}

async fn end_all(connection: &mut PgConnection, worker: Uuid, runs: &[i64]) -> Vec<i64> {
    let n = runs.len();
    let mut ended: Vec<i64> = sqlx::query_scalar(
        "select end_claims from opsroom.end_claims($1, 'w', $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(worker)
    .bind(runs)
    .bind(vec![1; n])
    .bind(vec![1; n])
    .bind(vec!["succeeded"; n])
    .bind(vec![0.0; n])
    .bind(vec![json!({"total": 1, "success": 1}); n])
    .bind(vec![None::<serde_json::Value>; n])
    .fetch_all(connection)
    .await
    .unwrap();
    ended.sort_unstable();
    ended
}

#[tokio::test]
async fn a_batch_ends_what_is_still_held_and_tells_the_rest() {
    let world = World::new().await.unwrap();
    let (mut connection, worker, runs) = holder(&world, 5).await;
    let mut owner = world.owner().await.unwrap();
    for lost in [
        "update opsroom.operation_runs set claim_no = claim_no + 1 where id = $1",
        "update opsroom.operation_runs set worker_id = gen_random_uuid() where id = $1",
        "update opsroom.operation_runs set status = 'completed', outcome = 'failed' where id = $1",
    ]
    .into_iter()
    .zip(&runs)
    {
        sqlx::query(lost.0)
            .bind(lost.1)
            .execute(&mut owner)
            .await
            .unwrap();
    }
    assert_eq!(end_all(&mut connection, worker, &runs).await, runs[3..]);
    assert_eq!(
        end_all(&mut connection, worker, &runs).await,
        [0; 0],
        "once"
    );
    for run in &runs[..2] {
        assert_eq!(world.run(*run).await.unwrap()["status"], "running");
    }
    let noted: i64 =
        sqlx::query_scalar("select count(*) from opsroom.run_attempts where ended = 'succeeded'")
            .fetch_one(&mut owner)
            .await
            .unwrap();
    assert_eq!(noted, 2);
}

#[tokio::test]
async fn progress_of_many_tells_which_claims_are_lost_and_waits_for_nobody() {
    let world = World::new().await.unwrap();
    let (mut connection, worker, runs) = holder(&world, 3).await;
    let mut owner = world.owner().await.unwrap();
    sqlx::query("update opsroom.operation_runs set claim_no = 7 where id = $1")
        .bind(runs[0])
        .execute(&mut owner)
        .await
        .unwrap();
    let mut checkpoint = owner.begin().await.unwrap();
    sqlx::query(
        "update opsroom.operation_runs set summary_counts = '{\"total\": 9}' where id = $1",
    )
    .bind(runs[1])
    .execute(&mut *checkpoint)
    .await
    .unwrap();
    let show =
        sqlx::query_scalar("select show_progress from opsroom.show_progress($1, $2, $3, $4)")
            .bind(worker)
            .bind(&runs)
            .bind(vec![1; 3])
            .bind(vec![json!({"total": 1}); 3])
            .fetch_all(&mut connection);
    let lost: Vec<i64> = tokio::time::timeout(SOON, show).await.unwrap().unwrap();
    assert_eq!(lost, runs[..1], "held by a checkpoint is not lost");
    checkpoint.commit().await.unwrap();
    for (run, total) in runs.iter().zip([json!(null), json!(9), json!(1)]) {
        assert_eq!(
            world.run(*run).await.unwrap()["summary_counts"]["total"],
            total
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_that_end_at_once_end_each_with_their_own_counts() {
    const RUNS: usize = 40;
    let world = World::new().await.unwrap();
    let together = Arc::new(Barrier::new(RUNS));
    let operation = Scripted::new(move |run, input| {
        let together = Arc::clone(&together);
        Box::pin(async move {
            let n = input["n"].as_u64().unwrap();
            run.start_over(n);
            run.succeeded(n);
            together.wait().await;
            Ok(())
        })
    });
    let mut runs = Vec::new();
    for n in 0..RUNS {
        runs.push(
            world
                .queued(world.north, TYPE, &json!({"n": n}))
                .await
                .unwrap(),
        );
    }
    let wide = WorkerOptions {
        slots: 64,
        ..options("wide")
    };
    let pool = world.pool(&world.worker, 8).unwrap();
    let working = Working::start(pool, operation.registry(), wide);
    for (n, run) in runs.into_iter().enumerate() {
        let row = completed(&world, run).await;
        assert_eq!(
            (&row["outcome"], &row["summary_counts"]["success"]),
            (&json!("succeeded"), &json!(n))
        );
    }
    working.end().await;
    let transactions: (i64, i64) =
        sqlx::query_as("select count(distinct xmin::text), count(*) from opsroom.run_attempts")
            .fetch_one(&mut world.owner().await.unwrap())
            .await
            .unwrap();
    assert_eq!(transactions.1, 40);
    assert!(
        transactions.0 < 20,
        "{} transactions for 40 endings",
        transactions.0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_somebody_holds_does_not_hold_up_other_endings() {
    let world = World::new().await.unwrap();
    let go = Arc::new(Notify::new());
    let allowed = Arc::clone(&go);
    let operation = Scripted::new(move |_, input| {
        let allowed = Arc::clone(&allowed);
        Box::pin(async move {
            if input["waits"] == true {
                allowed.notified().await;
            }
            Ok(())
        })
    });
    let held = world
        .queued(world.north, TYPE, &json!({"waits": true}))
        .await
        .unwrap();
    let pool = world.pool(&world.worker, 8).unwrap();
    let working = Working::start(pool, operation.registry(), options("one"));
    until(&world, held, "is claimed", |row| row["claim_no"] == 1).await;
    let mut owner = world.owner().await.unwrap();
    let mut holding = owner.begin().await.unwrap();
    sqlx::query("select from opsroom.operation_runs where id = $1 for update")
        .bind(held)
        .execute(&mut *holding)
        .await
        .unwrap();
    go.notify_one();
    let mut looking = world.owner().await.unwrap();
    let waits = eventually(SOON, "its ending waits", async || {
        let query = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        sqlx::query_scalar::<_, i64>(query)
            .fetch_one(&mut looking)
            .await
            .unwrap()
            > 0
    });
    waits.await.unwrap();
    let other = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    completed(&world, other).await;
    assert_eq!(world.run(held).await.unwrap()["status"], "running");
    holding.rollback().await.unwrap();
    completed(&world, held).await;
    working.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_is_coalesced_and_its_last_word_is_shown() {
    let world = World::new().await.unwrap();
    sqlx::raw_sql(
        "create table public.shown (counts jsonb);
         create function public.note() returns trigger language plpgsql security definer as
           $$ begin insert into public.shown values (new.summary_counts); return null; end $$;
         create trigger note after update on opsroom.operation_runs for each row
           when (new.status = 'running' and new.summary_counts is distinct from old.summary_counts) execute function public.note()",
    )
    .execute(&mut world.owner().await.unwrap())
    .await
    .unwrap();
    let go = Arc::new(Notify::new());
    let allowed = Arc::clone(&go);
    let operation = Scripted::new(move |run, _| {
        let allowed = Arc::clone(&allowed);
        Box::pin(async move {
            run.start_over(2001);
            for _ in 0..2000 {
                run.succeeded(1);
                run.progress().await?;
            }
            allowed.notified().await;
            run.succeeded(1);
            Ok(())
        })
    });
    let begun = Instant::now();
    let run = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    let pool = world.pool(&world.worker, 8).unwrap();
    let working = Working::start(pool, operation.registry(), options("one"));
    // The job asks no more: the last counts come by themselves.
    until(&world, run, "shows its last word", |row| {
        row["summary_counts"]["success"] == 2000
    })
    .await;
    let intervals = begun.elapsed().as_millis() / 500 + 2;
    go.notify_one();
    assert_eq!(
        completed(&world, run).await["summary_counts"]["success"],
        2001
    );
    working.end().await;
    let shown: i64 = sqlx::query_scalar("select count(*) from public.shown")
        .fetch_one(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    assert!(
        u128::try_from(shown).unwrap() <= intervals,
        "{shown} writes in {intervals} intervals"
    );
}

async fn start_silently(connection: &mut PgConnection, world: &World, n: u32, wake: Wake) {
    let registry = Scripted::new(|_, _| Box::pin(async { Ok(()) })).registry();
    let start = Start {
        tenant: TenantId(world.north),
        run_type: TYPE,
        input: json!({"n": n}),
        initiator: Initiator::System,
        wake,
        priority: Priority::Normal,
        transport: Transport::Workers,
    };
    ensure_run(connection, &registry, start).await.unwrap();
}

#[tokio::test]
async fn a_commit_wakes_once_and_not_at_all_where_that_is_switched_off() {
    let world = World::new().await.unwrap();
    let mut listener = PgListener::connect(&world.database().url(&world.worker))
        .await
        .unwrap();
    listener.listen("opsroom_runs").await.unwrap();
    let mut connection = world.connect(&world.worker).await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let mut heard = async |owner: &mut PgConnection| {
        sqlx::raw_sql("notify opsroom_runs, 'marker'")
            .execute(owner)
            .await
            .unwrap();
        let mut wakes = 0;
        while tokio::time::timeout(SOON, listener.recv())
            .await
            .unwrap()
            .unwrap()
            .payload()
            != "marker"
        {
            wakes += 1;
        }
        wakes
    };
    let mut transaction = connection.begin().await.unwrap();
    for n in 0..3 {
        start_silently(&mut transaction, &world, n, Wake::Notify).await;
    }
    transaction.commit().await.unwrap();
    assert_eq!(heard(&mut owner).await, 1, "three starts, one commit");
    start_silently(&mut connection, &world, 1, Wake::Notify).await;
    assert_eq!(heard(&mut owner).await, 0, "reused: it was announced");
    start_silently(&mut connection, &world, 4, Wake::Silent).await;
    assert_eq!(heard(&mut owner).await, 0, "by the caller");
    sqlx::raw_sql("update opsroom.settings set wake = false")
        .execute(&mut owner)
        .await
        .unwrap();
    start_silently(&mut connection, &world, 5, Wake::Notify).await;
    assert_eq!(heard(&mut owner).await, 0, "by the database");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_does_not_listen_finds_work_by_polling() {
    let world = World::new().await.unwrap();
    let operation = Scripted::new(|_, _| Box::pin(async { Ok(()) }));
    let deaf = WorkerOptions {
        listen: opsroom_engine::Listen::PollOnly,
        poll: Duration::from_millis(20),
        ..options("deaf")
    };
    let pool = world.pool(&world.worker, 8).unwrap();
    let working = Working::start(pool, operation.registry(), deaf);
    for _ in 0..3 {
        let run = world.queued(world.north, TYPE, &json!({})).await.unwrap();
        completed(&world, run).await;
    }
    let listening: i64 = sqlx::query_scalar("select count(*) from pg_stat_activity where datname = current_database() and query ilike 'listen%'")
        .fetch_one(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    working.end().await;
    assert_eq!(listening, 0);
}
