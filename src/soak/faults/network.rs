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
const MODES: [Mode; 3] = [Mode::Stall, Mode::HalfOpen, Mode::Cut];

/// Causes it.
///
/// # Errors
/// The processes or the database could not be set up, or something did not happen within a minute.
pub async fn cause(program: &Program, extent: Extent, ground: &Ground) -> Result<Verdict> {
    let rounds = extent.of(1, 10);
    let (mut fenced, mut back) = (Duration::ZERO, Duration::ZERO);
    let (mut open, mut twice, mut noise) = (0, 0, 0.0_f64);
    for round in 0..rounds {
        for mode in MODES {
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
            fenced = fenced.max(broken.elapsed());
            // Long enough for its former life to be over for good, and for its log to grow.
            tokio::time::sleep(LEASE * (1 + round % 2)).await;
            let lines = worker.lines() - before;
            noise = noise.max((lines.saturating_sub(1)) as f64 / broken.elapsed().as_secs_f64());
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
            back = back.max(mended.elapsed());
            let audit = site.settled().await?;
            open += audit.open;
            twice += audit.ended_twice;
            worker.signal(Signal::TERM)?;
            worker.ended(SOON).await?;
        }
    }
    Ok(
        Verdict::after(format!("{rounds} × network stalled, half open, cut"))
            .within("jobs stopped after", fenced, LEASE)
            .within("back after", back, RECOVERY)
            .at_most("log lines a second", noise, 1.0, "/s")
            .exactly("runs left open", open, 0)
            .exactly("ended twice", twice, 0),
    )
}
