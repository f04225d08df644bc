//! What the database answers is what the language means: random runs, random queries, evaluated in
//! memory and by PostgreSQL. A failure prints the query that showed it; QUERY_SEED tries other ones.

mod random;

use chrono::{DateTime, SubsecRound, Utc};
use fastrand::Rng;
use opsroom_model::query::RunFacts;
use opsroom_model::query::parse;
use opsroom_model::{Bucket, RunId};
use opsroom_read::{PageRequest, ReadOptions, Reader, RunRow};
use opsroom_testkit::{TestDatabase, unique_name};
use random::{TENANTS, run, script, terms};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Every page of a query, each of `limit` rows: the rows in order, the database's time, and which of
/// them do not move.
async fn answer(
    reader: &mut Reader,
    text: &str,
    limit: u32,
) -> (Vec<Arc<RunRow>>, DateTime<Utc>, BTreeSet<i64>) {
    let mut request = PageRequest {
        query: parse(text).unwrap_or_else(|error| panic!("{text}: {error}")),
        limit,
        before: None,
    };
    let (mut rows, mut stuck) = (Vec::new(), BTreeSet::new());
    loop {
        let page = reader
            .page(&request, &[])
            .await
            .unwrap_or_else(|error| panic!("{text}: {error:?}"));
        rows.extend(page.rows.iter().map(Arc::clone));
        stuck.extend(page.stuck.keys().map(|id| id.0));
        request.before = page.next();
        if request.before.is_none() {
            return (rows, page.as_of, stuck);
        }
    }
}

/// The same from the headline: each state's runs, and those that do not move.
async fn counted(
    reader: &mut Reader,
    text: &str,
) -> (Vec<(Bucket, u64, bool)>, u64, Option<DateTime<Utc>>) {
    let headline = reader
        .headline(&parse(text).unwrap())
        .await
        .unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let counts = headline.counts.iter();
    let counts = counts.map(|(bucket, count)| (*bucket, count.n, count.more));
    assert!(!headline.stuck.more, "{text}");
    (counts.collect(), headline.stuck.n, headline.oldest_queued)
}

#[tokio::test]
async fn memory_and_database_agree() {
    let chosen = std::env::var("QUERY_SEED").ok();
    let seed = chosen
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(20_260_701);
    let mut rng = Rng::with_seed(seed);
    let base = Utc::now().trunc_subsecs(3);
    let runs: Vec<_> = (1..=250).map(|id| run(&mut rng, id, base)).collect();
    let database = TestDatabase::new().await.unwrap();
    let (all, some) = (unique_name("all"), unique_name("some"));
    database.script(&script(&runs, &all, &some)).await.unwrap();
    let mut found_any = 0;
    for (login, tenants, restores) in [(&all, 4, true), (&some, 2, false)] {
        let options = ReadOptions::new(Some(&database.url(login))).unwrap();
        let mut reader = Reader::connect(options).await.unwrap();
        let (_, _, stuck) = answer(&mut reader, "since:400d", 500).await;
        assert!(stuck.len() > 5, "{stuck:?}");
        for round in 0..200 {
            let text = terms(&mut rng, 0, 2, base);
            let query = parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let limit = [5, 30, 500][rng.usize(..3)];
            let (rows, now, _) = answer(&mut reader, &text, limit).await;
            let ids: Vec<_> = rows.iter().map(|row| row.id.0).collect();
            let headline = counted(&mut reader, &text).await;
            let mut expected: Vec<_> = runs
                .iter()
                .filter(|run| run.tenant < tenants)
                .filter(|run| {
                    let keys: Vec<_> = run
                        .key
                        .into_iter()
                        .filter(|(key, _)| restores || *key != "restore_run_id")
                        .collect();
                    let facts = RunFacts {
                        id: RunId(run.id),
                        tenant: TENANTS[run.tenant].0,
                        workspace: TENANTS[run.tenant].1,
                        run_type: run.run_type,
                        state: run.bucket.state(),
                        stuck: stuck.contains(&run.id),
                        initiator: run.initiator,
                        codes: &run.codes,
                        keys: &keys,
                        created_at: run.created,
                        started_at: run.started,
                        completed_at: run.completed,
                    };
                    query.lists(&facts, now)
                })
                .collect();
            expected.sort_by_key(|run| std::cmp::Reverse((run.created, run.id)));
            let asked = format!("seed {seed}, round {round} as {login}, {limit} at a time: {text}");
            let named: Vec<_> = expected.iter().map(|run| run.id).collect();
            assert_eq!(ids, named, "{asked}");
            for (row, run) in rows.iter().zip(&expected) {
                let code = row.code.as_ref().map(|(code, n)| (code.as_str(), *n));
                let shown = (row.tenant.as_str(), code);
                let first = run.codes.first().map(|code| (*code, 1));
                assert_eq!(
                    shown,
                    (TENANTS[run.tenant].0, first),
                    "{asked}, run {}",
                    run.id
                );
            }
            if !text.contains("is:") {
                let of = |bucket| expected.iter().filter(move |run| run.bucket == bucket);
                let counts: Vec<_> = Bucket::ALL
                    .iter()
                    .map(|bucket| (*bucket, of(*bucket).count() as u64, false))
                    .collect();
                let unmoved = expected
                    .iter()
                    .filter(|run| stuck.contains(&run.id))
                    .count();
                let oldest = of(Bucket::Queued).map(|run| run.created).min();
                assert_eq!(headline, (counts, unmoved as u64, oldest), "{asked}");
            }
            found_any += usize::from(!ids.is_empty());
        }
    }
    // Queries that find nothing would prove little.
    assert!(found_any > 150, "{found_any} of 400 queries found a run");
}
