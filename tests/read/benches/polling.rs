//! What a console that only looks costs the server: the conditional re-list of its page, and a tail.
//!
//! `cargo bench -p opsroom-read --bench polling [POLLS]` prints for a poll, directly and through
//! pgbouncer, the processor's time in the server's process, the time statements took there, and the
//! client's; it exits with 1 where the first is beyond 1 ms. On a busy machine the others hold waiting
//! for the processor as well.

use opsroom_model::query::parse;
use opsroom_read::{PageRequest, ReadOptions, Reader, Tail};
use opsroom_testkit::{Pooler, World};
use std::error::Error;
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error>>;

const POLLS: u32 = 2_000;
/// Server time that an idle poll may take.
const BOUND_MS: f64 = 1.0;

/// 60,000 runs of both tenants; a dozen are under way.
const RUNS: &str = "
insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, status, outcome, created_at, started_at, completed_at)
select t.id, 'System', 'inventory.sync', encode(sha256(format('%s/%s', t.id, n)::bytea), 'hex'),
       case when n > 6 then 'completed' else 'queued' end, case when n > 6 then 'succeeded' else 'pending' end,
       now() - n * interval '1 min', case when n > 6 then now() - n * interval '1 min' end, case when n > 6 then now() - n * interval '50 s' end
  from opsroom.tenants t, generate_series(1, 30000) n";

/// Milliseconds that statements took in this database, of sessions that have ended.
async fn server_ms(world: &World) -> Outcome<f64> {
    let us = "select (active_time * 1000)::bigint from pg_stat_database where datname = current_database()";
    Ok(world.database().number(us).await? as f64 / 1e3)
}

/// Waits until ended sessions are accounted for: no session but the one that asks.
async fn quiet(world: &World, login: &str) -> Outcome<f64> {
    let sessions = format!("select count(*) from pg_stat_activity where usename = '{login}'");
    let mut owner = world.owner().await?;
    let begun = Instant::now();
    loop {
        let open: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sessions.clone()))
            .fetch_one(&mut owner)
            .await?;
        if open == 0 {
            break;
        }
        if begun.elapsed() > Duration::from_secs(20) {
            return Err("a session does not end".into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server_ms(world).await
}

/// Milliseconds of processor time of the login's one server process, by the system's accounts: fields
/// 14 and 15 of its `stat`, in hundredths of a second.
async fn processor_ms(world: &World, login: &str) -> Outcome<f64> {
    let mut owner = world.owner().await?;
    let pid: i32 = sqlx::query_scalar("select pid from pg_stat_activity where usename = $1")
        .bind(login)
        .fetch_one(&mut owner)
        .await?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit(')').next().ok_or("no stat")?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    Ok(ticks * 10.0)
}

#[derive(Clone, Copy)]
enum Poll {
    Page,
    Tail,
}

/// Milliseconds of one poll.
struct Cost {
    processor: f64,
    server: f64,
    client: f64,
}

async fn cost(world: &World, login: &str, url: &str, poll: Poll, polls: u32) -> Outcome<Cost> {
    let server = quiet(world, login).await?;
    let mut reader = Reader::connect(ReadOptions::new(Some(url))?).await?;
    let query = parse("")?;
    let request = PageRequest {
        query: query.clone(),
        limit: 250,
        before: None,
    };
    let mut held = reader.page(&request, &[]).await?.rows;
    let mut tail = Tail::new(query);
    reader.changes(&mut tail).await?;
    let processor = processor_ms(world, login).await?;
    let begun = Instant::now();
    for _ in 0..polls {
        match poll {
            Poll::Page => held = reader.page(&request, &held).await?.rows,
            Poll::Tail => drop(reader.changes(&mut tail).await?),
        }
    }
    let each = 1.0 / f64::from(polls);
    let client = begun.elapsed().as_secs_f64() * 1e3;
    let processor = processor_ms(world, login).await? - processor;
    drop(reader);
    end_sessions(world, login).await?;
    Ok(Cost {
        processor: processor * each,
        server: (quiet(world, login).await? - server) * each,
        client: client * each,
    })
}

/// A pooler keeps its connection: what it cost is accounted for when it ends.
async fn end_sessions(world: &World, login: &str) -> Outcome<()> {
    let end = format!(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = '{login}'"
    );
    Ok(world.database().script(&end).await?)
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let asked = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let polls = asked.unwrap_or(POLLS);
    let world = World::new().await?;
    world.database().script(RUNS).await?;
    world.database().script("vacuum analyze").await?;
    println!("{polls} idle polls of 250 rows among 60,000 runs, a dozen of them queued; ms each");
    println!(
        "{:10} {:8} {:6} {:>8} {:>8}",
        "way", "login", "poll", "server", "client"
    );
    let mut kept = true;
    for (who, login) in [("on-call", &world.oncall), ("member", &world.reader)] {
        for (name, poll) in [("page", Poll::Page), ("tail", Poll::Tail)] {
            for way in ["direct", "pgbouncer"] {
                let pooler = match way {
                    "direct" => None,
                    _ => Some(Pooler::before(world.database(), &[login.as_str()], 1).await?),
                };
                let url = match &pooler {
                    None => world.database().url(login),
                    Some(pooler) => pooler.url(world.database(), login),
                };
                let cost = cost(&world, login, &url, poll, polls).await?;
                drop(pooler);
                kept &= cost.processor <= BOUND_MS;
                println!(
                    "{way:10} {who:8} {name:6} {:>9.3} {:>8.3} {:>8.3}",
                    cost.processor, cost.server, cost.client
                );
            }
        }
    }
    if !kept {
        println!("beyond {BOUND_MS} ms of the processor");
        std::process::exit(1);
    }
    Ok(())
}
