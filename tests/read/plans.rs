//! No question of the console reads a whole table of runs: every class's plan, as every login, on a
//! database with history enough that the planner would notice.

use crate::classes;
use crate::seeded::{LOGINS, Seeded};
use sqlx::{Connection, PgConnection};

/// Tables that grow with every run.
const GREAT: &[&str] = &["operation_runs", "run_failures", "run_keys"];

/// The lines of a plan that read a great table from end to end.
fn whole_reads<'a>(plan: impl IntoIterator<Item = &'a String>) -> Vec<&'a String> {
    let whole = |line: &&String| {
        GREAT
            .iter()
            .any(|table| line.contains(&format!("Seq Scan on {table} ")))
    };
    plan.into_iter().filter(whole).collect()
}

#[tokio::test]
async fn no_question_reads_a_whole_table_of_runs() {
    let seeded = Seeded::with(60_000, 200).await;
    let mut found = Vec::new();
    let mut looked_at = 0;
    for login in LOGINS {
        let mut reader = seeded.reader(login).await;
        for class in classes::all() {
            let ready = class.question.ready(&mut reader, &seeded).await;
            let Some(plan) = ready.plan(&mut reader).await else {
                continue;
            };
            looked_at += 1;
            for line in whole_reads(&plan) {
                found.push(format!("{} as {login}: {}", class.name, line.trim()));
            }
        }
    }
    assert!(looked_at > 100, "{looked_at} plans were looked at");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The guard can fail: a condition that no index serves is found out.
#[tokio::test]
async fn a_condition_without_an_index_is_reported() {
    let seeded = Seeded::with(60_000, 200).await;
    let mut login = PgConnection::connect(&seeded.url(LOGINS[0])).await.unwrap();
    let mut plan = async |query: &'static str| -> Vec<String> {
        sqlx::query_scalar(query)
            .fetch_all(&mut login)
            .await
            .unwrap()
    };
    let unindexed = "explain select id from opsroom.operation_runs r where max_attempts = 7";
    assert_eq!(whole_reads(&plan(unindexed).await).len(), 1);
    let unindexed = "explain select run_id from opsroom.run_failures f where n = 7";
    assert_eq!(whole_reads(&plan(unindexed).await).len(), 1);
    let indexed =
        "explain select id from opsroom.operation_runs r order by created_at desc, id desc limit 5";
    assert!(whole_reads(&plan(indexed).await).is_empty());
}
