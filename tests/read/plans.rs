//! No question of the console reads a whole table of runs: every class's plan, as every login, on a
//! database with history enough that the planner would notice.

use crate::classes::{self, Class, Ready};
use crate::seeded::{LOGINS, Seeded};
use crate::world::World;
use opsroom_model::Clean;
use opsroom_model::query::parse;
use opsroom_read::PageRequest;
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

/// What counts shows no plan, but the server knows how often it read a table from end to end.
#[tokio::test]
async fn no_headline_reads_a_whole_table_of_runs() {
    let seeded = Seeded::with(60_000, 200).await;
    let before = seeded.whole_reads(GREAT).await;
    let mut asked = 0;
    for login in LOGINS {
        let mut reader = seeded.reader(login).await;
        let mut queries = vec![parse("(is:failed OR type:directory_groups.sync)").unwrap()];
        // What is searched for looks at more rows of a state than are few of so many.
        let is_found = |class: &Class| !class.name.starts_with("text") && class.name != "code glob";
        for class in classes::all().into_iter().filter(is_found) {
            if let Ready::Page(request) = class.question.ready(&mut reader, &seeded).await {
                queries.push(request.query);
            }
        }
        for query in queries {
            asked += 1;
            reader.headline(&query).await.unwrap();
        }
    }
    assert!(asked > 80, "{asked} headlines");
    assert_eq!(seeded.whole_reads(GREAT).await, before);
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

/// Statistics are made while nearly nothing is active. Behind a backlog that came since, whoever asks for
/// the active runs of some tenants does not look through everybody's.
#[tokio::test]
async fn a_backlog_of_others_is_not_looked_through() {
    let world = World::new().await;
    let script = "update opsroom.operation_runs set status = 'running' where status = 'queued';
         update opsroom.operation_runs set status = 'completed', outcome = 'failed' where status = 'running';
         insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, status, outcome, created_at, started_at, completed_at)
         select 1 + n % 4, 'System', 'crm.sync', encode(sha256(('p' || n)::bytea), 'hex'), 'completed',
           case n % 20 when 0 then 'failed' when 1 then 'partially_succeeded' else 'succeeded' end, c.at, c.at, c.at
         from generate_series(1, 4085) n cross join lateral (select now() - n * interval '1 min' as at) c;
         analyze opsroom.operation_runs;
         insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, available_at)
         select 2, 'System', 'crm.sync', encode(sha256(('q' || n)::bytea), 'hex'), now() from generate_series(1, 2000) n";
    world.database.script(script).await.unwrap();
    for (login, query) in [
        (&world.dev, "is:queued"),
        (&world.dev, "is:queued type:crm.sync"),
        (&world.oncall, "tenant:contoso,adatum is:running"),
        (&world.oncall, "id:1,2,3 is:queued"),
    ] {
        let request = PageRequest {
            query: parse(query).unwrap(),
            limit: 100,
            before: None,
        };
        let plan = world.reader(login).await.plan(&request).await.unwrap();
        let others = ["runs_outcome_created", "runs_type_outcome"];
        let others = |line: &Clean| others.iter().any(|index| line.as_str().contains(index));
        assert!(!plan.iter().any(others), "{query}: {plan:#?}");
    }
}
