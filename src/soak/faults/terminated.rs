//! SIGTERM under load: what can finish does, the rest is given back, claimable at once.

use crate::jobs::{JOB, Task};
use crate::process::Program;
use crate::report::{Extent, Verdict};
use crate::site::{Ground, SOON, Site};
use color_eyre::eyre::Result;
use opsroom_testkit::{Signal, eventually};
use std::time::{Duration, Instant};

const DRAIN: Duration = Duration::from_secs(2);
const SLOTS: i64 = 40;
const ARGS: [&str; 6] = ["--poll", "100ms", "--slots", "40", "--drain-timeout", "2s"];

/// Causes it.
///
/// # Errors
/// The processes or the database could not be set up, or something did not happen within a minute.
pub async fn cause(program: &Program, extent: Extent, ground: &Ground) -> Result<Verdict> {
    let rounds = extent.of(1, 10);
    let mut slowest = Duration::ZERO;
    let (mut unclean, mut claimed, mut waiting, mut counted, mut twice, mut unclaimed) =
        (0, 0, 0, 0, 0, 0);
    let mut given_back = 0;
    for round in 0..rounds {
        extent.begins("a worker told to stop", round, rounds);
        let site = ground.site().await?;
        load(&site).await?;
        let mut first = program.worker(&site.worker_url(), "first", &ARGS)?;
        eventually(SOON, "every slot is busy", async || {
            first.lines_with("begun") >= SLOTS
        })
        .await?;
        let told = Instant::now();
        first.signal(Signal::TERM)?;
        let status = first.ended(SOON).await?;
        slowest = slowest.max(told.elapsed());
        unclean += i64::from(!status.success());
        let audit = site.audit().await?;
        claimed += audit.claimed;
        twice += audit.ended_twice;
        given_back += site.number(UNFINISHED).await?;
        waiting += site
            .number("select count(*) from opsroom.operation_runs where status = 'running' and (worker_id is not null or available_at > clock_timestamp())")
            .await?;
        counted += site
            .number("select count(*) from opsroom.operation_runs where status = 'running' and attempt <> 0")
            .await?;
        // Two at a time could hide that a run was not claimable: enough slots for all.
        let second = program.worker(
            &site.worker_url(),
            "second",
            &["--slots", "200", "--poll", "100ms"],
        )?;
        let all = eventually(SOON, "all of it is claimed again", async || {
            matches!(site.number(FREE).await, Ok(0))
        })
        .await;
        unclaimed += i64::from(all.is_err());
        drop(second);
    }
    Ok(Verdict::after(format!(
        "{rounds} × SIGTERM with {SLOTS} jobs under way, {given_back} given back"
    ))
    .within("slowest drain", slowest, DRAIN + Duration::from_secs(1))
    .exactly("unclean exits", unclean, 0)
    .exactly("runs left claimed", claimed, 0)
    .exactly("given back but not claimable at once", waiting, 0)
    .exactly("attempts used up", counted, 0)
    .exactly("not claimed by the next worker", unclaimed, 0)
    .exactly("ended twice", twice, 0))
}

const UNFINISHED: &str = "select count(*) from opsroom.operation_runs where status = 'running'";
const FREE: &str =
    "select count(*) from opsroom.operation_runs where status <> 'completed' and worker_id is null";

/// More than there are slots: short jobs, some longer than the drain, some that never listen.
async fn load(site: &Site) -> Result<()> {
    let mut owner = site.owner().await?;
    for n in 0..120_u32 {
        let task = match n % 12 {
            0 => Task::Deaf,
            _ => Task::Steps {
                steps: 1 + fastrand::u32(..70),
                each_ms: 50,
            },
        };
        site.start_over(&mut owner, JOB, &task).await?;
    }
    Ok(())
}
