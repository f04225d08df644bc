//! The database server killed and started again under load: workers come back by themselves, soon and
//! without flooding the log, and nothing is lost that was confirmed.

use crate::jobs::{JOB, Task};
use crate::process::{Process, Program};
use crate::report::{Extent, Verdict};
use crate::site::{SOON, Site};
use color_eyre::eyre::{Result, eyre};
use opsroom_postgres::{Cluster, Kept, Server};
use opsroom_testkit::{Signal, eventually};
use rustix::process::{Pid, kill_process, test_kill_process};
use sqlx::{Connection as _, PgConnection};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How soon after the server is up a worker must have claimed something.
pub(crate) const RECOVERY: Duration = Duration::from_secs(5);
const ARGS: [&str; 6] = ["--lease", "4s", "--poll", "200ms", "--slots", "8"];

/// Causes it.
///
/// # Errors
/// The processes or the server could not be set up, or something did not happen within a minute.
pub async fn cause(program: &Program, extent: Extent) -> Result<Verdict> {
    let rounds = extent.of(2, 20);
    let root = reachable_folder()?;
    let cluster = Cluster::named("soak")
        .data_root(root.path())
        .kept(Kept::Keep);
    let mut server = start(&cluster).await?;
    let site = Site::on(server.connection()).await?;
    let worker = program.worker(&site.worker_url(), "one", &ARGS)?;
    let load = Load::begin(&site, 4);
    let (mut slowest, mut noise) = (Duration::ZERO, 0.0_f64);
    for round in 0..rounds {
        extent.begins("the server killed", round, rounds);
        busy(&site, 20 * i64::from(round + 1)).await?;
        let (stopped, before) = (Instant::now(), loud_lines(&worker));
        kill(server).await?;
        // Every third outage is longer than two thirds of the lease: the worker is fenced in it.
        let longest = if round % 3 == 1 { 4000 } else { 500 };
        tokio::time::sleep(Duration::from_millis(fastrand::u64(longest / 2..longest))).await;
        server = start(&cluster).await?;
        let up = Instant::now();
        claims_again(&site).await?;
        slowest = slowest.max(up.elapsed());
        noise = noise.max(noise_since(&worker, before, stopped));
    }
    let confirmed = load.end().await?;
    let audit = site.settled().await?;
    let lost = lost(&site, &confirmed).await?;
    worker.signal(Signal::TERM)?;
    drop(worker);
    drop(server);
    Ok(Verdict::after(format!(
        "{rounds} × PostgreSQL killed (SIGQUIT) and started again, {} runs confirmed",
        confirmed.len()
    ))
    .exactly("confirmed runs lost", lost, 0)
    .within("slowest recovery", slowest, RECOVERY)
    .at_most("log lines in an outage", noise, 1.0, "/s")
    .exactly("ended twice", audit.ended_twice, 0)
    .exactly("left open", audit.open, 0))
}

/// A folder that the server's user can reach, whoever we are. In memory where the system has a place for
/// that: a file there outlives every process that dies, and only processes die here.
///
/// # Errors
/// No folder can be made.
pub fn reachable_folder() -> Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("opsroom-soak-");
    let root = match builder.tempdir_in("/dev/shm") {
        Ok(root) => root,
        Err(_) => builder.tempdir()?,
    };
    std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o755))?;
    Ok(root)
}

/// Starts it without holding up the runtime.
pub(crate) async fn start(cluster: &Cluster) -> Result<Server> {
    let cluster = cluster.clone();
    Ok(tokio::task::spawn_blocking(move || cluster.start()).await??)
}

/// An immediate stop: every process of the server ends, nothing is written any more.
pub(crate) async fn kill(server: Server) -> Result<()> {
    let pid = Pid::from_raw(server.pid()).ok_or_else(|| eyre!("a server without a number"))?;
    kill_process(pid, Signal::QUIT)?;
    eventually(SOON, "the server is gone", async || {
        // Its parent, the watcher, may let it lie dead for a while.
        let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
        state.is_ok_and(|text| text.contains(") Z ")) || test_kill_process(pid).is_err()
    })
    .await?;
    // What is left of it, the watcher, ends with this.
    tokio::task::spawn_blocking(move || server.stop()).await??;
    Ok(())
}

/// Waits until as many runs have ended: each outage hits a worker at work.
pub(crate) async fn busy(site: &Site, ended: i64) -> Result<()> {
    let count = "select count(*) from soak.endings";
    Ok(eventually(
        SOON,
        "runs end",
        async || matches!(site.number(count).await, Ok(n) if n >= ended),
    )
    .await?)
}

/// Waits until a run is claimed after now.
pub(crate) async fn claims_again(site: &Site) -> Result<()> {
    let mut owner = site.owner().await?;
    let last = "select coalesce(max(claim_no), 0)::bigint + count(*) from opsroom.run_attempts";
    let before: i64 = sqlx::query_scalar(last).fetch_one(&mut owner).await?;
    Ok(eventually(SOON, "attempts end again", async || {
        let now = sqlx::query_scalar::<_, i64>(last)
            .fetch_one(&mut owner)
            .await;
        matches!(now, Ok(now) if now > before)
    })
    .await?)
}

/// Warnings and errors a second since there were `before` of them, beyond the two that tell of the outage
/// and of its end.
pub(crate) fn noise_since(worker: &Process, before: i64, since: Instant) -> f64 {
    let lines = (loud_lines(worker) - before - 2).max(0);
    lines as f64 / since.elapsed().as_secs_f64()
}

/// Log lines that say that something is wrong.
pub(crate) fn loud_lines(worker: &Process) -> i64 {
    worker.lines_with(" WARN ") + worker.lines_with(" ERROR ")
}

/// How many of the confirmed runs are not in the database, or not completed.
pub(crate) async fn lost(site: &Site, confirmed: &[i64]) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "select count(*) from unnest($1::bigint[]) c (id)
          where not exists (select from opsroom.operation_runs r where r.id = c.id and r.outcome = 'succeeded')",
    )
    .bind(confirmed)
    .fetch_one(&mut site.owner().await?)
    .await?)
}

/// Clients that start runs until told to stop, and remember those that were confirmed.
pub(crate) struct Load {
    stop: CancellationToken,
    confirmed: Arc<Mutex<Vec<i64>>>,
    clients: JoinSet<()>,
    /// Where the database is by now.
    site: Arc<Mutex<Site>>,
}

impl Load {
    pub(crate) fn begin(site: &Site, clients: usize) -> Self {
        let mut load = Self {
            stop: CancellationToken::new(),
            confirmed: Arc::default(),
            clients: JoinSet::new(),
            site: Arc::new(Mutex::new(site.clone())),
        };
        for _ in 0..clients {
            let (stop, confirmed, site) = (
                load.stop.clone(),
                Arc::clone(&load.confirmed),
                Arc::clone(&load.site),
            );
            load.clients.spawn(async move {
                let mut connection = None;
                while !stop.is_cancelled() {
                    let place = site.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    let started = tokio::time::timeout(RECOVERY, one(&place, &mut connection));
                    match started.await {
                        Ok(Ok(run)) => confirmed
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(run),
                        _ => connection = None,
                    }
                    tokio::time::sleep(Duration::from_millis(fastrand::u64(20..60))).await;
                }
            });
        }
        load
    }

    /// The database is on another server from now on.
    pub(crate) fn moved_to(&self, site: &Site) {
        *self.site.lock().unwrap_or_else(PoisonError::into_inner) = site.clone();
    }

    pub(crate) async fn end(mut self) -> Result<Vec<i64>> {
        self.stop.cancel();
        while let Some(client) = self.clients.join_next().await {
            client?;
        }
        Ok(std::mem::take(
            &mut *self
                .confirmed
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        ))
    }
}

async fn one(site: &Site, connection: &mut Option<PgConnection>) -> Result<i64> {
    if connection.is_none() {
        *connection = Some(PgConnection::connect(&site.worker_url()).await?);
    }
    let connection = connection.as_mut().ok_or_else(|| eyre!("no connection"))?;
    let task = Task::Steps {
        steps: fastrand::u32(1..10),
        each_ms: 20,
    };
    site.start_over(connection, JOB, &task).await
}
