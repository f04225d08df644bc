//! The primary dies and a synchronous standby is promoted: workers whose URL names both go on there, and
//! nothing is lost that was confirmed.

use super::restarted::{
    Load, RECOVERY, busy, claims_again, kill, lost, loud_lines, noise_since, reachable_folder,
    start,
};
use crate::process::Program;
use crate::report::{Extent, Verdict};
use crate::site::{SOON, Site};
use color_eyre::eyre::Result;
use opsroom_postgres::{Cluster, ConnectionInfo};
use opsroom_testkit::{Signal, eventually};
use sqlx::{Connection as _, PgConnection};
use std::time::{Duration, Instant};

const ARGS: [&str; 6] = ["--lease", "4s", "--poll", "200ms", "--slots", "8"];

/// Causes it.
///
/// # Errors
/// The processes or the servers could not be set up, or something did not happen within a minute.
pub async fn cause(program: &Program, extent: Extent) -> Result<Verdict> {
    let rounds = extent.of(1, 5);
    let (mut slowest, mut noise) = (Duration::ZERO, 0.0_f64);
    let (mut missing, mut twice, mut open, mut count) = (0, 0, 0, 0);
    for round in 0..rounds {
        extent.begins("the primary killed", round, rounds);
        let root = reachable_folder()?;
        let first = start(&cluster("first", &root)).await?;
        let site = Site::on(first.connection()).await?;
        let second = start(&cluster("second", &root).standby_of(first.connection())).await?;
        synchronous(&site).await?;
        let both = format!(
            "postgres:///{}?host={},{}&port={},{}&user={}",
            site.database(),
            first.connection().socket_dir().display(),
            second.connection().socket_dir().display(),
            first.connection().port(),
            second.connection().port(),
            site.login,
        );
        let worker = program.worker(&both, "one", &ARGS)?;
        let load = Load::begin(&site, 4);
        busy(&site, 30).await?;
        let (died, before) = (Instant::now(), loud_lines(&worker));
        kill(first).await?;
        promote(second.connection()).await?;
        let up = Instant::now();
        let moved = site.moved_to(second.connection());
        load.moved_to(&moved);
        claims_again(&moved).await?;
        slowest = slowest.max(up.elapsed());
        noise = noise.max(noise_since(&worker, before, died));
        busy(&moved, 60).await?;
        let confirmed = load.end().await?;
        let audit = moved.settled().await?;
        missing += lost(&moved, &confirmed).await?;
        count += confirmed.len();
        twice += audit.ended_twice;
        open += audit.open;
        worker.signal(Signal::TERM)?;
        drop(worker);
        drop(second);
    }
    Ok(Verdict::after(format!(
        "{rounds} × primary killed, synchronous standby promoted, {count} runs confirmed"
    ))
    .exactly("confirmed runs lost", missing, 0)
    .within("slowest recovery", slowest, RECOVERY)
    .at_most("log lines in an outage", noise, 1.0, "/s")
    .exactly("ended twice", twice, 0)
    .exactly("left open", open, 0))
}

fn cluster(name: &str, root: &tempfile::TempDir) -> Cluster {
    Cluster::named(name)
        .data_root(root.path())
        .setting("wal_keep_size", "256MB")
}

/// From now on a commit waits for the standby.
async fn synchronous(site: &Site) -> Result<()> {
    let mut owner = site.owner().await?;
    for statement in [
        "alter system set synchronous_standby_names = '*'",
        "select pg_reload_conf()",
    ] {
        sqlx::query(statement).execute(&mut owner).await?;
    }
    Ok(eventually(SOON, "the standby is synchronous", async || {
        let query = "select count(*) from pg_stat_replication where sync_state = 'sync'";
        matches!(
            sqlx::query_scalar::<_, i64>(query)
                .fetch_one(&mut owner)
                .await,
            Ok(1)
        )
    })
    .await?)
}

/// Makes the standby the primary. What it was told to wait for is gone.
async fn promote(standby: &ConnectionInfo) -> Result<()> {
    let mut connection = PgConnection::connect(&standby.superuser_url("postgres")).await?;
    sqlx::query("select pg_promote(true, 60)")
        .execute(&mut connection)
        .await?;
    for statement in [
        "alter system reset synchronous_standby_names",
        "select pg_reload_conf()",
    ] {
        sqlx::query(statement).execute(&mut connection).await?;
    }
    Ok(())
}
