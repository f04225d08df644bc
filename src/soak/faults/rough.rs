//! Jobs that take their worker with them, that panic, that carry or record a lot.

use crate::jobs::{JOB, THRICE, Task};
use crate::process::{Process, Program};
use crate::report::{Extent, Verdict};
use crate::site::{Ground, SOON, Site};
use color_eyre::eyre::Result;
use opsroom_testkit::eventually;

const ARGS: [&str; 6] = ["--lease", "1s", "--poll", "100ms", "--slots", "4"];
const MIB: f64 = 1024.0 * 1024.0;

/// Causes it.
///
/// # Errors
/// The processes or the database could not be set up, or something did not happen within a minute.
pub async fn cause(program: &Program, extent: Extent, ground: &Ground) -> Result<Verdict> {
    let (poisons, items) = (extent.of(1, 20), extent.of(5_000, 100_000));
    let site = ground.site().await?;
    let crashes = poison(program, &site, poisons).await?;
    let lost = site.number(LOST).await?;

    let worker = program.worker(&site.worker_url(), "one", &ARGS)?;
    let idle = first_peak(&site, &worker).await?;
    site.start(THRICE, &Task::Panic).await?;
    let text = "plain words, one after the other. ".repeat((1 << 20) / 34 + 1);
    site.start(JOB, &Task::Carry { text }).await?;
    site.start(JOB, &Task::Items { n: items }).await?;
    site.settled().await?;
    let panicked = site.number(PANICKED).await?;
    let recorded = site
        .number("select count(*) from opsroom.operation_run_items where status = 'succeeded'")
        .await?;
    let carried = site
        .number("select count(*) from opsroom.operation_runs where context -> 'input' ->> 'does' = 'carry' and outcome = 'succeeded' and pg_column_size(context) > 0")
        .await?;
    let peak = worker.peak_memory()? as f64 / MIB;
    Ok(Verdict::after(format!(
        "{poisons} poison jobs ({crashes} workers crashed), a panic, 1 MB of context, {items} items"
    ))
    .exactly(
        "poison jobs failed worker.lost after 3 attempts",
        lost,
        poisons.into(),
    )
    .exactly("panics failed job.panicked", panicked, 1)
    .exactly(
        "panics quoted in the log",
        worker.lines_with("eyJhbGciOi"),
        0,
    )
    .exactly("runs with 1 MB of context succeeded", carried, 1)
    .exactly("items recorded", recorded, items.into())
    .at_most("peak memory", peak, 64.0, "MiB")
    .noting(format!("{idle:.0} MiB before")))
}

const LOST: &str = "select count(*) from opsroom.operation_runs r
 where outcome = 'failed' and failure_summary -> 0 ->> 'code' = 'worker.lost' and attempt = 3
   and (select string_agg(ended, ',') from opsroom.run_attempts a where a.run_id = r.id) = 'lost,lost,lost'";
const PANICKED: &str = "select count(*) from opsroom.operation_runs
 where outcome = 'failed' and failure_summary -> 0 ->> 'code' = 'job.panicked'";

/// Starts a worker whenever there is none, until every poison job has ended. Says how many died.
async fn poison(program: &Program, site: &Site, poisons: u32) -> Result<u32> {
    for _ in 0..poisons {
        site.start(THRICE, &Task::Poison).await?;
    }
    let mut crashes = 0;
    let mut worker = program.worker(&site.worker_url(), "restarted", &ARGS)?;
    eventually(SOON * 4, "every poison job has ended", async || {
        if worker.has_ended() {
            crashes += 1;
            if let Ok(next) = program.worker(&site.worker_url(), "restarted", &ARGS) {
                worker = next;
            }
        }
        let open = "select count(*) from opsroom.operation_runs where status <> 'completed'";
        matches!(site.number(open).await, Ok(0))
    })
    .await?;
    Ok(crashes)
}

/// Its memory once it has done something small.
async fn first_peak(site: &Site, worker: &Process) -> Result<f64> {
    let task = Task::Steps {
        steps: 1,
        each_ms: 1,
    };
    site.start(JOB, &task).await?;
    site.settled().await?;
    Ok(worker.peak_memory()? as f64 / MIB)
}
