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
