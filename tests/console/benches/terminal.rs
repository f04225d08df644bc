//! The real program in a pty.

use super::report::{Report, milliseconds, percentile};
use opsroom_testkit::{Mode, Proxy, Terminal, TestDatabase, unique_name};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(30);
const STARTS: usize = 15;
const KEYS: usize = 200;
/// How long the database is gone.
const OUTAGE: Duration = Duration::from_secs(60);
const IDLE: Duration = Duration::from_secs(60);
const LIVE: Duration = Duration::from_secs(30);

/// 60,000 runs, the newest more than two days old, so that no age changes while one looks.
const RUNS: &str = "
insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, status, outcome, created_at, started_at, completed_at, summary_counts)
select 1 + n % 2, 'System', 'inventory.sync', encode(sha256(n::text::bytea), 'hex'), 'completed', 'succeeded', at, at, at + interval '9 s',
       '{\"total\": 812, \"success\": 812}'
  from generate_series(1, 60000) n, lateral (select now() - interval '60 h' - n * interval '36 s' as at) t;
analyze opsroom.operation_runs;";
/// What psql is asked for: the same rows.
const PAGE: &str = "select r.id, r.tenant_id, t.name, r.initiator_name, r.type, r.status, r.outcome, r.summary_counts, r.started_at, r.completed_at, r.created_at \
     from opsroom.operation_runs r join opsroom.tenants t on t.id = r.tenant_id \
     where r.created_at >= now() - interval '30 days' order by r.created_at desc, r.id desc limit 250";
const ACTIVE: &str = "
insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, status, started_at)
select 1 + n % 2, 'System', 'restore.execute', encode(sha256(('a' || n)::bytea), 'hex'), 'running', now()
  from generate_series(1, 20) n";
const PROGRESS: &str = "
update opsroom.operation_runs
   set summary_counts = jsonb_build_object('total', 500, 'success', 1 + coalesce((summary_counts->>'success')::int, 0))
 where status = 'running'";

async fn seeded() -> (TestDatabase, String) {
    let database = TestDatabase::new().await.unwrap();
    let login = unique_name("oncall");
    let people = format!(
        "create role {login} login in role opsroom_reader;
         insert into opsroom.workspaces (name) values ('w');
         insert into opsroom.tenants (workspace_id, name) values (1, 'contoso'), (1, 'fabrikam');
         insert into opsroom.users (name) values ('Olive');
         insert into opsroom.logins (login_role, user_id, kind) values ('{login}', 1, 'reader');
         insert into opsroom.workspace_members values (1, 1, 'owner');"
    );
    database.script(&people).await.unwrap();
    database.script(RUNS).await.unwrap();
    (database, login)
}

/// The console with a home of its own, as a terminal that says what ground it has.
fn console(url: &str, columns: u16, rows: u16) -> Terminal {
    let mut command = Command::new(env!("CARGO_BIN_EXE_opsroom"));
    command.args(["--url", url]).env("HOME", "/nonexistent");
    let mut terminal = Terminal::spawn(&command, columns, rows).unwrap();
    let until = Instant::now() + SOON;
    while !terminal.bytes().windows(6).any(|part| part == b"\x1b]11;?") {
        assert!(Instant::now() < until, "{}", terminal.screen());
        std::thread::sleep(Duration::from_micros(200));
    }
    terminal
        .send("\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[?62;22c")
        .unwrap();
    terminal
}

/// Prints the figures.
pub(crate) async fn measure(report: &mut Report) {
    let (database, login) = seeded().await;
    let url = database.url(&login);
    starts(report, &url);
    let proxy = Proxy::to_postgres(database.server().connection())
        .await
        .unwrap();
    keys(report, &proxy, &proxy.url(database.name(), &login));
    idle(report, &url);
    live(report, &database, &url).await;
}

/// From the start of the program to rows on the screen, beside psql's whole run for the same rows.
fn starts(report: &mut Report, url: &str) {
    let psql = || {
        let begun = Instant::now();
        let output = Command::new("psql")
            .args(["-XAt", "-c", PAGE, url])
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert_eq!(output.stdout.split(|byte| *byte == b'\n').count(), 251);
        begun.elapsed()
    };
    let ours = || {
        let begun = Instant::now();
        let terminal = console(url, 120, 40);
        terminal.wait_for("inventory.sync", SOON).unwrap();
        begun.elapsed()
    };
    // In turn, so that both meet the same machine; the first of each is not counted.
    let (mut theirs, mut took): (Vec<_>, Vec<_>) =
        (0..=STARTS).map(|_| (psql(), ours())).skip(1).unzip();
    let (theirs, took) = (percentile(&mut theirs, 50), percentile(&mut took, 50));
    report.figure("psql: the same 250 rows, p50", theirs, "ms");
    report.bounded("start to first rows, p50", took, theirs * 1.5, "ms");
}

/// From a key to the first byte it changes, the database not answering and gone.
fn keys(report: &mut Report, proxy: &Proxy, url: &str) {
    let mut terminal = console(url, 120, 40);
    terminal.wait_for("identity", SOON).unwrap();
    for (name, mode) in [
        ("key to byte, database frozen", Mode::Stall),
        ("key to byte, database gone", Mode::Cut),
    ] {
        proxy.set(mode);
        let gone = Instant::now();
        if mode == Mode::Cut {
            terminal.wait_for("STALE", SOON).unwrap();
        }
        let mut times: Vec<_> = (0..KEYS)
            .map(|at| {
                let shown = at % 2 == 0;
                let begun = Instant::now();
                terminal.send(if shown { "?" } else { "q" }).unwrap();
                terminal
                    .wait_until("the key is answered", SOON, |screen| {
                        screen.contents().contains(" keys ──") == shown
                    })
                    .unwrap();
                let took = begun.elapsed();
                // As fast as a key that is held down repeats.
                std::thread::sleep(Duration::from_millis(20));
                took
            })
            .collect();
        let worst = percentile(&mut times, 100);
        report.figure(&format!("{name}, p50"), percentile(&mut times, 50), "ms");
        report.bounded(
            &format!("{name}, p99"),
            percentile(&mut times, 99),
            16.0,
            "ms",
        );
        report.bounded(&format!("{name}, worst"), worst, 100.0, "ms");
        if mode == Mode::Cut {
            std::thread::sleep(OUTAGE.saturating_sub(gone.elapsed()));
            assert!(terminal.screen().contains("inventory.sync"));
        }
    }
    proxy.set(Mode::Pass);
    let begun = Instant::now();
    terminal.wait_for("● live", SOON).unwrap();
    let back = milliseconds(begun.elapsed());
    report.bounded("live again after a minute without it", back, 5_000.0, "ms");
}

/// Bytes and processor time while nothing changes.
fn idle(report: &mut Report, url: &str) {
    let terminal = console(url, 120, 40);
    terminal.wait_for("identity", SOON).unwrap();
    terminal.wait_for("● live", SOON).unwrap();
    terminal.wait_for("all tenants (2)", SOON).unwrap();
    settle(&terminal);
    let before = Spent::of(&terminal);
    std::thread::sleep(IDLE);
    let (bytes, processor) = before.until_now(&terminal);
    report.bounded("idle for a minute: bytes", bytes, 0.0, "bytes");
    report.bounded(
        "idle for a minute: processor",
        processor * 100.0,
        0.2,
        "% of a core",
    );
}

/// Bytes while 20 runs change each second; then what memory it all took.
async fn live(report: &mut Report, database: &TestDatabase, url: &str) {
    database.script(ACTIVE).await.unwrap();
    let mut terminal = console(url, 120, 40);
    terminal.wait_for("restore.execute", SOON).unwrap();
    terminal.wait_for("identity", SOON).unwrap();
    settle(&terminal);
    let before = Spent::of(&terminal);
    let mut beat = tokio::time::interval(Duration::from_secs(1));
    for _ in 0..LIVE.as_secs() {
        beat.tick().await;
        database.script(PROGRESS).await.unwrap();
    }
    let (bytes, processor) = before.until_now(&terminal);
    let rate = bytes / LIVE.as_secs_f64() / 1024.0;
    report.bounded("20 runs change a second: bytes", rate, 3.0, "KiB/s");
    report.figure(
        "20 runs change a second: processor",
        processor * 100.0,
        "% of a core",
    );
    for keys in [
        "of", "ot", "oy", "ow", "os", "on", "or", "?", "q", ":", "\x1b", "\r", "G",
    ] {
        terminal.send(keys).unwrap();
        settle(&terminal);
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", terminal.pid().unwrap()));
    let of = |name: &str| {
        let status = status.as_ref().unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib / 1024.0
    };
    report.figure("memory after every screen", of("VmRSS"), "MiB");
    report.bounded("memory at its highest", of("VmHWM"), 25.0, "MiB");
}

/// Waits until nothing was written for a second.
fn settle(terminal: &Terminal) {
    let mut before = terminal.bytes_written();
    let until = Instant::now() + SOON;
    loop {
        std::thread::sleep(Duration::from_secs(1));
        let now = terminal.bytes_written();
        if now == before || Instant::now() > until {
            return;
        }
        before = now;
    }
}

/// What a program has used so far.
struct Spent {
    at: Instant,
    bytes: usize,
    processor: f64,
}

impl Spent {
    fn of(terminal: &Terminal) -> Self {
        Self {
            at: Instant::now(),
            bytes: terminal.bytes_written(),
            processor: processor(terminal),
        }
    }

    /// Bytes since then, and the share of a core.
    fn until_now(&self, terminal: &Terminal) -> (f64, f64) {
        let now = Self::of(terminal);
        let span = (now.at - self.at).as_secs_f64();
        let bytes = (now.bytes - self.bytes) as f64;
        (bytes, (now.processor - self.processor) / span)
    }
}

/// Seconds of processor time of the program: fields 14 and 15 of its `stat`, in hundredths.
fn processor(terminal: &Terminal) -> f64 {
    let path = format!("/proc/{}/stat", terminal.pid().unwrap());
    let stat = std::fs::read_to_string(path).unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}
