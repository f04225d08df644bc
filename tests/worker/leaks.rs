//! What Graph's errors carry stays with Graph: no column of any table and no log line has it.

use crate::graph::Connected;
use crate::program::SOON;
use opsroom_graph::simulator::{Faults, LEAKED_EMAIL, LEAKED_TOKEN, TenantFixture, builtin};
use opsroom_testkit::eventually;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection};

/// Every table with a row that has `needle` in any of its columns.
async fn found(owner: &mut PgConnection, needle: &str) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')",
    )
    .fetch_all(&mut *owner)
    .await
    .unwrap();
    assert!(tables.len() > 20, "{tables:?}");
    let mut found = Vec::new();
    for table in tables {
        // A row's text is the text of all its columns.
        let query =
            format!("select exists (select from {table} r where r::text like '%' || $1 || '%')");
        if sqlx::query_scalar(AssertSqlSafe(query))
            .bind(needle)
            .fetch_one(&mut *owner)
            .await
            .unwrap()
        {
            found.push(table);
        }
    }
    found
}

#[tokio::test]
async fn neither_token_nor_mail_address_of_an_error_is_left_anywhere() {
    let connected = Connected::new().await;
    let statuses = [400, 401, 403, 409, 500];
    let mut owner = connected.world.owner().await.unwrap();
    let (full, mut runs) = (json!({"scope": "full"}), Vec::new());
    for status in statuses {
        let name = format!("leaks{status}");
        let insert = "insert into opsroom.tenants (workspace_id, name) select id, $1 from opsroom.workspaces returning id";
        let tenant: i64 = sqlx::query_scalar(insert)
            .bind(&name)
            .fetch_one(&mut owner)
            .await
            .unwrap();
        connected.connect(&name, builtin::policies()).await;
        connected.weather(&name, Faults::leaky(status));
        let run = connected.world.queued(tenant, "inventory.sync", &full);
        runs.push(run.await.unwrap());
    }
    let worker = connected.worker("one", &[]);
    let tried = eventually(SOON, "every run has ended an attempt", async || {
        let query =
            "select count(distinct run_id) from opsroom.run_attempts where run_id = any ($1)";
        let count: i64 = sqlx::query_scalar(query)
            .bind(&runs)
            .fetch_one(&mut owner)
            .await
            .unwrap();
        count == i64::try_from(statuses.len()).unwrap()
    });
    tried.await.unwrap();
    for status in statuses {
        let tenant = TenantFixture::named(&format!("leaks{status}"), Vec::new()).guid;
        assert!(
            connected.simulator.observed(tenant).unwrap().faults > 0,
            "{status} was leaked"
        );
    }
    // The search finds what is there: an id of a policy that another tenant's run did store.
    let control = connected.completed(connected.start()).await;
    assert_eq!(control["outcome"], "succeeded");
    let known = builtin::policies()
        .first()
        .unwrap()
        .summary
        .id
        .as_str()
        .to_owned();
    assert_eq!(found(&mut owner, &known).await, ["opsroom.inventory_items"]);

    let log = worker.log();
    assert!(log.contains("ended"), "the log was read: {log}");
    for needle in [LEAKED_TOKEN, LEAKED_EMAIL, &LEAKED_TOKEN[..20], "eve@"] {
        assert_eq!(
            found(&mut owner, needle).await,
            Vec::<String>::new(),
            "{needle}"
        );
        assert!(!log.contains(needle), "{needle} in the log: {log}");
    }
    let secret = TenantFixture::named("north", Vec::new()).client_secret;
    let secret = secrecy::ExposeSecret::expose_secret(&secret);
    assert!(
        found(&mut owner, secret).await.is_empty() && !log.contains(secret),
        "the client secret"
    );
}
