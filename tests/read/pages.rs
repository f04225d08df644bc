//! Pages: keyset order, and asking again for what is held.

use crate::world::{World, page};
use opsroom_model::query::{Query, parse};
use opsroom_model::{Bucket, RunId};
use opsroom_read::PageRequest;
use std::sync::Arc;

#[tokio::test]
async fn pages_follow_each_other_without_a_gap_or_a_repeat() {
    let world = World::new().await;
    let mut reader = world.oncall().await;
    let whole: Vec<_> = page(&mut reader, "")
        .await
        .rows
        .iter()
        .map(|row| row.id)
        .collect();
    let mut request = PageRequest {
        query: Query::default(),
        limit: 3,
        before: None,
    };
    let mut walked = Vec::new();
    loop {
        let page = reader.page(&request, &[]).await.unwrap();
        walked.extend(page.rows.iter().map(|row| row.id));
        request.before = page.rows.last().map(|row| row.cursor());
        if !page.more {
            break;
        }
    }
    assert_eq!(walked, whole);
}

#[tokio::test]
async fn a_page_may_be_a_row_or_two_whoever_asks_for_what() {
    let world = World::new().await;
    let mut reader = world.oncall().await;
    for query in [
        "",
        "is:queued",
        "is:failed,partial",
        "code:graph.throttled",
        "tenant:contoso,adatum",
        "tenant:contoso,adatum is:queued",
        "tenant:contoso,adatum code:graph.throttled",
        "tenant:contoso,adatum throttled",
        "tenant:nosuch",
    ] {
        let whole = page(&mut reader, query).await;
        for limit in 1..4 {
            let request = PageRequest {
                query: parse(query).unwrap(),
                limit,
                before: None,
            };
            let some = reader.page(&request, &[]).await.unwrap();
            let expected = whole.rows.iter().take(limit as usize);
            assert!(
                some.rows.iter().eq(expected),
                "{limit} of {query}: {some:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let world = World::new().await;
    let mut reader = world.oncall().await;
    let request = PageRequest {
        query: Query::default(),
        limit: 100,
        before: None,
    };
    let first = reader.page(&request, &[]).await.unwrap();
    let again = reader.page(&request, &first.rows).await.unwrap();
    assert_eq!(again.rows, first.rows);
    assert!(
        first
            .rows
            .iter()
            .zip(&again.rows)
            .all(|(a, b)| Arc::ptr_eq(a, b))
    );

    let progress = "update opsroom.operation_runs set summary_counts = '{\"total\":5,\"success\":4}' where id = 7";
    world.database.script(progress).await.unwrap();
    let later = reader.page(&request, &again.rows).await.unwrap();
    for (old, new) in again.rows.iter().zip(&later.rows) {
        assert_eq!(Arc::ptr_eq(old, new), new.id != RunId(7), "{:?}", new.id);
    }
    let changed = later.rows.iter().find(|row| row.id == RunId(7)).unwrap();
    assert_eq!(changed.counts.success, Some(4));

    let end = "update opsroom.operation_runs set status = 'completed', outcome = 'failed', \
               failure_summary = '[{\"code\":\"app.gone\",\"message\":\"m\",\"count\":1}]' where id = 7";
    world.database.script(end).await.unwrap();
    let ended = reader.page(&request, &later.rows).await.unwrap();
    let row = ended.rows.iter().find(|row| row.id == RunId(7)).unwrap();
    assert_eq!(row.state.bucket(), Bucket::Failed);
    assert_eq!(
        row.code.as_ref().map(|(code, _)| code.as_str()),
        Some("app.gone")
    );
}

#[tokio::test]
async fn a_tenant_that_came_after_the_directory_has_its_name_at_once() {
    let world = World::new().await;
    let mut reader = world.oncall().await;
    let first = page(&mut reader, "").await;
    let script = "insert into opsroom.tenants (workspace_id, name) values (1, 'newcomer');
         insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, available_at)
           select id, 'System', 'crm.sync', repeat('e', 64), now() from opsroom.tenants where name = 'newcomer'";
    world.database.script(script).await.unwrap();
    let request = PageRequest {
        query: Query::default(),
        limit: 100,
        before: None,
    };
    let second = reader.page(&request, &first.rows).await.unwrap();
    assert_eq!(second.rows[0].tenant.as_str(), "newcomer");
}

#[tokio::test]
async fn a_renamed_tenant_has_its_new_name_on_rows_that_stay_as_they_were() {
    let world = World::new().await;
    let mut reader = world.oncall().await;
    let request = PageRequest {
        query: parse("is:failed").unwrap(),
        limit: 100,
        before: None,
    };
    let first = reader.page(&request, &[]).await.unwrap();
    let script = "update opsroom.tenants set name = 'contoso-2' where name = 'contoso'";
    world.database.script(script).await.unwrap();
    reader.reread_directory().await.unwrap();
    // Anything that is written makes the page be listed again, as the passing of time does.
    let other =
        "update opsroom.operation_runs set status = 'completed', outcome = 'failed' where id = 6";
    world.database.script(other).await.unwrap();
    let second = reader.page(&request, &first.rows).await.unwrap();
    let named: Vec<_> = second.rows.iter().map(|row| row.tenant.as_str()).collect();
    assert_eq!(named, ["Zoë & Søns", "contoso-2", "contoso-2"]);
}

#[tokio::test]
async fn what_succeeded_shows_no_code_and_what_is_tried_again_that_of_its_last_attempt() {
    let world = World::new().await;
    let script = "update opsroom.operation_runs set failure_summary = '[{\"code\":\"app.gone\",\"message\":\"m\",\"count\":2}]' where id = 6;
         insert into opsroom.operation_runs (id, tenant_id, initiator_name, type, run_identity_hash, status, outcome, failure_summary,
           created_at, started_at, completed_at)
         values (300, 1, 'System', 'crm.sync', repeat('f', 64), 'completed', 'succeeded', '[{\"code\":\"app.gone\"}]',
           now(), now(), now())";
    world.database.script(script).await.unwrap();
    let mut reader = world.oncall().await;
    let rows = page(&mut reader, "").await.rows;
    let code = |id| {
        let row = rows.iter().find(|row| row.id == RunId(id)).unwrap();
        row.code.as_ref().map(|(code, n)| (code.as_str(), *n))
    };
    assert_eq!(code(6), Some(("app.gone", 2)));
    assert_eq!(code(300), None);
}

#[tokio::test]
async fn rows_that_leave_the_filter_leave_the_page() {
    let world = World::new().await;
    let mut reader = world.oncall().await;
    let query = opsroom_model::query::parse("is:running").unwrap();
    let request = PageRequest {
        query,
        limit: 100,
        before: None,
    };
    let first = reader.page(&request, &[]).await.unwrap();
    assert_eq!(first.rows.len(), 1);
    let end = "update opsroom.operation_runs set status = 'completed', outcome = 'succeeded' where id = 7";
    world.database.script(end).await.unwrap();
    assert!(
        reader
            .page(&request, &first.rows)
            .await
            .unwrap()
            .rows
            .is_empty()
    );
}
