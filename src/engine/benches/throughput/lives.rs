//! Whole lives: runs of a person are queued in batches of 50, claimed, executed without doing anything,
//! and ended, with every index, trigger, notification, rollup and audit entry. Against pgbench sending
//! the same statements in the same batches, with as many connections as a worker uses for them, and
//! one more that ticks the rollups and beats as often as the worker does.

use crate::figures::Figures;
use crate::operation::{Job, QUEUE, TYPE, pool, registry, world};
use opsroom_engine::{Worker, WorkerOptions};
use opsroom_postgres::Binaries;
use opsroom_testkit::{World, eventually};
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// So many that a worker's beginning does not count: each of its connections plans the first claim.
const RUNS: u32 = 51_200;
const SLOTS: u32 = 64;
const ROUNDS: usize = 3;

const TICK: &[u8] = b"select t.state, t.runs, coalesce(t.pending, 0), coalesce(t.stale, false) from opsroom.rollup_tick(p_rest => make_interval(secs => 2)) t;\n";
const BEAT: &[u8] = b"select opsroom.beat(:worker::uuid);\n";

pub(crate) async fn measure(figures: &mut Figures) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(by_worker().await);
        theirs.push(by_pgbench().await);
    }
    for all in [&mut ours, &mut theirs] {
        all.sort_by(f64::total_cmp);
    }
    let (ours, theirs) = (ours[ROUNDS / 2], theirs[ROUNDS / 2]);
    figures.tell(
        "whole lives of no-op runs, worker",
        &format!("{ours:.0} lives/s"),
    );
    figures.tell(
        "the same statements by pgbench",
        &format!("{theirs:.0} lives/s"),
    );
    figures.at_least("worker / pgbench, whole lives", ours / theirs, 0.9, "x");
}

async fn queue(world: &World) -> Duration {
    let mut connection = world.connect(&world.worker).await.unwrap();
    let begun = Instant::now();
    for _ in 0..RUNS / 50 {
        sqlx::query(QUEUE).execute(&mut connection).await.unwrap();
    }
    begun.elapsed()
}

async fn by_worker() -> f64 {
    let world = world().await;
    let queued = queue(&world).await;
    let (tell, mut begun) = mpsc::unbounded_channel();
    let options = WorkerOptions {
        slots: SLOTS,
        ..WorkerOptions::default()
    };
    let stop = CancellationToken::new();
    let started = Instant::now();
    let worker = Worker::new(pool(&world, 8), registry(Job::Tell(tell)), options);
    let working = tokio::spawn(worker.work(stop.clone()));
    for _ in 0..RUNS {
        begun.recv().await.unwrap();
    }
    all_completed(&world).await;
    let drained = started.elapsed();
    stop.cancel();
    working.await.unwrap().unwrap();
    f64::from(RUNS) / (queued + drained).as_secs_f64()
}

async fn all_completed(world: &World) {
    let mut owner = world.owner().await.unwrap();
    let done = eventually(Duration::from_secs(60), "all runs end", async || {
        sqlx::query_scalar::<_, bool>(
            "select not exists (select from opsroom.operation_runs where status <> 'completed')",
        )
        .fetch_one(&mut owner)
        .await
        .unwrap()
    });
    done.await.unwrap();
}

async fn by_pgbench() -> f64 {
    let world = world().await;
    let queued = queue(&world).await;
    let mut script = tempfile::NamedTempFile::new().unwrap();
    write!(
        script,
        "select coalesce(array_agg(run_id), '{{}}') as runs, coalesce(array_agg(claim), '{{}}') as claims, count(*) as n
           from opsroom.claim(:worker::uuid, {SLOTS}, '{{{TYPE}}}', 0) where run_id is not null \\gset
         select count(*) from opsroom.end_claims(:worker::uuid, 'pgbench', :runs::bigint[], :claims::int[],
           array_fill(1, array[:n::int]), array_fill('succeeded'::text, array[:n::int]), array_fill(0::float8, array[:n::int]),
           array_fill(null::jsonb, array[:n::int]), array_fill(null::jsonb, array[:n::int]));\n"
    )
    .unwrap();
    let worker = uuid::Uuid::new_v4();
    sqlx::query("insert into opsroom.workers (id, name, pid, version, types, slots, lease) values ($1, 'pgbench', 1, '0', $2, 64, '1 h')")
        .bind(worker)
        .bind([TYPE])
        .execute(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    let lives = ["-c", "2", "-j", "2", "-t", &(RUNS / SLOTS / 2).to_string()];
    let mut replay = replay(&world, worker, script.path(), &lives);
    let started = Instant::now();
    let _keeper = Keeper::start(&world, worker);
    let said = tokio::task::spawn_blocking(move || replay.output())
        .await
        .unwrap()
        .unwrap();
    let drained = started.elapsed();
    assert!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    // Near the end a claim may find fewer than it asks for; what is left then was not lived.
    let ended: i32 = sqlx::query_scalar(
        "select count(*)::int from opsroom.operation_runs where status = 'completed'",
    )
    .fetch_one(&mut world.owner().await.unwrap())
    .await
    .unwrap();
    let counted: i64 = sqlx::query_scalar("select count(*) from opsroom.rollup_days")
        .fetch_one(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    assert!(counted > 0, "the replay kept no rollups");
    assert!(f64::from(ended) > 0.99 * f64::from(RUNS), "{ended} ended");
    f64::from(ended) / (queued + drained).as_secs_f64()
}

/// pgbench with one script, on the worker's login.
fn replay(world: &World, worker: uuid::Uuid, script: &Path, more: &[&str]) -> Command {
    let server = world.database().server().connection();
    let mut command = Command::new(pgbench());
    command
        .args(["-n", "-M", "prepared"])
        .args(more)
        .arg("-D")
        .arg(format!("worker={worker}"))
        .arg("-f")
        .arg(script)
        .arg("-h")
        .arg(server.socket_dir())
        .args([
            "-p",
            &server.port().to_string(),
            "-U",
            &world.worker,
            world.database().name(),
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// What a worker does beside claiming and ending: rollups every 3 s, a beat every sixth of 30 s. Ends
/// when dropped.
struct Keeper {
    child: Child,
    _script: tempfile::NamedTempFile,
}

impl Keeper {
    fn start(world: &World, worker: uuid::Uuid) -> Self {
        let mut script = tempfile::NamedTempFile::new().unwrap();
        for second in 0..15 {
            if second % 3 == 0 {
                script.write_all(TICK).unwrap();
            }
            if second % 5 == 0 {
                script.write_all(BEAT).unwrap();
            }
            script.write_all(b"\\sleep 1 s\n").unwrap();
        }
        let child = replay(world, worker, script.path(), &["-c", "1", "-T", "3600"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            child,
            _script: script,
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Beside the server, or where the machine's client programs are.
fn pgbench() -> std::path::PathBuf {
    let beside = Binaries::find(&mut |_| {}).unwrap().program("pgbench");
    if beside.is_file() {
        beside
    } else {
        "pgbench".into()
    }
}
