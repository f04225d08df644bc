//! Applications whose own transport executes runs: their words, and what those refuse.

use crate::scripted::{Scripted, TYPE, Working, completed, options};
use opsroom_engine::access::LoginKind;
use opsroom_engine::{
    Confirmation, Initiator, JobError, Priority, Registry, Start, StartError, Transport, Update,
    UpdateError, Wake, ensure_run, fail_run, update_run,
};
use opsroom_model::{Counts, FailureKind, Outcome, RunId, TenantId, UserId};
use opsroom_testkit::World;
use serde_json::{Value, json};
use sqlx::Connection as _;

fn registry() -> Registry {
    Scripted::new(|_, _| Box::pin(async { Ok(()) })).registry()
}

fn own(tenant: i64, input: Value) -> Start<'static> {
    Start {
        tenant: TenantId(tenant),
        run_type: TYPE,
        input,
        initiator: Initiator::System,
        wake: Wake::Notify,
        priority: Priority::Normal,
        transport: Transport::Own,
    }
}

#[tokio::test]
async fn an_application_starts_updates_and_ends_its_own() {
    let world = World::new().await.unwrap();
    let login = world.login(LoginKind::App, None, &["north"]).await.unwrap();
    let mut app = world.connect(&login).await.unwrap();
    let sam: i64 = sqlx::query_scalar("select id from opsroom.users where name = 'Sam Reyes'")
        .fetch_one(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    let by_sam = || Start {
        initiator: Initiator::User {
            id: UserId(sam),
            name: "Sam Reyes".into(),
        },
        ..own(world.north, json!({}))
    };
    let registry = registry();
    let started = ensure_run(&mut app, &registry, by_sam()).await.unwrap();
    let again = ensure_run(&mut app, &registry, by_sam()).await.unwrap();
    assert_eq!(again, Confirmation::Reused(started.run()));
    let counts = Counts {
        success: Some(2),
        failed: Some(1),
        ..Counts::of_total(3)
    };
    update_run(
        &mut app,
        started.run(),
        &Update::Running(Counts::of_total(3)),
    )
    .await
    .unwrap();
    let row = world.run(started.run().0).await.unwrap();
    assert_eq!(
        (&row["status"], &row["summary_counts"]["total"]),
        (&json!("running"), &json!(3))
    );
    let failure = FailureKind::DispatchFailed.failure();
    update_run(
        &mut app,
        started.run(),
        &Update::completed(counts, vec![failure]),
    )
    .await
    .unwrap();
    let row = world.run(started.run().0).await.unwrap();
    assert_eq!(
        (&row["status"], &row["outcome"]),
        (&json!("completed"), &json!("partially_succeeded"))
    );
    assert_eq!(row["failure_summary"][0]["code"], "dispatch.failed");
    let told: Vec<String> =
        sqlx::query_scalar("select kind from opsroom.notifications where user_id = $1 order by id")
            .bind(sam)
            .fetch_all(&mut world.owner().await.unwrap())
            .await
            .unwrap();
    assert_eq!(told, ["queued", "partially_succeeded"]);

    let late = update_run(&mut app, started.run(), &Update::Running(Counts::default())).await;
    assert!(matches!(late, Err(UpdateError::Over(_))), "{late:?}");
    let next = ensure_run(&mut app, &registry, by_sam()).await.unwrap();
    fail_run(
        &mut app,
        next.run(),
        JobError::Permanent(FailureKind::JobPanicked),
    )
    .await
    .unwrap();
    let row = world.run(next.run().0).await.unwrap();
    assert_eq!(
        (&row["outcome"], &row["failure_summary"][0]["code"]),
        (&json!("failed"), &json!("job.panicked"))
    );
}

#[tokio::test]
async fn work_without_a_run_is_refused_and_so_is_a_run_of_workers() {
    let world = World::new().await.unwrap();
    let login = world.login(LoginKind::App, None, &["north"]).await.unwrap();
    let theirs = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    let elsewhere = world.queued(world.south, TYPE, &json!({})).await.unwrap();
    for by in [&login, &world.worker] {
        let mut connection = world.connect(by).await.unwrap();
        let missing = update_run(
            &mut connection,
            RunId(987_654),
            &Update::Running(Counts::default()),
        )
        .await;
        assert!(
            matches!(missing, Err(UpdateError::NoSuchRun(987_654))),
            "{missing:?}"
        );
        let not_its_own = fail_run(&mut connection, RunId(theirs), FailureKind::JobPanicked).await;
        assert!(
            matches!(not_its_own, Err(UpdateError::OfWorkers(_))),
            "{not_its_own:?}"
        );
    }
    let mut app = world.connect(&login).await.unwrap();
    let hidden = fail_run(&mut app, RunId(elsewhere), FailureKind::JobPanicked).await;
    assert!(
        matches!(hidden, Err(UpdateError::NoSuchRun(_))),
        "another tenant's does not exist: {hidden:?}"
    );
    let rows: i64 =
        sqlx::query_scalar("select count(*) from opsroom.operation_runs where status = 'queued'")
            .fetch_one(&mut world.owner().await.unwrap())
            .await
            .unwrap();
    assert_eq!(rows, 2, "none was made up, none ended");
    let pending = Update::Completed {
        outcome: Outcome::Pending,
        counts: Counts::default(),
        failures: Vec::new(),
    };
    let started = ensure_run(&mut app, &registry(), own(world.north, json!({})))
        .await
        .unwrap();
    let refused = update_run(&mut app, started.run(), &pending).await;
    assert!(
        matches!(refused, Err(UpdateError::Engine(_))),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_leave_it_alone() {
    let world = World::new().await.unwrap();
    let mut connection = world.connect(&world.worker).await.unwrap();
    let own = ensure_run(&mut connection, &registry(), own(world.north, json!({})))
        .await
        .unwrap();
    let pool = world.pool(&world.worker, 8).unwrap();
    let working = Working::start(pool, registry(), options("one"));
    let ours = world.queued(world.north, TYPE, &json!({})).await.unwrap();
    completed(&world, ours).await;
    working.end().await;
    assert_eq!(world.run(own.run().0).await.unwrap()["status"], "queued");
}

#[tokio::test]
async fn who_may_not_decide_on_the_transport_does_not() {
    let world = World::new().await.unwrap();
    registry()
        .publish(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    let login = world.login(LoginKind::App, None, &["north"]).await.unwrap();
    let mut app = world.connect(&login).await.unwrap();
    let for_workers = Start {
        transport: Transport::Workers,
        ..own(world.north, json!({}))
    };
    let refused = ensure_run(&mut app, &registry(), for_workers).await;
    assert!(
        matches!(refused, Err(StartError::NotEntitled { .. })),
        "{refused:?}"
    );
    let mut starter = world.connect(&world.starter).await.unwrap();
    let run = ensure_run(&mut starter, &registry(), own(world.north, json!({})))
        .await
        .unwrap()
        .run();
    assert!(
        world.run(run.0).await.unwrap()["available_at"].is_string(),
        "a person's run is the workers'"
    );
}

#[tokio::test]
async fn a_refused_start_leaves_the_callers_transaction_usable() {
    let world = World::new().await.unwrap();
    let mut connection = world.connect(&world.worker).await.unwrap();
    let mut transaction = connection.begin().await.unwrap();
    let start = |tenant| Start {
        transport: Transport::Workers,
        ..own(tenant, json!({}))
    };
    let refused = ensure_run(&mut transaction, &registry(), start(-1)).await;
    assert!(
        matches!(refused, Err(StartError::UnknownTenant(_))),
        "{refused:?}"
    );
    let nameless = Start {
        initiator: Initiator::User {
            id: UserId(1),
            name: String::new(),
        },
        ..start(world.north)
    };
    let refused = ensure_run(&mut transaction, &registry(), nameless).await;
    match refused {
        Err(StartError::Engine(error)) => {
            assert_eq!(error.sqlstate(), Some("23514"));
            assert!(error.to_string().contains("initiator_name"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    let run = ensure_run(&mut transaction, &registry(), start(world.north))
        .await
        .unwrap()
        .run();
    transaction.commit().await.unwrap();
    assert_eq!(world.run(run.0).await.unwrap()["status"], "queued");
}
