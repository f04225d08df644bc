//! Answers that cover a part and say so: a search that stops early and goes on from where it stopped,
//! another order of the newest, and the runs before one.

use crate::world::World;
use chrono::TimeDelta;
use opsroom_model::query::parse;
use opsroom_model::{RunId, TenantId};
use opsroom_read::{Direction, PageRequest, SortBy, SortRequest};

/// 5,000 runs of contoso a minute apart from ten hours ago on; every thousandth failed in a way of its
/// own. The n-th has the id 1000 + n and took n ms.
const MANY: &str = r#"
insert into opsroom.operation_runs (id, tenant_id, initiator_name, type, run_identity_hash, status, outcome,
  failure_summary, created_at, started_at, completed_at, available_at)
select 1000 + n, 1, 'System', 'inventory.sync', encode(sha256('many'::bytea), 'hex'), 'completed',
  case when n % 1000 = 0 then 'failed' else 'succeeded' end,
  case when n % 1000 = 0 then '[{"code":"app.rare","message":"m","count":1}]'::jsonb end,
  c.at, c.at, c.at + n * interval '1 ms', c.at
from generate_series(1, 5000) n cross join lateral (select now() - interval '10 h' - n * interval '1 min' as at) c"#;

#[tokio::test]
async fn a_search_that_stopped_goes_on_from_there_and_finds_each_once() {
    let world = World::new().await;
    world.database.script(MANY).await.unwrap();
    for login in [&world.oncall, &world.dev] {
        let mut reader = world.reader(login).await;
        let mut request = PageRequest {
            query: parse("rare").unwrap(),
            limit: 100,
            before: None,
        };
        let (mut found, mut pages) = (Vec::new(), 0);
        loop {
            let page = reader.page(&request, &[]).await.unwrap();
            pages += 1;
            found.extend(page.rows.iter().map(|row| row.id.0));
            assert_eq!(page.within_budget, page.searched_to.is_some());
            if let (Some(end), Some(before)) = (page.searched_to, request.before) {
                assert!(end.is_before(before), "it went back");
            }
            if let Some(end) = page.searched_to {
                let mut places = page.rows.iter().map(|row| row.cursor());
                let beyond = places.find(|at| at.is_before(end));
                assert_eq!(beyond, None, "beyond what was searched");
            }
            match page.next() {
                Some(next) => request.before = Some(next),
                None => break,
            }
        }
        assert_eq!(found, [2000, 3000, 4000, 5000, 6000]);
        assert!(pages > 2, "one slice held all of it: {pages}");
    }
}

#[tokio::test]
async fn another_order_is_that_of_the_newest_and_says_so() {
    let world = World::new().await;
    world.database.script(MANY).await.unwrap();
    let mut reader = world.reader(&world.dev).await;
    let mut request = SortRequest {
        query: parse("type:inventory.sync until:9h").unwrap(),
        by: SortBy::Took,
        direction: Direction::Descending,
        limit: 3,
    };
    let sorted = reader.sorted(&request).await.unwrap();
    let ids: Vec<_> = sorted.page.rows.iter().map(|row| row.id.0).collect();
    let covered = opsroom_read::sorted::COVERED as usize;
    assert!(
        sorted.covered >= covered && sorted.leaves_out(),
        "{sorted:?}"
    );
    let oldest = 1000 + sorted.covered as i64;
    assert_eq!(ids, [oldest, oldest - 1, oldest - 2], "the longest of them");
    let since = sorted.since.unwrap();
    assert_eq!(since, sorted.page.rows[0].created_at);

    request.query = parse("is:failed until:9h").unwrap();
    request.direction = Direction::Ascending;
    let sorted = reader.sorted(&request).await.unwrap();
    let ids: Vec<_> = sorted.page.rows.iter().map(|row| row.id.0).collect();
    assert_eq!(ids, [2000, 3000, 4000]);
    assert!(!sorted.leaves_out());
    assert_eq!(sorted.covered, 5);
}

#[tokio::test]
async fn the_runs_before_one_are_those_of_its_identity_and_of_its_kind() {
    let world = World::new().await;
    world.database.script(MANY).await.unwrap();
    let mut reader = world.reader(&world.dev).await;
    let strip = reader
        .history(RunId(1001), TenantId(1), "inventory.sync", 4)
        .await
        .unwrap();
    let ids = |runs: &[opsroom_read::PastRun]| runs.iter().map(|run| run.id.0).collect::<Vec<_>>();
    assert_eq!(ids(&strip.same), [1001, 1002, 1003, 1004]);
    assert_eq!(ids(&strip.kind), [1, 2, 1001, 1002]);
    let took = strip.same[0].completed_at.unwrap() - strip.same[0].started_at.unwrap();
    assert_eq!(took, TimeDelta::milliseconds(1));

    // Of a type it may not look into, a login sees that there were runs, not which were the same.
    let strip = reader
        .history(RunId(11), TenantId(1), "restore.execute", 4)
        .await
        .unwrap();
    assert_eq!((ids(&strip.same), ids(&strip.kind)), (vec![], vec![11]));
    // Of a stranger's run, nothing.
    let strip = reader
        .history(RunId(3), TenantId(2), "restore.execute", 4)
        .await
        .unwrap();
    assert_eq!((ids(&strip.same), ids(&strip.kind)), (vec![], vec![]));
}
