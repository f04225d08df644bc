//! A worker stopped with SIGSTOP beyond its lease, then continued: its runs are another's by then, and
//! whatever its jobs still write is refused.

use crate::jobs::{JOB, Task};
use crate::process::Program;
use crate::report::{Extent, Verdict};
use crate::site::{Ground, SOON};
use color_eyre::eyre::Result;
use opsroom_testkit::{Signal, eventually};

const RUNS: i64 = 10;
const ARGS: [&str; 6] = ["--lease", "3s", "--poll", "100ms", "--slots", "10"];

/// Causes it.
///
/// # Errors
/// The processes or the database could not be set up, or something did not happen within a minute.
pub async fn cause(program: &Program, extent: Extent, ground: &Ground) -> Result<Verdict> {
    let rounds = extent.of(1, 10);
    let (mut refused, mut taken, mut cancelled) = (0, 0, 0);
    let (mut twice, mut wrong) = (0, 0);
    for round in 0..rounds {
        extent.begins("a worker stopped and continued", round, rounds);
        let site = ground.site().await?;
        let first = program.worker(&site.worker_url(), "first", &ARGS)?;
        for _ in 0..RUNS {
            site.start(JOB, &Task::Stubborn { ms: 60_000 }).await?;
        }
        eventually(SOON, "the first worker holds all", async || {
            first.lines_with("begun") == RUNS
        })
        .await?;
        first.signal(Signal::STOP)?;
        let second = program.worker(&site.worker_url(), "second", &ARGS)?;
        eventually(SOON, "the second worker holds all", async || {
            second.lines_with("begun") == RUNS
        })
        .await?;
        first.signal(Signal::CONT)?;
        eventually(
            SOON,
            "every job of the first has tried to write",
            async || first.lines_with("stubborn write") == RUNS,
        )
        .await?;
        eventually(SOON, "the first worker is back", async || {
            first.lines_with(" working ") == 2
        })
        .await?;
        let audit = site.settled().await?;
        refused += first.lines_with("stubborn write refused");
        taken += first.lines_with("stubborn write taken");
        cancelled += first.lines_with("stubborn job cancelled");
        twice += audit.ended_twice;
        wrong += site
            .number(
                "select (select count(*) from soak.effects) + (select count(*) from opsroom.operation_runs r
                   where outcome <> 'succeeded' or (select name from opsroom.workers w where w.id = r.worker_id) <> 'second'
                      or (select string_agg(ended, ',' order by claim_no) from opsroom.run_attempts a where a.run_id = r.id) <> 'lost,succeeded')",
            )
            .await?;
    }
    let all = i64::from(rounds) * RUNS;
    Ok(Verdict::after(format!(
        "{rounds} × SIGSTOP beyond the lease, then CONT, {all} late writes"
    ))
    .exactly("refused", refused, all)
    .exactly("taken", taken, 0)
    .exactly("jobs cancelled", cancelled, all)
    .exactly("runs not as their second worker left them", wrong, 0)
    .exactly("ended twice", twice, 0))
}
