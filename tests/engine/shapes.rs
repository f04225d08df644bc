//! The shape of every value in a run: what is malformed is refused, whoever writes.

use crate::guard::{insert, refusal};
use opsroom_testkit::World;

#[tokio::test]
async fn malformed_values_are_refused_and_phps_empty_map_is_taken() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let long = "x".repeat(201);
    let fits = "x".repeat(200);
    let cases: Vec<(&str, String, bool)> = vec![
        ("summary_counts", "[]".into(), true),
        ("summary_counts", "{}".into(), true),
        (
            "summary_counts",
            r#"{"total":3,"processed":1}"#.into(),
            true,
        ),
        ("summary_counts", r#"{"total":-1}"#.into(), false),
        ("summary_counts", r#"{"total":"3"}"#.into(), false),
        ("summary_counts", r#"{"total":null}"#.into(), false),
        ("summary_counts", r#"{"total":[3]}"#.into(), false),
        ("summary_counts", r#"{"total":[]}"#.into(), false),
        ("summary_counts", r#"{"total":{"a":1}}"#.into(), false),
        ("summary_counts", "[1]".into(), false),
        ("summary_counts", "3".into(), false),
        ("summary_counts", "null".into(), false),
        ("failure_summary", "[]".into(), true),
        (
            "failure_summary",
            r#"[{"code":"graph.throttled","message":"Throttled","count":1}]"#.into(),
            true,
        ),
        ("failure_summary", r#"[{"code":"a"}]"#.into(), true),
        (
            "failure_summary",
            format!(r#"[{{"code":"a","message":"{fits}"}}]"#),
            true,
        ),
        (
            "failure_summary",
            format!(r#"[{{"code":"a","message":"{long}"}}]"#),
            false,
        ),
        (
            "failure_summary",
            r#"[{"code":"a","message":"two\nlines"}]"#.into(),
            false,
        ),
        (
            "failure_summary",
            r#"[{"code":"a","message":"\u001b[2J"}]"#.into(),
            false,
        ),
        (
            "failure_summary",
            r#"[{"code":"a","message":"\u009b2J"}]"#.into(),
            false,
        ),
        (
            "failure_summary",
            r#"[{"code":"a","message":5}]"#.into(),
            false,
        ),
        (
            "failure_summary",
            r#"[{"code":"a","count":0}]"#.into(),
            false,
        ),
        (
            "failure_summary",
            r#"[{"code":"a","count":"1"}]"#.into(),
            false,
        ),
        (
            "failure_summary",
            r#"[{"message":"no code"}]"#.into(),
            false,
        ),
        (
            "failure_summary",
            r#"[{"code":"Not A Code"}]"#.into(),
            false,
        ),
        ("failure_summary", r#"[{"code":"a\n"}]"#.into(), false),
        ("failure_summary", r#"[{"code":["a"]}]"#.into(), false),
        (
            "failure_summary",
            format!(r#"[{{"code":"{}"}}]"#, "a".repeat(65)),
            false,
        ),
        ("failure_summary", r#"{"code":"a"}"#.into(), false),
        ("failure_summary", r#"["a"]"#.into(), false),
        ("failure_summary", r#"[[{"code":"a"}]]"#.into(), false),
        ("failure_summary", "[[]]".into(), false),
        ("context", "[]".into(), true),
        ("context", r#"{"restore_run_id":1}"#.into(), true),
        ("context", "\"text\"".into(), false),
    ];
    for (column, value, taken) in cases {
        let result = insert(
            &mut owner,
            world.north,
            &format!(", {column}"),
            &format!(", $${value}$$"),
        )
        .await;
        assert_eq!(result.is_ok(), taken, "{column} = {value}: {result:?}");
        if let Err((state, constraint)) = result {
            assert_eq!(state, "23514", "{column} = {value}: {constraint}");
        }
    }
}

#[tokio::test]
async fn names_types_hashes_and_times_have_their_shape() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let insert = |name: &str, run_type: &str, hash: &str, more: &str, values: &str| {
        format!(
            "insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash{more})
             values ({}, {name}, '{run_type}', '{hash}'{values})",
            world.north
        )
    };
    let hash = "a".repeat(64);
    for bad in [
        insert("''", "a.b", &hash, "", ""),
        insert("e'two\\nlines'", "a.b", &hash, "", ""),
        insert("repeat('x', 201)", "a.b", &hash, "", ""),
        insert("'S'", "plain", &hash, "", ""),
        insert("'S'", "A.b", &hash, "", ""),
        insert("'S'", "a.b.c", &hash, "", ""),
        insert("'S'", "a.b", &"A".repeat(64), "", ""),
        insert("'S'", "a.b", &"a".repeat(63), "", ""),
        insert("'S'", "a.b", &hash, ", started_at", ", now()"),
        insert("'S'", "a.b", &hash, ", completed_at", ", now()"),
        insert("'S'", "a.b", &hash, ", worker_id", ", gen_random_uuid()"),
        insert("'S'", "a.b", &hash, ", max_attempts", ", 0"),
    ] {
        assert_eq!(refusal(&mut owner, &bad).await.unwrap().0, "23514", "{bad}");
    }
    let done = |column: &str, time: &str| {
        let columns = format!(", status, outcome, {column}");
        let values = format!(", 'completed', 'succeeded', {time}");
        insert("'S'", "a.b", &hash, &columns, &values)
    };
    for (column, time, state) in [
        ("created_at", "'infinity'", "OP006"),
        ("created_at", "now() + interval '50 years'", "OP006"),
        ("created_at", "'-infinity'", "23514"),
        ("started_at", "'-infinity'", "22008"),
        ("completed_at", "'280000-01-01'", "OP006"),
        ("updated_at", "'infinity'", "23514"),
    ] {
        let bad = done(column, time);
        assert_eq!(refusal(&mut owner, &bad).await.unwrap().0, state, "{bad}");
    }
    let good = insert("'S'", "a.b", &hash, "", "");
    assert_eq!(refusal(&mut owner, &good).await, None);
    assert_eq!(
        refusal(&mut owner, &good).await.unwrap().1,
        "runs_active_identity",
        "one active run an identity"
    );
    let history = insert(
        "'S'",
        "a.b",
        &hash,
        ", status, outcome",
        ", 'completed', 'succeeded'",
    );
    assert_eq!(
        refusal(&mut owner, &history).await,
        None,
        "history may repeat it"
    );
}
