//! Can a reader tell by time whether an id that does not exist for it is a stranger's run or was never
//! used? Asks `run_detail` for pairs of neighbours, one of each, and lets the times guess which is which.
//!
//! `cargo bench -p opsroom-read --bench not_found [PAIRS]` prints, for two clocks and three ways to sum up
//! several answers, the share of pairs told apart; it exits with 1 where one is beyond what guessing gives.

use opsroom_testkit::World;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use std::error::Error;
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn Error>>;

const PAIRS: usize = 1_000;
/// How often each id of a pair is asked for, in turns.
const ASKED: usize = 9;
/// Guessing stays within so many standard deviations in 999 of 1,000 benches.
const DEVIATIONS: f64 = 3.7;

/// Which clock an attacker reads.
#[derive(Clone, Copy, Debug)]
enum ClockOf {
    /// From sending to having, over a local socket.
    Client,
    /// The server's own, as EXPLAIN ANALYZE tells it.
    Server,
}

/// A way to make one number of several.
type Summary = (&'static str, fn(&mut [f64]) -> f64);

const SUMMARIES: [Summary; 3] = [
    ("first answer", |times| times[0]),
    ("least of 9", |times| {
        times.iter().copied().fold(f64::MAX, f64::min)
    }),
    ("median of 9", |times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }),
];

/// Microseconds of one question.
async fn ask(reader: &mut PgConnection, clock: ClockOf, id: i64) -> Outcome<f64> {
    match clock {
        ClockOf::Client => {
            let question = sqlx::query("select answer from opsroom.run_detail($1)").bind(id);
            let begun = Instant::now();
            let answer: String = question.fetch_one(reader).await?.try_get(0)?;
            let took = begun.elapsed();
            if answer != "not_found" {
                return Err(format!("run {id}: {answer}").into());
            }
            Ok(took.as_secs_f64() * 1e6)
        }
        ClockOf::Server => {
            let question = AssertSqlSafe(format!(
                "explain (analyze, timing off, summary on) select answer from opsroom.run_detail({id})"
            ));
            let lines = sqlx::raw_sql(question).fetch_all(reader).await?;
            let line: String = lines.last().ok_or("no plan")?.try_get(0)?;
            let words = line.strip_prefix("Execution Time: ").ok_or("no time")?;
            let ms: f64 = words.trim_end_matches(" ms").parse()?;
            Ok(ms * 1e3)
        }
    }
}

/// The times of both ids of a pair, asked in turns, each turn in a random order.
async fn both(reader: &mut PgConnection, clock: ClockOf, pair: [i64; 2]) -> Outcome<[Vec<f64>; 2]> {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ASKED {
        let first = fastrand::usize(..2);
        for which in [first, 1 - first] {
            times[which].push(ask(reader, clock, pair[which]).await?);
        }
    }
    Ok(times)
}

/// A stranger's runs at even ids, gaps at odd ones.
async fn seed(world: &World, pairs: usize) -> Outcome<Vec<[i64; 2]>> {
    let runs = pairs * 2;
    let sql = format!(
        "insert into opsroom.operation_runs (id, tenant_id, initiator_name, type, run_identity_hash, status, outcome)
         select 1000 + 2 * n, case when n % 8 = 0 then {north} else {south} end, 'System', 'inventory.sync',
                encode(sha256(n::text::bytea), 'hex'), 'completed', 'succeeded' from generate_series(1, {runs}) n;
         vacuum analyze opsroom.operation_runs",
        north = world.north,
        south = world.south,
    );
    let mut owner = world.owner().await?;
    for statement in sql.split(';') {
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
            .execute(&mut owner)
            .await?;
    }
    let ids = sqlx::query_scalar::<_, i64>(
        "select id from opsroom.operation_runs where tenant_id = $1 order by random() limit $2",
    )
    .bind(world.south)
    .bind(i64::try_from(pairs)?)
    .fetch_all(&mut owner)
    .await?;
    owner.close().await?;
    Ok(ids.into_iter().map(|id| [id, id + 1]).collect())
}

async fn measure(pairs: usize) -> Outcome<bool> {
    let world = World::new().await?;
    let pairs = seed(&world, pairs).await?;
    world.database().harden().await?;
    let mut reader = world.connect(&world.reader).await?;
    println!(
        "{} pairs of a stranger's run and the unused id after it, each asked for {ASKED} times as a reader",
        pairs.len()
    );
    let bound = DEVIATIONS * 0.5 / (pairs.len() as f64).sqrt();
    println!("told apart by chance alone: 50 % +- {:.1}", bound * 100.0);
    println!(
        "{:8} {:14} {:>11} {:>10} {:>10}",
        "clock", "by", "told apart", "stranger", "unused"
    );
    let mut kept = true;
    for clock in [ClockOf::Client, ClockOf::Server] {
        for warm in pairs.iter().take(50) {
            both(&mut reader, clock, *warm).await?;
        }
        let mut times = Vec::new();
        for pair in &pairs {
            times.push(both(&mut reader, clock, *pair).await?);
        }
        for (name, summary) in SUMMARIES {
            let mut later = 0.0;
            let mut sums = [Vec::new(), Vec::new()];
            for [stranger, unused] in &mut times.clone() {
                let (a, b) = (summary(stranger), summary(unused));
                later += if a > b {
                    1.0
                } else if a < b {
                    0.0
                } else {
                    0.5
                };
                sums[0].push(a);
                sums[1].push(b);
            }
            // Whoever guesses may learn first which of the two takes longer.
            let share: f64 = later / pairs.len() as f64;
            let told = share.max(1.0 - share);
            let fine = told - 0.5 <= bound;
            kept &= fine;
            let [stranger, unused] = sums.map(|mut times| (SUMMARIES[2].1)(&mut times));
            println!(
                "{:8} {name:14} {:>9.1} % {stranger:>7.0} us {unused:>7.0} us{}",
                format!("{clock:?}").to_lowercase(),
                told * 100.0,
                if fine { "" } else { "  DISTINGUISHABLE" },
            );
        }
    }
    Ok(kept)
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let asked = std::env::args().skip(1).find_map(|word| word.parse().ok());
    if !measure(asked.unwrap_or(PAIRS)).await? {
        std::process::exit(1);
    }
    Ok(())
}
