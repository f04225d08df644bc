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

/// Old runs that never ended, more than a slice holds, on three moments only; and what a few of them
/// failed with so far.
const OLD: &str = r#"
insert into opsroom.operation_runs (id, tenant_id, initiator_name, type, run_identity_hash, status, failure_summary,
  created_at, started_at)
select 20000 + n, 1 + n % 2, case when n % 7 = 0 then 'Alice Meyer' else 'System' end,
  case when n % 70 = 1 then 'crm.export' else 'inventory.sync' end, encode(sha256(('old' || n)::bytea), 'hex'), 'running',
  case when n % 150 = 0 then '[{"code":"app.rare","message":"m","count":1}]'::jsonb end, c.at, c.at
from generate_series(1, 700) n cross join lateral (select date_trunc('day', now()) - interval '40 d' + n % 3 * interval '1 s' as at) c"#;

#[tokio::test]
async fn every_run_comes_once_in_order_however_it_is_found() {
    let world = World::new().await;
    world.database.script(MANY).await.unwrap();
    world.database.script(OLD).await.unwrap();
    // Hundreds of tenants that have nothing, and a login of all but the last of them.
    let crowded = opsroom_testkit::unique_name("crowded");
    let script = format!(
        "insert into opsroom.tenants (workspace_id, name) select 1, 'empty' || n from generate_series(1, 301) n;
         create role {crowded} login in role opsroom_reader;
         insert into opsroom.users (name) values ('Carla Crowd');
         insert into opsroom.workspace_members select 1, id, null from opsroom.users where name = 'Carla Crowd';
         insert into opsroom.tenant_members select t.id, u.id, 'readonly' from opsroom.tenants t, opsroom.users u
           where u.name = 'Carla Crowd' and t.workspace_id = 1 and t.name <> 'empty301';
         insert into opsroom.logins (login_role, user_id, kind)
           select '{crowded}', id, 'reader' from opsroom.users where name = 'Carla Crowd';"
    );
    world.database.script(&script).await.unwrap();
    let rare =
        "exists (select from opsroom.run_failures f where f.run_id = r.id and f.code = 'app.rare')";
    let rare_or = "exists (select from opsroom.run_failures f where f.run_id = r.id and f.code in ('app.rare', 'graph.throttled'))";
    let several = "r.type in ('crm.export', 'drift.generate')";
    for (query, holds) in [
        ("type:crm.export,drift.generate", several.to_owned()),
        ("type:crm.export,inventory.sync by:\"Alice Meyer\" is:running", "r.type in ('crm.export', 'inventory.sync') and r.initiator_name = 'Alice Meyer' and r.status = 'running'".to_owned()),
        ("by:\"Alice Meyer\" type:crm.export,drift.generate", format!("{several} and r.initiator_name = 'Alice Meyer'")),
        ("code:app.rare", rare.to_owned()),
        ("code:app.rare,graph.throttled", rare_or.to_owned()),
        ("code:app.rare type:crm.export,inventory.sync", format!("{rare} and r.type in ('crm.export', 'inventory.sync')")),
        ("type:crm.*,drift.* -is:succeeded", "(r.type like 'crm.%' or r.type like 'drift.%') and r.outcome <> 'succeeded'".to_owned()),
        ("is:running type:crm.export,drift.generate", format!("{several} and r.status = 'running'")),
        ("(tenant:contoso OR type:crm.export,drift.generate) -is:succeeded", format!("(r.tenant_id = 1 or {several}) and r.outcome <> 'succeeded'")),
        ("id:1,2,20001 type:crm.export,inventory.sync", "r.id in (1, 2, 20001) and r.type in ('crm.export', 'inventory.sync')".to_owned()),
    ] {
        for login in [&world.oncall, &world.dev, &crowded] {
            let reach = format!("r.tenant_id in (select tenant_id from opsroom.reach where login_role = '{login}')");
            let sql = format!(
                "select r.id from opsroom.operation_runs r where {holds} and {reach} \
                   and (r.created_at >= now() - interval '30 days' or r.outcome = 'pending' or r.id in (1, 2)) \
                 order by r.created_at desc, r.id desc"
            );
            let mut owner = world.database.connect().await.unwrap();
            let wanted: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&mut owner).await.unwrap();
            let mut reader = world.reader(login).await;
            let mut request = PageRequest {
                query: parse(query).unwrap(),
                limit: 7,
                before: None,
            };
            let mut found = Vec::new();
            loop {
                let page = reader.page(&request, &[]).await.unwrap();
                found.extend(page.rows.iter().map(|row| row.id.0));
                let Some(next) = page.next() else { break };
                assert!(request.before.is_none_or(|before| next.is_before(before)), "{query}: it went back");
                request.before = Some(next);
            }
            assert_eq!(found, wanted, "{query}");
        }
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
