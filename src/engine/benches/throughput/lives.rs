//! Whole lives: runs of a person are queued in batches of 50, claimed, executed without doing anything,
//! and ended, with every index, trigger, notification, rollup and audit entry. Against pgbench sending
//! the same statements in the same batches, with as many connections as a worker uses for them, and
//! one more that ticks the rollups and beats as often as the worker does. The server counts the calls of
//! its functions, so the batches are those that the worker just had, on average.

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

/// So many that a worker's beginning does not count.
const RUNS: u32 = 51_200;
const SLOTS: u32 = 64;
/// Each a worker and its replay, one after the other: the machine is not as fast at all times.
const ROUNDS: usize = 5;

const TICK: &[u8] = b"select t.state, t.runs, coalesce(t.pending, 0), coalesce(t.stale, false) from opsroom.rollup_tick(p_rest => make_interval(secs => 2)) t;\n";
const BEAT: &[u8] = b"select opsroom.beat(:worker::uuid);\n";

/// How many statements a worker took for all runs.
#[derive(Debug, Clone, Copy)]
struct Statements {
    claims: u32,
    endings: u32,
}

impl Statements {
    /// Runs of one claim, rounded up.
    fn claimed(self) -> u32 {
        RUNS.div_ceil(self.claims)
    }

    /// How many of a hundred claims are ended with two statements, the others with one.
    fn halved(self) -> u32 {
        (self.endings * 100 / self.claims).saturating_sub(100)
    }
}

pub(crate) async fn measure(figures: &mut Figures) {
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (lives, statements) = by_worker().await;
        let replayed = by_pgbench(statements).await;
        figures.tell(
            "runs claimed, ended with one statement",
            &format!(
                "{:.0}, {:.0}",
                f64::from(RUNS) / f64::from(statements.claims),
                f64::from(RUNS) / f64::from(statements.endings)
            ),
        );
        ours.push(lives);
        theirs.push(replayed);
        ratios.push(lives / replayed);
    }
    for all in [&mut ours, &mut theirs, &mut ratios] {
        all.sort_by(f64::total_cmp);
    }
    let middle = ROUNDS / 2;
    figures.tell(
        "whole lives of no-op runs, worker",
        &format!("{:.0} lives/s", ours[middle]),
    );
    figures.tell(
        "the same statements by pgbench",
        &format!("{:.0} lives/s", theirs[middle]),
    );
    figures.tell(
        "worker / pgbench, each round",
        &format!("{:.2} to {:.2} x", ratios[0], ratios[ROUNDS - 1]),
    );
    figures.at_least("worker / pgbench, whole lives", ratios[middle], 0.9, "x");
}

/// A world whose server counts the calls of its functions.
async fn counting_world() -> World {
    let world = world().await;
    let count = format!(
        "alter database {} set track_functions = 'pl'",
        world.database().name()
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(count))
        .execute(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    world
}

/// Both functions, once the sessions that called them are over: each tells its counts at its end.
async fn statements(world: &World) -> Statements {
    let mut owner = world.owner().await.unwrap();
    let over = eventually(Duration::from_secs(60), "all sessions end", async || {
        sqlx::query_scalar::<_, bool>("select not exists (select from pg_stat_activity where datname = current_database() and usename = $1)")
            .bind(&world.worker)
            .fetch_one(&mut owner)
            .await
            .unwrap()
    });
    over.await.unwrap();
    let (claims, endings): (i64, i64) = sqlx::query_as(
        "select max(calls) filter (where funcname = 'claim'), max(calls) filter (where funcname = 'end_claims')
           from pg_stat_user_functions where schemaname = 'opsroom'",
    )
    .fetch_one(&mut owner)
    .await
    .unwrap();
    Statements {
        claims: u32::try_from(claims).unwrap(),
        endings: u32::try_from(endings).unwrap(),
    }
}

async fn queue(world: &World) -> Duration {
    let mut connection = world.connect(&world.worker).await.unwrap();
    let begun = Instant::now();
    for _ in 0..RUNS / 50 {
        sqlx::query(QUEUE).execute(&mut connection).await.unwrap();
    }
    begun.elapsed()
}

async fn by_worker() -> (f64, Statements) {
    let world = counting_world().await;
    let queued = queue(&world).await;
    let (tell, mut begun) = mpsc::unbounded_channel();
    let options = WorkerOptions {
        slots: SLOTS,
        ..WorkerOptions::default()
    };
    let stop = CancellationToken::new();
    let started = Instant::now();
    let pool = pool(&world, 8);
    let worker = Worker::new(pool.clone(), registry(Job::Tell(tell)), options);
    let working = tokio::spawn(worker.work(stop.clone()));
    for _ in 0..RUNS {
        begun.recv().await.unwrap();
    }
    all_completed(&world).await;
    let drained = started.elapsed();
    stop.cancel();
    working.await.unwrap().unwrap();
    pool.close().await;
    let lives = f64::from(RUNS) / (queued + drained).as_secs_f64();
    (lives, statements(&world).await)
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

/// A claim and the endings of what it found, with one statement or with two.
fn life(claimed: u32, halves: bool) -> tempfile::NamedTempFile {
    let mut script = tempfile::NamedTempFile::new().unwrap();
    let first = if halves { claimed.div_ceil(2) } else { claimed };
    write!(
        script,
        "select coalesce((array_agg(run_id))[1 : {first}], '{{}}') as runs1, coalesce((array_agg(run_id))[{first}+1 : ], '{{}}') as runs2,
                coalesce((array_agg(claim))[1 : {first}], '{{}}') as claims1, coalesce((array_agg(claim))[{first}+1 : ], '{{}}') as claims2,
                least(count(*), {first}) as n1, greatest(count(*) - {first}, 0) as n2, string_agg(c::text, '') as fetched
           from (select run_id, tenant, run_type, claim, attempt_no, attempts, run_context, counts,
                        extract(epoch from clock_timestamp() - queued_at)::float8 as waited
                   from opsroom.claim(:worker::uuid, {claimed}, '{{{TYPE}}}', 0) where run_id is not null) c \\gset\n"
    )
    .unwrap();
    for part in 1..=(if halves { 2 } else { 1 }) {
        write!(
            script,
            "select count(*) from opsroom.end_claims(:worker::uuid, 'pgbench', :runs{part}::bigint[], :claims{part}::int[],
               array_fill(1, array[:n{part}::int]), array_fill('succeeded'::text, array[:n{part}::int]),
               array_fill(0::float8, array[:n{part}::int]), array_fill(null::jsonb, array[:n{part}::int]),
               array_fill(null::jsonb, array[:n{part}::int]));\n"
        )
        .unwrap();
    }
    script
}

async fn by_pgbench(statements: Statements) -> f64 {
    let world = counting_world().await;
    let queued = queue(&world).await;
    let claimed = statements.claimed();
    let (whole, halved) = (life(claimed, false), life(claimed, true));
    let worker = uuid::Uuid::new_v4();
    sqlx::query("insert into opsroom.workers (id, name, pid, version, types, slots, lease) values ($1, 'pgbench', 1, '0', $2, 64, '1 h')")
        .bind(worker)
        .bind([TYPE])
        .execute(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    let weighed = |script: &Path, weight| format!("{}@{weight}", script.display());
    let halves = statements.halved().min(100);
    let mut replay = replay(&world, worker, &weighed(whole.path(), 100 - halves));
    replay
        .args(["-f", &weighed(halved.path(), halves)])
        .args(["-c", "2", "-j", "2"])
        .args(["-t", &(RUNS / claimed / 2).to_string()]);
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

/// pgbench with a script, on the worker's login.
fn replay(world: &World, worker: uuid::Uuid, script: &str) -> Command {
    let server = world.database().server().connection();
    let mut command = Command::new(pgbench());
    command
        .args(["-n", "-M", "prepared"])
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
        let child = replay(world, worker, &script.path().display().to_string())
            .args(["-c", "1", "-T", "3600"])
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
