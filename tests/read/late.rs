//! Changes under writers that commit late: none is missed, on the primary and on a hot standby.

use crate::world::{World, page};
use opsroom_model::RunId;
use opsroom_model::query::parse;
use opsroom_read::{Changes, PageRequest, Reader, RunRow, Tail};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const WRITERS: usize = 8;
/// Runs in the end: three in a transaction, four transactions in five committed.
const AT_LEAST: usize = 2_000;

/// Transactions that stay open for up to 20 ms after their writes and commit in another order than
/// they began; some end by rolling back. Each starts three runs and moves earlier ones on.
const WRITER: &str = "do $$
declare
  moved bigint[] := '{}';
  started bigint[];
begin
  for n in 1..120 loop
    with made as (
      insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash)
      select 1 + (n + k) % 4, 'System', 'crm.export', encode(sha256(format('WRITER/%s/%s', n, k)::bytea), 'hex')
        from generate_series(1, 3) k returning id)
    select array_agg(id) into started from made;
    update opsroom.operation_runs set status = 'completed', outcome = 'succeeded' where id = any (moved) and status = 'running';
    update opsroom.operation_runs set status = 'running' where id = any (moved) and status = 'queued';
    perform pg_sleep(random() * 0.02);
    if n % 5 = 0 then
      rollback;
    else
      commit;
      moved := moved[greatest(1, cardinality(moved) - 2):] || started;
    end if;
  end loop;
end $$";

/// Everything there is, read page by page.
async fn everything(reader: &mut Reader) -> HashMap<RunId, Arc<RunRow>> {
    let mut request = PageRequest {
        query: parse("").unwrap(),
        limit: 500,
        before: None,
    };
    let mut found = HashMap::new();
    loop {
        let page = reader.page(&request, &[]).await.unwrap();
        request.before = page.rows.last().map(|row| row.cursor());
        found.extend(page.rows.iter().map(|row| (row.id, Arc::clone(row))));
        if !page.more {
            return found;
        }
    }
}

/// Follows until told that nothing more is written, and then looks once more.
struct Follower {
    reader: Reader,
    tail: Tail,
    known: HashMap<RunId, Arc<RunRow>>,
    told: usize,
}

impl Follower {
    fn new(reader: Reader) -> Self {
        Self {
            reader,
            tail: Tail::new(parse("").unwrap()),
            known: HashMap::new(),
            told: 0,
        }
    }

    async fn look(&mut self) {
        match self.reader.changes(&mut self.tail).await.unwrap() {
            Changes::Relist => self.known = everything(&mut self.reader).await,
            Changes::Runs(runs) => {
                for run in runs {
                    self.told += 1;
                    // The list may have shown it already; a look never tells the same twice.
                    self.known.insert(run.id, run);
                }
            }
        }
    }

    async fn follow(mut self, done: Arc<AtomicBool>) -> Self {
        while !done.load(Ordering::Acquire) {
            self.look().await;
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        self
    }
}

/// The newest page, asked for again and again with what is held of it.
async fn relist(mut reader: Reader, done: Arc<AtomicBool>) -> (Reader, Vec<Arc<RunRow>>) {
    let mut held = Vec::new();
    while !done.load(Ordering::Acquire) {
        held = again(&mut reader, &held).await;
    }
    (reader, held)
}

async fn again(reader: &mut Reader, held: &[Arc<RunRow>]) -> Vec<Arc<RunRow>> {
    let request = PageRequest {
        query: parse("").unwrap(),
        limit: 500,
        before: None,
    };
    reader.page(&request, held).await.unwrap().rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_change_is_missed_however_late_it_is_committed() {
    let world = World::replicated().await;
    let done = Arc::new(AtomicBool::new(false));
    let here = Follower::new(world.oncall().await);
    let there = Follower::new(world.standby(&world.oncall).await);
    let here = tokio::spawn(here.follow(Arc::clone(&done)));
    let there = tokio::spawn(there.follow(Arc::clone(&done)));
    let page_here = tokio::spawn(relist(world.oncall().await, Arc::clone(&done)));
    let page_there = tokio::spawn(relist(
        world.standby(&world.oncall).await,
        Arc::clone(&done),
    ));
    let writing: Vec<_> = (0..WRITERS)
        .map(|n| {
            let url = world.database.superuser_url();
            tokio::spawn(async move {
                use sqlx::Connection as _;
                let mut writer = sqlx::PgConnection::connect(&url).await.unwrap();
                let script = WRITER.replace("WRITER", &n.to_string());
                sqlx::raw_sql(sqlx::AssertSqlSafe(script))
                    .execute(&mut writer)
                    .await
                    .unwrap();
            })
        })
        .collect();
    for writer in writing {
        writer.await.unwrap();
    }
    world.database.replayed().await.unwrap();
    done.store(true, Ordering::Release);
    let truth = everything(&mut world.oncall().await).await;
    assert!(truth.len() >= AT_LEAST, "{}", truth.len());
    for (place, follower) in [("primary", here), ("standby", there)] {
        let mut follower = follower.await.unwrap();
        follower.look().await;
        let missed = truth
            .iter()
            .filter(|(id, run)| follower.known.get(id) != Some(run))
            .count();
        assert_eq!(missed, 0, "on the {place}, of {}", truth.len());
        assert!(follower.told >= AT_LEAST, "{}", follower.told);
        // Everything is told: a further look has nothing.
        let last = follower.reader.changes(&mut follower.tail).await.unwrap();
        assert_eq!(last, Changes::Runs(Vec::new()), "on the {place}");
    }
    for (place, page) in [("primary", page_here), ("standby", page_there)] {
        let (mut reader, held) = page.await.unwrap();
        let kept = again(&mut reader, &held).await;
        let fresh = again(&mut reader, &[]).await;
        assert!(
            kept == fresh,
            "the page on the {place} is not what is there"
        );
    }
}

#[tokio::test]
async fn a_tail_that_lost_its_place_says_so() {
    let world = World::new().await;
    let mut reader = world.oncall().await;
    let mut tail = Tail::new(parse("tenant:contoso").unwrap());
    assert_eq!(reader.changes(&mut tail).await.unwrap(), Changes::Relist);
    let nothing = Changes::Runs(Vec::new());
    assert_eq!(reader.changes(&mut tail).await.unwrap(), nothing);
    // A new connection.
    world
        .database
        .script(&format!(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename = '{}'",
            world.oncall
        ))
        .await
        .unwrap();
    reader.changes(&mut tail).await.unwrap_err();
    assert_eq!(reader.changes(&mut tail).await.unwrap(), Changes::Relist);
    // More than a look holds, of which none but this tenant's count.
    let many = |tenant: i64, runs: i64| {
        format!(
            "insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, status, outcome)
             select {tenant}, 'System', 'crm.export', encode(sha256(n::text::bytea), 'hex'), 'completed', 'succeeded'
               from generate_series(1, {runs}) n"
        )
    };
    world.database.script(&many(2, 5_001)).await.unwrap();
    assert_eq!(reader.changes(&mut tail).await.unwrap(), nothing);
    world.database.script(&many(1, 5_001)).await.unwrap();
    assert_eq!(reader.changes(&mut tail).await.unwrap(), Changes::Relist);
    assert_eq!(reader.changes(&mut tail).await.unwrap(), nothing);
    world.database.script(&many(1, 7)).await.unwrap();
    let Changes::Runs(runs) = reader.changes(&mut tail).await.unwrap() else {
        panic!("seven fit");
    };
    assert_eq!(runs.len(), 7);
    assert!(
        page(&mut reader, "tenant:contoso").await.rows[..7]
            .iter()
            .all(|row| runs.contains(row))
    );
}
