//! Workers killed with SIGKILL in the middle of their jobs: nothing is lost, nothing ends twice, and
//! others take over as soon as the lease is over.

use crate::jobs::{JOB, Task};
use crate::process::{Process, Program};
use crate::report::{Extent, Verdict};
use crate::site::{Ground, SOON, Site};
use color_eyre::eyre::Result;
use opsroom_testkit::{Signal, eventually};
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(500);
/// Runs each victim holds when it dies.
const EACH: usize = 2;
const ARGS: [&str; 6] = ["--lease", "2s", "--poll", "500ms", "--slots", "2"];

/// Causes it.
///
/// # Errors
/// The processes or the database could not be set up, or runs did not end within a minute.
pub async fn cause(program: &Program, extent: Extent, ground: &Ground) -> Result<Verdict> {
    let (rounds, at_once) = (extent.of(1, 20), extent.of(3, 10));
    let site = ground.site().await?;
    let mut slowest = Duration::ZERO;
    let (mut started, mut taken_over) = (0_i64, 0_i64);
    for round in 0..rounds {
        extent.begins("ten workers killed", round, rounds);
        let victims = (0..at_once)
            .map(|n| program.worker(&site.worker_url(), &format!("victim-{round}-{n}"), &ARGS))
            .collect::<Result<Vec<_>>>()?;
        eventually(SOON, "the victims work", async || {
            victims
                .iter()
                .all(|victim| victim.lines_with("working") > 0)
        })
        .await?;
        for _ in 0..victims.len() * EACH {
            let task = Task::Steps {
                steps: 60,
                each_ms: 50,
            };
            site.start(JOB, &task).await?;
            started += 1;
        }
        all_hold(&site, victims.len()).await?;
        let heir = program.worker(
            &site.worker_url(),
            &format!("heir-{round}"),
            &["--lease", "2s", "--poll", "500ms", "--slots", "40"],
        )?;
        eventually(SOON, "the heir works", async || {
            heir.lines_with("working") > 0
        })
        .await?;
        tokio::time::sleep(Duration::from_millis(fastrand::u64(..500))).await;
        let (takeover, runs) = kill_all(&site, victims).await?;
        slowest = slowest.max(takeover);
        taken_over += runs;
        heir.signal(Signal::TERM)?;
        drop(heir);
    }
    let audit = site.audit().await?;
    Ok(Verdict::after(format!(
        "{} workers killed -9, {taken_over} runs taken over",
        rounds * at_once
    ))
    .exactly("runs lost", started - audit.succeeded, 0)
    .exactly("ended twice", audit.ended_twice, 0)
    .at_least("taken over", taken_over, i64::from(rounds * at_once))
    .within("slowest takeover", slowest, LEASE + 2 * POLL))
}

async fn all_hold(site: &Site, victims: usize) -> Result<()> {
    let hold =
        "select count(distinct worker_id) from opsroom.operation_runs where status = 'running'";
    Ok(eventually(SOON, "every victim holds a run", async || {
        site.number(hold).await.ok() == i64::try_from(victims).ok()
    })
    .await?)
}

/// Kills them, waits until all runs ended, and says how long the slowest takeover took and how many
/// there were. By the database's clock, from just before the kill.
async fn kill_all(site: &Site, victims: Vec<Process>) -> Result<(Duration, i64)> {
    let mut owner = site.owner().await?;
    sqlx::raw_sql(
        "drop table if exists soak.killed;
         create table soak.killed as select id, claim_no, clock_timestamp() as at
           from opsroom.operation_runs where status = 'running' and worker_id is not null",
    )
    .execute(&mut owner)
    .await?;
    for victim in &victims {
        victim.signal(Signal::KILL)?;
    }
    drop(victims);
    site.settled().await?;
    let (slowest, runs): (f64, i64) = sqlx::query_as(
        "select coalesce(max(extract(epoch from a.started_at - k.at)), 0)::float8, count(*)
           from soak.killed k join opsroom.run_attempts a on a.run_id = k.id and a.claim_no = k.claim_no + 1",
    )
    .fetch_one(&mut owner)
    .await?;
    Ok((Duration::from_secs_f64(slowest.max(0.0)), runs))
}
