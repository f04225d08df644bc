//! The network between worker and database stalled, half open, cut: the worker's own deadlines fire, it
//! stops its jobs before its lease ends, and it comes back by itself.

use crate::jobs::{JOB, Task};
use crate::process::Program;
use crate::report::{Extent, Verdict};
use crate::site::{Ground, SOON};
use color_eyre::eyre::Result;
use opsroom_testkit::{Mode, Proxy, Signal, eventually};
use std::time::{Duration, Instant};

const LEASE: Duration = Duration::from_secs(3);
const RECOVERY: Duration = Duration::from_secs(5);
const ARGS: [&str; 6] = ["--lease", "3s", "--poll", "200ms", "--slots", "4"];

/// What it cost; the worst of all.
#[derive(Default)]
struct Cost {
    /// Until the worker stopped its jobs.
    fenced: Duration,
    /// From mending until it claimed again.
    back: Duration,
    open: i64,
    twice: i64,
    /// Log lines a second.
    noise: f64,
}

impl Cost {
    fn and(self, other: Self) -> Self {
        Self {
            fenced: self.fenced.max(other.fenced),
            back: self.back.max(other.back),
            open: self.open + other.open,
            twice: self.twice + other.twice,
            noise: self.noise.max(other.noise),
        }
    }
}

/// Causes it.
///
/// # Errors
/// The processes or the database could not be set up, or something did not happen within a minute.
pub async fn cause(program: &Program, extent: Extent, ground: &Ground) -> Result<Verdict> {
    let rounds = extent.of(1, 10);
    let mut cost = Cost::default();
    for round in 0..rounds {
        extent.begins(
            "network stalled, half open, cut, each for a worker",
            round,
            rounds,
        );
        // Long enough for its former life to be over for good, and for its log to grow.
        let longer = LEASE * (1 + round % 2);
        // Mostly waiting, and each has a database, a proxy and a worker of its own.
        let (stalled, half_open, cut) = tokio::try_join!(
            broken(program, ground, Mode::Stall, longer),
            broken(program, ground, Mode::HalfOpen, longer),
            broken(program, ground, Mode::Cut, longer),
        )?;
        cost = cost.and(stalled).and(half_open).and(cut);
    }
    Ok(
        Verdict::after(format!("{rounds} × network stalled, half open, cut"))
            .within("jobs stopped after", cost.fenced, LEASE)
            .within("back after", cost.back, RECOVERY)
            .at_most("log lines a second", cost.noise, 1.0, "/s")
            .exactly("runs left open", cost.open, 0)
            .exactly("ended twice", cost.twice, 0),
    )
}

/// One worker, four jobs, and a network that is broken until the jobs were stopped and for `longer`.
async fn broken(program: &Program, ground: &Ground, mode: Mode, longer: Duration) -> Result<Cost> {
    let site = ground.site().await?;
    let proxy = Proxy::to_postgres(site.connection()).await?;
    let url = proxy.url(site.database(), &site.login);
    let mut worker = program.worker(&url, "cut-off", &ARGS)?;
    for _ in 0..4 {
        let task = Task::Steps {
            steps: 60,
            each_ms: 50,
        };
        site.start(JOB, &task).await?;
    }
    eventually(SOON, "its slots are busy", async || {
        worker.lines_with("begun") == 4
    })
    .await?;
    let (broken, before) = (Instant::now(), worker.lines());
    proxy.set(mode);
    eventually(SOON, "it stops its jobs", async || {
        worker.lines_with("stopping this worker's jobs") > 0
    })
    .await?;
    let fenced = broken.elapsed();
    tokio::time::sleep(longer).await;
    let lines = worker.lines() - before;
    let noise = (lines.saturating_sub(1)) as f64 / broken.elapsed().as_secs_f64();
    let mended = Instant::now();
    proxy.set(Mode::Pass);
    eventually(SOON, "it is back under a new id", async || {
        worker.lines_with(" working ") >= 2
    })
    .await?;
    eventually(SOON, "it claims again", async || {
        worker.lines_with("begun") > 4
    })
    .await?;
    let back = mended.elapsed();
    let audit = site.settled().await?;
    worker.signal(Signal::TERM)?;
    worker.ended(SOON).await?;
    Ok(Cost {
        fenced,
        back,
        open: audit.open,
        twice: audit.ended_twice,
        noise,
    })
}
