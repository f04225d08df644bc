//! History in bulk, and what a person sees while it is loaded.

use crate::cast::LOGINS;
use crate::cli::Seed;
use crate::progress::Progress;
use color_eyre::eyre::{Result, WrapErr as _, eyre};
use opsroom_seed::{Plan, Stage, Way};
use sqlx::{Connection as _, PgConnection};

const DEMO_DAYS: u32 = 30;

/// `seed --runs N --tenants M`.
pub(crate) async fn run(args: &Seed) -> Result<()> {
    let mut progress = Progress::new();
    let mut owner = PgConnection::connect(&args.url)
        .await
        .map_err(|error| eyre!(opsroom_engine::EngineError::from(error)))
        .wrap_err("cannot connect with --url")?;
    let plan = Plan {
        runs: args.runs,
        tenants: args.tenants,
        days: args.days,
        active: args.active.unwrap_or_else(|| (args.runs / 100).min(300)),
        on_call: on_call(),
        way: Way::Fitting,
    };
    load(&mut owner, &plan, &mut progress)
        .await
        .wrap_err("history cannot be loaded; --url needs the owner's login")?;
    let rate = args.runs as f64 / progress.elapsed().as_secs_f64();
    progress.step(&format!("{} runs loaded, {rate:.0} a second", args.runs));
    Ok(())
}

/// A little history for the tenants of the show.
pub(crate) async fn demo_history(
    url: &str,
    runs: u64,
    tenants: u64,
    progress: &mut Progress,
) -> Result<()> {
    let mut owner = PgConnection::connect(url).await?;
    let plan = Plan {
        runs,
        tenants,
        days: DEMO_DAYS,
        active: 0,
        on_call: on_call(),
        way: Way::Chunks,
    };
    load(&mut owner, &plan, progress).await?;
    progress.step(&format!("{runs} runs of history"));
    Ok(())
}

fn on_call() -> Option<String> {
    let login = LOGINS.iter().find(|login| login.key == "oncall");
    login.map(|login| login.role.to_owned())
}

async fn load(owner: &mut PgConnection, plan: &Plan, progress: &mut Progress) -> Result<()> {
    let mut told = |stage: Stage| match stage {
        Stage::Runs { done, of } => progress.count("history", done, of),
        Stage::Building { name, at, of } => {
            progress.step(&format!("building index {at} of {of}: {name}"));
        }
        Stage::Counting { done, of } => progress.count("days counted", done, of),
        Stage::Step(what) => progress.step(what),
    };
    Ok(opsroom_seed::seed(owner, plan, &mut told).await?)
}
