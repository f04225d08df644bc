//! The server's disk is full: nothing confirmed is lost, and once there is room again it goes on. The
//! cluster lies in a small tmpfs of its own, filled by a file; mounting that takes root.

use super::restarted::{Load, claims_again, lost, reachable_folder, start};
use crate::process::Program;
use crate::report::{Extent, Verdict};
use crate::site::{SOON, Site};
use color_eyre::eyre::{Result, WrapErr as _, eyre};
use opsroom_postgres::{Cluster, Server};
use opsroom_testkit::{Signal, eventually};
use rustix::process::{Pid, test_kill_process};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A new cluster takes some 60 MB, and WAL files are made 16 MB at a time.
const SIZE: &str = "size=192m,mode=0755";
/// From room on the disk, or the restart of a server that gave up, to the next attempt that ends.
const RECOVERY: Duration = Duration::from_secs(10);
const ARGS: [&str; 6] = ["--lease", "4s", "--poll", "200ms", "--slots", "8"];

/// Causes it.
///
/// # Errors
/// No tmpfs can be mounted here, the server could not be set up, or something did not happen within a
/// minute.
pub async fn cause(program: &Program, extent: Extent) -> Result<Verdict> {
    let rounds = extent.of(1, 5);
    let folder = reachable_folder()?;
    let disk = Disk::mount(folder.path().join("disk"))?;
    let cluster = Cluster::named("full")
        .data_root(&disk.0)
        .setting("max_wal_size", "64MB")
        .setting("min_wal_size", "32MB");
    let mut server = start(&cluster).await?;
    let site = Site::on(server.connection()).await?;
    let worker = program.worker(&site.worker_url(), "one", &ARGS)?;
    let load = Load::begin(&site, 4);
    let (mut slowest, mut restarts) = (Duration::ZERO, 0);
    for round in 0..rounds {
        extent.begins("the disk filled", round, rounds);
        claims_again(&site).await?;
        let ballast = disk.fill()?;
        refuses(&site, &server).await?;
        // Some of it hits the server at a commit, some while it extends a table.
        tokio::time::sleep(Duration::from_secs(u64::from(1 + round % 3))).await;
        std::fs::remove_file(ballast)?;
        if is_gone(&server) {
            restarts += 1;
            tokio::task::spawn_blocking(move || server.stop()).await??;
            server = start(&cluster).await?;
        }
        let room = Instant::now();
        eventually(SOON, "the server takes connections", async || {
            site.owner().await.is_ok()
        })
        .await?;
        claims_again(&site).await?;
        slowest = slowest.max(room.elapsed());
    }
    let confirmed = load.end().await?;
    let audit = site.settled().await?;
    let lost = lost(&site, &confirmed).await?;
    worker.signal(Signal::TERM)?;
    drop((worker, server, disk));
    Ok(Verdict::after(format!(
        "{rounds} × disk of the server full (tmpfs), {} runs confirmed, server restarted by us {restarts} ×",
        confirmed.len()
    ))
    .exactly("confirmed runs lost", lost, 0)
    .within("slowest recovery", slowest, RECOVERY)
    .exactly("ended twice", audit.ended_twice, 0)
    .exactly("left open", audit.open, 0))
}

/// A mounted tmpfs; unmounted when dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: PathBuf) -> Result<Self> {
        std::fs::create_dir(&at)?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "opsroom-soak"])
            .arg(&at)
            .output()
            .wrap_err("no mount")?;
        if mounted.status.success() {
            return Ok(Self(at));
        }
        Err(eyre!(
            "a tmpfs cannot be mounted here: run disk-full as root on a machine that allows it"
        ))
    }

    /// Writes until nothing goes in any more. Says what to remove.
    fn fill(&self) -> Result<PathBuf> {
        let path = self.0.join("ballast");
        let mut file = File::create(&path)?;
        for size in [1 << 20, 1 << 12, 1] {
            let block = vec![0_u8; size];
            while file.write_all(&block).is_ok() {}
        }
        Ok(path)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a server that is still ending does not keep it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

fn is_gone(server: &Server) -> bool {
    let Some(pid) = Pid::from_raw(server.pid()) else {
        return true;
    };
    let state = std::fs::read_to_string(
        Path::new("/proc")
            .join(server.pid().to_string())
            .join("stat"),
    );
    state.is_ok_and(|text| text.contains(") Z ")) || test_kill_process(pid).is_err()
}

/// Waits until a start is refused, or the server has given up.
async fn refuses(site: &Site, server: &Server) -> Result<()> {
    let text = "words that fill the disk. ".repeat(2_000);
    Ok(eventually(SOON, "the full disk is felt", async || {
        let task = crate::jobs::Task::Carry { text: text.clone() };
        is_gone(server) || site.start(crate::jobs::JOB, &task).await.is_err()
    })
    .await?)
}
