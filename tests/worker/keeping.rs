//! Counting and keeping from the command line: `rollups`, `retention`, `prune`.

use crate::program::{Said, run};
use opsroom_testkit::World;
use sqlx::PgConnection;

async fn old_runs(owner: &mut PgConnection, tenant: i64, run_type: &str, days: i32, count: i32) {
    sqlx::query(
        "insert into opsroom.operation_runs (tenant_id, type, initiator_name, run_identity_hash, status, outcome, created_at, started_at, completed_at)
         select $1, $2, 'System', encode(sha256(($2 || $3 || '/' || n)::bytea), 'hex'), 'completed', 'failed', t.at, t.at, t.at
           from generate_series(1, $4) n cross join lateral (select now() - make_interval(days => $3) as at) t",
    )
    .bind(tenant)
    .bind(run_type)
    .bind(days)
    .bind(count)
    .execute(owner)
    .await
    .unwrap();
}

async fn left(owner: &mut PgConnection) -> i64 {
    let count = sqlx::query_scalar("select count(*) from opsroom.operation_runs");
    count.fetch_one(owner).await.unwrap()
}

fn ended(said: Said, code: i32) -> Said {
    assert_eq!(said.code, Some(code), "{said:?}");
    said
}

#[tokio::test]
async fn rollups_are_compared_and_counted_anew() {
    let world = World::new().await.unwrap();
    let url = world.database().url(&world.worker);
    let mut owner = world.owner().await.unwrap();
    old_runs(&mut owner, world.north, "inventory.sync", 3, 5).await;
    let said = ended(run(&url, &["rollups", "rebuild"]), 0);
    assert!(said.out.contains("counted anew"), "{said:?}");
    assert!(said.err.contains("5 runs"), "progress: {said:?}");
    let said = ended(run(&url, &["rollups", "check"]), 0);
    assert_eq!(said.out, "the rollups say what the runs say\n");

    sqlx::raw_sql("update opsroom.rollup_days set failed = 99")
        .execute(&mut owner)
        .await
        .unwrap();
    let said = ended(run(&url, &["rollups", "check"]), 1);
    let query =
        "select (min(created_at) at time zone 'UTC')::date::text from opsroom.operation_runs";
    let day: String = sqlx::query_scalar(query)
        .fetch_one(&mut owner)
        .await
        .unwrap();
    assert!(said.out.contains(&day), "{said:?}");
    assert!(said.err.contains("rollups rebuild"), "{said:?}");
    ended(run(&url, &["rollups", "rebuild"]), 0);
    ended(run(&url, &["rollups", "check"]), 0);
}

#[tokio::test]
async fn old_runs_go_as_their_types_say() {
    let world = World::new().await.unwrap();
    let url = world.database().superuser_url();
    let mut owner = world.owner().await.unwrap();
    for (run_type, days) in [
        ("inventory.sync", 100),
        ("inventory.sync", 80),
        ("crm.sync", 20),
    ] {
        old_runs(&mut owner, world.north, run_type, days, 4).await;
    }
    let said = ended(run(&url, &["retention", "list"]), 0);
    assert_eq!(said.out, "*  90 days\n");
    let said = ended(run(&url, &["retention", "set", "crm.sync", "10"]), 0);
    assert_eq!(said.out, "crm.sync  10 days\n");
    let said = ended(run(&url, &["retention", "list"]), 0);
    assert_eq!(said.out, "*  90 days\ncrm.sync  10 days\n");

    let said = ended(run(&url, &["retention", "set", "crm.snyc", "10"]), 2);
    assert!(
        said.err
            .contains("'crm.snyc' is no registered operation type"),
        "{said:?}"
    );
    let said = ended(run(&url, &["retention", "set", "inventory.snyc", "10"]), 2);
    assert!(
        said.err.contains("did you mean inventory.sync?"),
        "{said:?}"
    );
    let said = ended(run(&url, &["retention", "list"]), 0);
    assert_eq!(said.out, "*  90 days\ncrm.sync  10 days\n");

    let said = ended(run(&url, &["prune", "--dry-run"]), 0);
    assert!(said.out.ends_with("8 runs would go\n"), "{said:?}");
    assert_eq!(left(&mut owner).await, 12);
    // A worker's login removes them, too: the database counts what is past its retention.
    let worker = world.database().url(&world.worker);
    let said = ended(run(&worker, &["prune"]), 0);
    assert!(said.out.ends_with("8 runs removed\n"), "{said:?}");
    assert_eq!(left(&mut owner).await, 4);
    let said = ended(run(&url, &["rollups", "check"]), 0);
    assert!(said.out.contains("not comparable: pruned"), "{said:?}");

    let said = ended(run(&url, &["retention", "reset", "crm.sync"]), 0);
    assert_eq!(said.out, "crm.sync: the default holds\n");
    let said = ended(run(&url, &["retention", "reset", "crm.sync"]), 7);
    assert!(said.err.contains("retention list"), "{said:?}");
}

#[tokio::test]
async fn who_may_not_say_how_long_runs_are_kept_is_told_who_may() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    old_runs(&mut owner, world.north, "inventory.sync", 20, 4).await;
    let worker = world.database().url(&world.worker);
    for args in [
        &["retention", "set", "*", "1"][..],
        &["retention", "reset", "crm.sync"],
        &["prune", "--days", "1"],
    ] {
        let said = ended(run(&worker, args), 8);
        assert!(said.err.contains("owner"), "{said:?}");
    }
    assert_eq!(left(&mut owner).await, 4);
    for args in [
        &["retention", "set", "*", "0"][..],
        &["retention", "set", "*", "soon"],
        &["prune", "--days", "0"],
        &["rollups"],
    ] {
        ended(run(&worker, args), 2);
    }
}
