//! `cargo bench -p opsroom-read`: p50 and p95 of every class as every login, beside two yardsticks, and
//! exit code 1 where one is over its bound.
//!
//! | variable | says | without it |
//! |---|---|---|
//! | `OPSROOM_BENCH_URL` | the owner's URL of a seeded database, whose server trusts `bench_*` logins | one of its own: 200,000 runs, 500 tenants |
//! | `OPSROOM_BENCH_TIMES` | how often each question is asked | 60 |
//! | an argument | only classes whose name contains it | all |

//!
//! `server` is what a question cost the server in processor time, the mean in milliseconds, where its
//! processes can be looked at (same machine, Linux): on a busy machine the number to believe.
//!
//! A class over its bound is asked anew, twice at most: what the machine does beside is over by then, what
//! the question costs is not. The line is the last round's, and says which it is.

#![allow(
    clippy::unwrap_used,
    reason = "a bench ends where its world is not as it must be"
)]

#[allow(dead_code, reason = "the plans' test uses the rest")]
mod classes;
mod seeded;

use classes::Ready;
use opsroom_read::Reader;
use seeded::{LOGINS, Seeded};
use sqlx::{Connection, PgConnection};
use std::process::{Command, ExitCode};
use std::time::Instant;

const WARM_UP: usize = 3;
const ROUNDS: usize = 3;
const PAGE: &str = "select id, tenant_id, initiator_name, type, status, outcome, summary_counts, started_at, completed_at, created_at \
     from opsroom.operation_runs where created_at >= now() - interval '30 days' order by created_at desc, id desc limit 250";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let times = std::env::var("OPSROOM_BENCH_TIMES").map_or(60, |text| text.parse().unwrap());
    let seeded = match std::env::var("OPSROOM_BENCH_URL") {
        Ok(url) => Seeded::at(url).await,
        Err(_) => Seeded::with(200_000, 500).await,
    };
    let mut over = 0;
    println!(
        "{:<28} {:<16} {:>5} {:>8} {:>8} {:>8}  bound",
        "class", "login", "rows", "p50 ms", "p95 ms", "server"
    );
    for login in LOGINS {
        yardsticks(&seeded, login, times).await;
        let mut reader = seeded.reader(login).await;
        for class in classes::all() {
            if only
                .as_ref()
                .is_some_and(|part| !class.name.contains(part.as_str()))
            {
                continue;
            }
            let ready = class.question.ready(&mut reader, &seeded).await;
            let backend = seeded.backend(login).await;
            let bound_ms = class.bound_ms(login);
            let mut round = 1;
            let asked = loop {
                let asked = ask(&ready, &mut reader, backend, times).await;
                if round == ROUNDS || asked.p95() <= bound_ms {
                    break asked;
                }
                round += 1;
            };
            let late = asked.p95() > bound_ms;
            line(&class.name, login, Some(asked.rows), &asked.taken);
            let again = if round > 1 {
                format!("  round {round}")
            } else {
                String::new()
            };
            let mark = if late { "  OVER" } else { "" };
            println!(" {:>8.2}  {bound_ms}{again}{mark}", asked.server);
            over += usize::from(late);
        }
    }
    println!("{over} over their bound");
    if over == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// A question, asked some times.
struct Asked {
    rows: usize,
    /// Milliseconds, sorted.
    taken: Vec<f64>,
    /// Milliseconds of processor time that the server took, the mean.
    server: f64,
}

impl Asked {
    fn p95(&self) -> f64 {
        at(&self.taken, 0.95)
    }
}

async fn ask(ready: &Ready, reader: &mut Reader, backend: Option<i32>, times: usize) -> Asked {
    let mut rows = 0;
    for _ in 0..WARM_UP {
        rows = ready.ask(reader).await;
    }
    let before = processor_ms(backend);
    let mut taken = Vec::new();
    for _ in 0..times {
        let begun = Instant::now();
        rows = ready.ask(reader).await;
        taken.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    let server = (processor_ms(backend) - before) / times as f64;
    taken.sort_by(f64::total_cmp);
    Asked {
        rows,
        taken,
        server,
    }
}

/// Processor time of a server process so far; not a number where it cannot be looked at.
fn processor_ms(process: Option<i32>) -> f64 {
    let stat = process.and_then(|id| std::fs::read_to_string(format!("/proc/{id}/schedstat")).ok());
    let spent = stat.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    spent.map_or(f64::NAN, |nanoseconds| nanoseconds / 1e6)
}

/// What any question costs here: nothing asked at all, and the plain page through psql.
async fn yardsticks(seeded: &Seeded, login: &str, times: usize) {
    let url = seeded.url(login);
    let mut bare = PgConnection::connect(&url).await.unwrap();
    let mut taken = Vec::new();
    for _ in 0..times {
        let begun = Instant::now();
        sqlx::query("select 1").execute(&mut bare).await.unwrap();
        taken.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    taken.sort_by(f64::total_cmp);
    line("(select 1)", login, None, &taken);
    println!();
    let mut psql = Command::new("psql");
    psql.args(["-XqAt", "-c", "\\timing on", &url]);
    for _ in 0..times {
        psql.args(["-c", PAGE]);
    }
    match psql.output() {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout);
            let times = text.lines().filter_map(|line| line.strip_prefix("Time: "));
            let times = times.filter_map(|line| line.split(' ').next()?.parse().ok());
            let mut taken: Vec<f64> = times.collect();
            taken.sort_by(f64::total_cmp);
            line("(psql, page of no filter)", login, None, &taken);
            println!();
        }
        _ => println!("(no psql here)"),
    }
}

/// Of sorted values.
fn at(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

/// Prints a line without its end.
fn line(name: &str, login: &str, rows: Option<usize>, taken: &[f64]) {
    let rows = rows.map(|rows| rows.to_string()).unwrap_or_default();
    let (p50, p95) = (at(taken, 0.5), at(taken, 0.95));
    print!("{name:<28} {login:<16} {rows:>5} {p50:>8.2} {p95:>8.2}");
}
