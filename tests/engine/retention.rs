//! What pruning removes, what it leaves, and what it says of it.

use opsroom_engine::retention::{self, Kept, Pruned};
use opsroom_engine::rollups;
use opsroom_testkit::World;
use sqlx::{Connection as _, PgConnection};

/// Runs of `north`: `count` a status, created `ago`.
async fn runs(
    owner: &mut PgConnection,
    tenant: i64,
    run_type: &str,
    status: &str,
    ago: &str,
    count: i32,
) {
    sqlx::query(
        "insert into opsroom.operation_runs (tenant_id, type, initiator_name, run_identity_hash, status, outcome, failure_summary,
                created_at, started_at, completed_at)
         select $1, $2, 'System', encode(sha256(gen_random_uuid()::text::bytea), 'hex'), $3,
                case $3 when 'completed' then 'failed' else 'pending' end,
                case $3 when 'completed' then '[{\"code\":\"graph.timeout\"}]'::jsonb end,
                now() - $4::interval, case when $3 <> 'queued' then now() - $4::interval end,
                case $3 when 'completed' then now() - $4::interval + interval '1 s' end
           from generate_series(1, $5)",
    )
    .bind(tenant)
    .bind(run_type)
    .bind(status)
    .bind(ago)
    .bind(count)
    .execute(owner)
    .await
    .unwrap();
}

async fn number(owner: &mut PgConnection, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(owner).await.unwrap()
}

async fn prune_all(connection: &mut PgConnection, limit: i32) -> u64 {
    let mut gone = 0;
    while let Pruned::Batch { runs, .. } = retention::prune(connection, limit, None).await.unwrap()
    {
        gone += runs;
    }
    gone
}

const COUNTED: &str =
    "select sum(failed)::bigint from opsroom.rollup_days where tenant_id = 0 and type = ''";
const LEFT: &str = "select count(*) from opsroom.operation_runs";
const AUDITED: &str = "select coalesce(sum(split_part(subject, ' ', 1)::bigint), 0)::bigint from opsroom.audit where action = 'runs.prune'";

#[tokio::test]
async fn what_is_old_and_counted_goes_and_everything_else_stays() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let mut worker = world.connect(&world.worker).await.unwrap();
    let sync = "inventory.sync";
    runs(&mut owner, world.north, sync, "completed", "100 days", 7).await;
    runs(&mut owner, world.north, sync, "completed", "80 days", 2).await;
    runs(&mut owner, world.north, sync, "queued", "200 days", 1).await;
    runs(&mut owner, world.north, sync, "running", "200 days", 1).await;
    sqlx::raw_sql(
        "insert into opsroom.schedules (tenant_id, type, name, cron, time_zone)
           select id, 'backup_schedule.scheduled', 'nightly', '0 2 * * *', 'UTC' from opsroom.tenants where name = 'north';
         insert into opsroom.schedule_fires (tenant_id, schedule_id, fire_at, run_id)
           select s.tenant_id, s.id, now() - interval '100 days', (select min(id) from opsroom.operation_runs) from opsroom.schedules s;
         insert into opsroom.operation_runs (tenant_id, type, initiator_name, run_identity_hash, status, outcome, created_at, started_at, completed_at)
           select min(id), 'inventory.sync', 'System', repeat('a', 64), 'completed', 'failed', now() - interval '100 days', now() - interval '99 days', now() - interval '1 hour'
             from opsroom.tenants where name = 'north'",
    )
    .execute(&mut owner)
    .await
    .unwrap();

    // The template may have been counted long ago: these runs were not.
    assert_eq!(
        prune_all(&mut worker, 3).await,
        0,
        "no rollup has counted them"
    );
    rollups::catch_up(&mut worker).await.unwrap();
    let counted = number(&mut owner, COUNTED).await;
    assert_eq!(prune_all(&mut worker, 3).await, 7);
    assert_eq!(
        number(&mut owner, LEFT).await,
        2 + 2 + 1,
        "young, active, ended lately"
    );
    assert_eq!(
        number(&mut owner, "select count(*) from opsroom.schedule_fires").await,
        1
    );
    assert_eq!(
        number(&mut owner, "select count(*) from opsroom.run_failures").await,
        2
    );
    assert_eq!(number(&mut owner, AUDITED).await, 7);
    assert_eq!(
        number(
            &mut owner,
            "select count(*) from opsroom.audit where action = 'runs.prune'"
        )
        .await,
        3,
        "a line a batch"
    );
    assert_eq!(number(&mut owner, "select count(*) from opsroom.audit where action = 'runs.prune' and tenant_id is not null").await, 0);

    assert_eq!(counted, 10);
    assert_eq!(number(&mut owner, COUNTED).await, counted);
    rollups::rebuild(&mut worker, |_, _, _| {}).await.unwrap();
    assert_eq!(
        number(&mut owner, COUNTED).await,
        counted,
        "days with pruned runs are not counted anew"
    );
    let checked = rollups::check(&mut worker, |_, _, _| {}).await.unwrap();
    assert_eq!(checked.differing, []);
    assert_eq!(checked.pruned.len(), 2, "200 and 100 days ago");
}

#[tokio::test]
async fn a_type_may_be_kept_longer_or_shorter() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    for run_type in ["inventory.sync", "drift.generate", "crm.sync"] {
        for ago in ["200 days", "20 days", "5 days"] {
            runs(&mut owner, world.north, run_type, "completed", ago, 1).await;
        }
    }
    rollups::catch_up(&mut owner).await.unwrap();
    retention::set(&mut owner, "drift.generate", 365)
        .await
        .unwrap();
    retention::set(&mut owner, "crm.sync", 10).await.unwrap();
    retention::set(&mut owner, "crm.sync", 10).await.unwrap();
    let kept = retention::list(&mut owner).await.unwrap();
    assert!(
        kept.contains(&Kept {
            run_type: "crm.sync".into(),
            days: 10
        }) && kept.len() == 3
    );
    let due: Vec<_> = retention::prunable(&mut owner, None).await.unwrap();
    let due: Vec<_> = due
        .iter()
        .map(|due| (due.run_type.as_str(), due.runs))
        .collect();
    assert_eq!(
        due,
        [
            ("crm.sync", 2),
            ("drift.generate", 0),
            ("inventory.sync", 1)
        ]
    );
    assert_eq!(prune_all(&mut owner, 100).await, 3);

    assert!(
        retention::reset(&mut owner, "drift.generate")
            .await
            .unwrap()
    );
    assert!(
        !retention::reset(&mut owner, "drift.generate")
            .await
            .unwrap()
    );
    assert!(
        retention::reset(&mut owner, retention::DEFAULT)
            .await
            .is_err(),
        "there is always a default"
    );
    assert!(retention::set(&mut owner, "crm.sync", 0).await.is_err());
    assert_eq!(prune_all(&mut owner, 100).await, 1);
    let said =
        "select count(*) from opsroom.audit where action in ('retention.set', 'retention.reset')";
    assert_eq!(number(&mut owner, said).await, 3, "two set, one reset");
    let checked = rollups::check(&mut owner, |_, _, _| {}).await.unwrap();
    assert_eq!(checked.differing, []);
    assert_eq!(checked.pruned.len(), 2, "200 and 20 days ago");
    // Another type's runs of the same days are still counted anew.
    sqlx::raw_sql("update opsroom.rollup_days set failed = 9 where type = 'inventory.sync'")
        .execute(&mut owner)
        .await
        .unwrap();
    rollups::rebuild(&mut owner, |_, _, _| {}).await.unwrap();
    let again = "select sum(failed)::bigint from opsroom.rollup_days where tenant_id <> 0 and type = 'inventory.sync' and day > current_date - 90";
    assert_eq!(number(&mut owner, again).await, 2);
}

#[tokio::test]
async fn two_prunes_at_once_take_turns_and_one_cut_off_left_nothing() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    runs(
        &mut owner,
        world.north,
        "inventory.sync",
        "completed",
        "100 days",
        40,
    )
    .await;
    rollups::catch_up(&mut owner).await.unwrap();
    let mut cut = world.owner().await.unwrap();
    let mut open = cut.begin().await.unwrap();
    assert!(matches!(
        retention::prune(&mut open, 5, None).await.unwrap(),
        Pruned::Batch { runs: 5, .. }
    ));
    assert_eq!(
        retention::prune(&mut owner, 5, None).await.unwrap(),
        Pruned::Busy
    );
    open.rollback().await.unwrap();
    assert_eq!(
        (
            number(&mut owner, LEFT).await,
            number(&mut owner, AUDITED).await
        ),
        (40, 0)
    );

    let racer = async || {
        let mut worker = world.connect(&world.worker).await.unwrap();
        let mut gone = 0;
        loop {
            match retention::prune(&mut worker, 3, None).await.unwrap() {
                Pruned::Batch { runs, .. } => gone += runs,
                Pruned::Busy => tokio::task::yield_now().await,
                Pruned::Done => return gone,
            }
        }
    };
    let (one, two) = tokio::join!(racer(), racer());
    assert_eq!(one + two, 40);
    assert_eq!(
        (
            number(&mut owner, LEFT).await,
            number(&mut owner, AUDITED).await
        ),
        (0, 40)
    );
}

#[tokio::test]
async fn a_worker_cannot_shorten_the_retention() {
    let world = World::new().await.unwrap();
    let mut worker = world.connect(&world.worker).await.unwrap();
    let refused = retention::prune(&mut worker, 5, Some(1)).await.unwrap_err();
    assert_eq!(refused.sqlstate(), Some("42501"));
    let refused = retention::set(&mut worker, "inventory.sync", 1)
        .await
        .unwrap_err();
    assert_eq!(refused.sqlstate(), Some("42501"));
}
