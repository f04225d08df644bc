//! Everything that runs while the demo runs, and in which order it begins and ends.

use crate::cast::{TENANTS, Weather};
use crate::cli::Show;
use crate::database::{self, Urls};
use crate::progress::Progress;
use crate::seed;
use crate::timetables;
use crate::traffic;
use crate::workers::{Surroundings, Workers};
use color_eyre::eyre::{Result, WrapErr as _, eyre};
use etcetera::BaseStrategy as _;
use opsroom_graph::PolicyDocument;
use opsroom_graph::simulator::{Simulator, SimulatorConfig, TenantFixture, folder, generator};
use opsroom_postgres::{Cluster, Kept, Server};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use secrecy::ExposeSecret as _;
use std::fs::{DirBuilder, File};
use std::io::{IsTerminal as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Runs added to an empty database, so that screens have something to compare with.
const HISTORY: u64 = 4_000;
const WORKERS: [&str; 2] = ["demo-1", "demo-2"];

/// What runs. Fields are dropped in their order: first who writes, then what is written to.
struct Stage {
    _traffic: Traffic,
    _workers: Workers,
    _simulator: Simulator,
    _secrets: Secrets,
    urls: Urls,
    server: Server,
}

struct Traffic(CancellationToken);

impl Drop for Traffic {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Stage {
    /// Resolves when the server's process is no more.
    async fn server_gone(&self) {
        let mut looks = tokio::time::interval(Duration::from_secs(1));
        while Pid::from_raw(self.server.pid())
            .is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
        {
            looks.tick().await;
        }
    }
}

/// The console in front of a stage. The terminal is the console's; the stage ends after it.
pub(crate) fn with_console(runtime: &Runtime, show: &Show) -> Result<ExitCode> {
    // Before anything is set up: the console would only refuse after all of it.
    let on_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if show.console.is_empty() && !on_terminal {
        let _ = writeln!(
            std::io::stderr(),
            "opsroom-demo: the console needs a terminal: use --headless for everything but the console"
        );
        return Ok(ExitCode::from(2));
    }
    let log = log_file()?;
    let stage = set(runtime, show, Some(&log))?;
    let url = stage.urls.of(&show.login);
    let args = ["opsroom".to_owned(), "--url".to_owned(), url]
        .into_iter()
        .chain(show.console.iter().cloned());
    let code = opsroom_console::main_from(args.map(Into::into));
    let _ = writeln!(std::io::stderr(), "stopping workers and PostgreSQL …");
    drop(stage);
    Ok(code)
}

/// A stage without an audience, until a signal.
pub(crate) fn headless(runtime: &Runtime, show: &Show) -> Result<ExitCode> {
    let stage = set(runtime, show, None)?;
    runtime.block_on(async {
        // Caught before anybody is told that it is ready: what comes then must end it in order.
        let (mut interrupt, mut terminate, mut hangup) = (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        );
        println!("{}", stage.urls.json());
        tokio::select! {
            _ = interrupt.recv() => Ok(ExitCode::SUCCESS),
            _ = terminate.recv() => Ok(ExitCode::SUCCESS),
            _ = hangup.recv() => Ok(ExitCode::SUCCESS),
            () = stage.server_gone() => Err(eyre!("PostgreSQL ended by itself; start the demo again")),
        }
    })
}

fn set(runtime: &Runtime, show: &Show, log: Option<&File>) -> Result<Stage> {
    let mut progress = Progress::new();
    let fixtures = fixtures(show.policies.as_deref(), &progress)?;
    let server = start_server(show, &progress)?;
    let urls = Urls::new(server.connection().clone());
    let simulator = runtime.block_on(simulate(&fixtures, show.policies.is_some()))?;
    let secrets = Secrets::write(&fixtures)?;
    let empty = runtime.block_on(database::prepare(&urls, &fixtures, &progress))?;
    if empty {
        let tenants = TENANTS.len() as u64;
        runtime.block_on(seed::demo_history(
            &urls.owner(),
            HISTORY,
            tenants,
            &mut progress,
        ))?;
    }
    if !show.no_traffic {
        // Before there is a worker: schedules have a past, and what it comes to is for the first one.
        let count = runtime.block_on(timetables::put(&urls.of("worker")))?;
        progress.step(&format!("{count} schedules"));
    }
    let graph_url = simulator.base_url().to_string();
    let around = Surroundings {
        database_url: &urls.of("worker"),
        graph_url: &graph_url,
        secrets: &secrets.0,
        log,
    };
    let workers = Workers::start(&WORKERS, &around)?;
    let stop = CancellationToken::new();
    if !show.no_traffic {
        runtime.spawn(traffic::flow(urls.clone(), stop.clone()));
    }
    progress.step(&format!(
        "ready: {} tenants, {} workers",
        TENANTS.len(),
        WORKERS.len()
    ));
    Ok(Stage {
        _traffic: Traffic(stop),
        _workers: workers,
        _simulator: simulator,
        _secrets: secrets,
        urls,
        server,
    })
}

fn start_server(show: &Show, progress: &Progress) -> Result<Server> {
    let kept = if show.fresh { Kept::Fresh } else { Kept::Keep };
    let cluster = Cluster::named("demo")
        .kept(kept)
        .setting("log_min_messages", "fatal");
    Ok(cluster.start_telling(&mut |step| progress.step(&step.to_string()))?)
}

/// What each tenant serves: documents of a folder, or variants of the project's own.
fn fixtures(folder: Option<&Path>, progress: &Progress) -> Result<Vec<TenantFixture>> {
    let own = folder
        .map(|folder| read_folder(folder, progress))
        .transpose()?;
    let policies = |tenant: &crate::cast::Tenant, seed: u64| match &own {
        Some(policies) => policies.clone(),
        None => generator::policies(seed, tenant.policies),
    };
    Ok(TENANTS
        .iter()
        .zip(1..)
        .map(|(tenant, seed)| TenantFixture::named(tenant.name, policies(tenant, seed)))
        .collect())
}

fn read_folder(path: &Path, progress: &Progress) -> Result<Vec<PolicyDocument>> {
    let report = folder::read_folder(path)?;
    for skipped in &report.skipped {
        progress.step(&format!("not served: {skipped}"));
    }
    if report.policies.is_empty() {
        return Err(eyre!(
            "no policy documents in {}: one Graph entity a .json file is expected",
            path.display()
        ));
    }
    progress.step(&format!(
        "{} policy documents from {}",
        report.policies.len(),
        path.display()
    ));
    Ok(report.policies)
}

/// The simulator; with documents of the user's own the weather is fair, so that all are observed.
async fn simulate(fixtures: &[TenantFixture], fair: bool) -> Result<Simulator> {
    let simulator = Simulator::start(SimulatorConfig::serving(fixtures.to_vec())).await?;
    for ((tenant, fixture), seed) in TENANTS.iter().zip(fixtures).zip(1..) {
        let weather = if fair { Weather::Fair } else { tenant.weather };
        simulator.set_faults(fixture.guid, weather.faults(seed))?;
    }
    Ok(simulator)
}

/// The simulated client secrets, one file each, in a folder that only we can read. It has one place,
/// so that a demo that was killed leaves nothing that the next one does not clear.
struct Secrets(PathBuf);

impl Secrets {
    fn write(fixtures: &[TenantFixture]) -> Result<Self> {
        let secrets = Self(state_folder()?.join("demo-secrets"));
        secrets.clear();
        DirBuilder::new()
            .mode(0o700)
            .create(&secrets.0)
            .wrap_err_with(|| format!("no folder {}", secrets.0.display()))?;
        for fixture in fixtures {
            let file = secrets.0.join(database::secret_name(fixture));
            std::fs::write(file, fixture.client_secret.expose_secret())?;
        }
        Ok(secrets)
    }

    fn clear(&self) {
        // Absent at the first start; where it cannot be removed, creating it says so.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Drop for Secrets {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The workers' log: beside the console there is no place for it on the screen.
fn log_file() -> Result<File> {
    File::create(state_folder()?.join("demo-worker.log"))
        .wrap_err("the workers' log cannot be written")
}

fn state_folder() -> Result<PathBuf> {
    let base = etcetera::choose_base_strategy().wrap_err("no home folder")?;
    let folder = base
        .state_dir()
        .unwrap_or_else(|| base.cache_dir())
        .join("opsroom");
    std::fs::create_dir_all(&folder).wrap_err_with(|| format!("no folder {}", folder.display()))?;
    Ok(folder)
}
