//! The record guards itself, whoever writes: here the superuser does, whom nothing else stops. Not here:
//! the shape of single values, see `shapes`.

use opsroom_testkit::World;
use sqlx::{AssertSqlSafe, PgConnection};

const STATUSES: [&str; 3] = ["queued", "running", "completed"];
const OUTCOMES: [&str; 5] = [
    "pending",
    "succeeded",
    "partially_succeeded",
    "failed",
    "cancelled",
];

/// The refusal of a statement: its SQLSTATE, and the check that was violated.
pub(crate) async fn refusal(
    connection: &mut PgConnection,
    statement: &str,
) -> Option<(String, String)> {
    let error = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(connection)
        .await
        .err()?;
    let database = error.as_database_error().unwrap();
    Some((
        database.code().unwrap().into_owned(),
        database.constraint().unwrap_or_default().to_owned(),
    ))
}

/// Inserts a run with these columns beside the necessary ones.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    tenant: i64,
    columns: &str,
    values: &str,
) -> Result<i64, (String, String)> {
    let hash = uuid_hash();
    let statement = format!(
        "insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash{columns})
         values ({tenant}, 'System', 'test.guard', '{hash}'{values}) returning id"
    );
    sqlx::query_scalar(AssertSqlSafe(statement))
        .fetch_one(connection)
        .await
        .map_err(|error| {
            let database = error.as_database_error().unwrap();
            (
                database.code().unwrap().into_owned(),
                database.constraint().unwrap_or_default().to_owned(),
            )
        })
}

fn uuid_hash() -> String {
    uuid::Uuid::new_v4().simple().to_string().repeat(2)
}

/// A run in that state, brought there by legal steps.
async fn run_in(connection: &mut PgConnection, tenant: i64, status: &str, outcome: &str) -> i64 {
    insert(
        connection,
        tenant,
        ", status, outcome",
        &format!(", '{status}', '{outcome}'"),
    )
    .await
    .unwrap()
}

fn possible(status: &str, outcome: &str) -> bool {
    (status == "completed") != (outcome == "pending")
}

#[tokio::test]
async fn only_possible_states_are_inserted() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    for status in STATUSES {
        for outcome in OUTCOMES {
            let result = insert(
                &mut owner,
                world.north,
                ", status, outcome",
                &format!(", '{status}', '{outcome}'"),
            )
            .await;
            match result {
                Ok(_) => assert!(possible(status, outcome), "{status}/{outcome} was taken"),
                Err(refusal) => {
                    assert!(
                        !possible(status, outcome),
                        "{status}/{outcome} was refused: {refusal:?}"
                    );
                    assert_eq!(refusal.1, "outcome_pending_while_active");
                }
            }
        }
    }
    for (status, outcome) in [
        ("done", "pending"),
        ("queued", "ok"),
        ("", ""),
        ("Queued", "pending"),
    ] {
        let refused = insert(
            &mut owner,
            world.north,
            ", status, outcome",
            &format!(", '{status}', '{outcome}'"),
        )
        .await;
        assert_eq!(refused.unwrap_err().0, "23514", "{status}/{outcome}");
    }
}

#[tokio::test]
async fn only_the_transitions_of_the_record_are_made() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let states: Vec<_> = STATUSES
        .iter()
        .flat_map(|status| OUTCOMES.iter().map(move |outcome| (*status, *outcome)))
        .collect();
    for (from, was) in states
        .iter()
        .filter(|(status, outcome)| possible(status, outcome))
    {
        for (to, becomes) in &states {
            let run = run_in(&mut owner, world.north, from, was).await;
            let update = format!(
                "update opsroom.operation_runs set status = '{to}', outcome = '{becomes}' where id = {run}"
            );
            let legal = match (*from, *to) {
                ("queued", "queued" | "running") | ("running", "running") => *becomes == "pending",
                ("queued", "completed") => *becomes == "failed",
                ("running", "completed") => *becomes != "pending",
                _ => false,
            };
            let refused = refusal(&mut owner, &update).await;
            assert_eq!(
                refused.is_none(),
                legal,
                "{from}/{was} to {to}/{becomes}: {refused:?}"
            );
            if let Some((state, _)) = refused {
                let expected = if *from == "completed" {
                    "OP003"
                } else {
                    &state
                };
                assert_eq!(state, expected);
                assert!(
                    ["OP001", "OP003", "23514"].contains(&state.as_str()),
                    "{state}"
                );
            }
        }
    }
}

#[tokio::test]
async fn who_what_and_when_never_change() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let run = run_in(&mut owner, world.north, "running", "pending").await;
    for change in [
        "id = id + 1000".to_owned(),
        format!("tenant_id = {}", world.south),
        "user_id = (select min(id) from opsroom.users)".to_owned(),
        "initiator_name = 'Somebody'".to_owned(),
        "type = 'other.type'".to_owned(),
        "run_identity_hash = repeat('0', 64)".to_owned(),
        "created_at = created_at - interval '1 day'".to_owned(),
        "started_at = null".to_owned(),
        "started_at = started_at - interval '1 hour'".to_owned(),
        "claim_no = claim_no - 1".to_owned(),
    ] {
        let update = format!("update opsroom.operation_runs set {change} where id = {run}");
        assert_eq!(
            refusal(&mut owner, &update).await.unwrap().0,
            "OP002",
            "{change}"
        );
    }
}

#[tokio::test]
async fn history_is_immutable_but_for_the_owners_redaction() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let leaked = r#", '[{"code":"a.b","message":"hunter2"}]', '{"k":"hunter2"}'"#;
    let columns = ", status, outcome, failure_summary, context";
    let run = insert(
        &mut owner,
        world.north,
        columns,
        &format!(", 'completed', 'failed'{leaked}"),
    )
    .await
    .unwrap();
    let other = insert(
        &mut owner,
        world.north,
        ", failure_summary, context",
        leaked,
    )
    .await
    .unwrap();
    for change in [
        "summary_counts = '{}'",
        "context = null",
        "failure_summary = null",
        "worker_id = gen_random_uuid()",
        "updated_at = now()",
    ] {
        let update = format!("update opsroom.operation_runs set {change} where id = {run}");
        assert_eq!(
            refusal(&mut owner, &update).await.unwrap().0,
            "OP003",
            "{change}"
        );
        let pretended = format!("set opsroom.redacting = '{run}'; {update}");
        assert_eq!(
            refusal(&mut owner, &pretended).await.unwrap().0,
            "OP003",
            "{change}, pretending to redact"
        );
    }
    let hangs_off = format!(
        "insert into opsroom.run_attempts (tenant_id, run_id, claim_no, attempt, ended, failure_summary)
           values ({0}, {run}, 1, 1, 'failed', '[{{\"code\":\"a.b\",\"message\":\"hunter2\"}}]');
         insert into opsroom.operation_run_items (tenant_id, run_id, item_key, label, status, code, message)
           values ({0}, {run}, 'k', 'hunter2', 'failed', 'a.b', 'hunter2')",
        world.north
    );
    assert_eq!(refusal(&mut owner, &hangs_off).await, None);
    for (id, was_completed) in [(run, true), (other, false), (-1, false)] {
        let redacted: bool = sqlx::query_scalar("select opsroom.redact_run($1)")
            .bind(id)
            .fetch_one(&mut owner)
            .await
            .unwrap();
        assert_eq!(redacted, was_completed, "says whether it did something");
    }
    let row = world.run(run).await.unwrap();
    assert!(row["context"].is_null() && row["failure_summary"].is_null());
    let left: bool = sqlx::query_scalar(
        "select exists (select from opsroom.run_attempts a where run_id = $1 and a::text ~ 'hunter2')
             or exists (select from opsroom.operation_run_items i where run_id = $1 and i::text ~ 'hunter2')",
    )
    .bind(run)
    .fetch_one(&mut owner)
    .await
    .unwrap();
    assert!(!left, "attempts and items are redacted, too");
    let audited: i64 = sqlx::query_scalar(
        "select count(*) from opsroom.audit where action = 'run.redact' and run_id = $1",
    )
    .bind(run)
    .fetch_one(&mut owner)
    .await
    .unwrap();
    assert_eq!(audited, 1);
}

#[tokio::test]
async fn what_is_active_is_not_deleted() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    for status in ["queued", "running"] {
        let run = run_in(&mut owner, world.north, status, "pending").await;
        let delete = format!("delete from opsroom.operation_runs where id = {run}");
        assert_eq!(
            refusal(&mut owner, &delete).await.unwrap().0,
            "OP004",
            "{status}"
        );
    }
    let run = run_in(&mut owner, world.north, "completed", "failed").await;
    let delete = format!("delete from opsroom.operation_runs where id = {run}");
    let refused = refusal(&mut owner, &delete).await.unwrap();
    assert_eq!(refused.0, "OP004", "no rollup has counted it");
    opsroom_engine::rollups::catch_up(&mut owner).await.unwrap();
    assert_eq!(refusal(&mut owner, &delete).await, None);
}

#[tokio::test]
async fn only_changes_that_a_list_shows_are_stamped() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let run = run_in(&mut owner, world.north, "running", "pending").await;
    let before = world.run(run).await.unwrap();
    let progress = format!(
        "update opsroom.operation_runs set summary_counts = '{{\"total\":1}}', changed_xid = '1' where id = {run}"
    );
    assert_eq!(refusal(&mut owner, &progress).await, None);
    let after = world.run(run).await.unwrap();
    assert_eq!(
        before["changed_xid"], after["changed_xid"],
        "progress is no change"
    );
    assert_ne!(before["updated_at"], after["updated_at"]);
    let retry = format!("update opsroom.operation_runs set available_at = now() where id = {run}");
    assert_eq!(refusal(&mut owner, &retry).await, None);
    assert_ne!(
        world.run(run).await.unwrap()["changed_xid"],
        after["changed_xid"]
    );
}
