//! Believable history in bulk: completed runs of every type, spread over tenants by Zipf's law and
//! over time by the hour of the day. Rows go in by COPY and pass the same guards as everybody's.

mod history;
mod kinds;
mod tenants;

use crate::cli::Seed;
use crate::progress::Progress;
use color_eyre::eyre::{Result, WrapErr as _, eyre};
use history::History;
use opsroom_engine::migrate::{SchemaState, schema_state};
use sqlx::{Connection as _, PgConnection};

/// Rows per COPY: each is a transaction, so an interrupted seed keeps what it loaded.
const CHUNK: u64 = 50_000;
const DEMO_DAYS: u32 = 30;

/// `seed --runs N --tenants M`.
pub(crate) async fn run(args: &Seed) -> Result<()> {
    let mut progress = Progress::new();
    let mut owner = PgConnection::connect(&args.url)
        .await
        .map_err(|error| eyre!(opsroom_engine::EngineError::from(error)))
        .wrap_err("cannot connect with --url")?;
    if schema_state(&mut owner).await? != SchemaState::Current {
        return Err(eyre!(
            "this database is not at the schema of this program; run opsroom-worker migrate"
        ));
    }
    tenants::ensure(&mut owner, args.tenants)
        .await
        .wrap_err("tenants cannot be added: --url needs the owner's login")?;
    progress.step(&format!("{} tenants", args.tenants));
    load(
        &mut owner,
        args.runs,
        args.tenants,
        args.days,
        &mut progress,
    )
    .await?;
    let rate = args.runs as f64 / progress.elapsed().as_secs_f64();
    progress.step(&format!("{} runs loaded, {rate:.0} a second", args.runs));
    Ok(())
}

/// A little history for the tenants of the show.
pub(crate) async fn demo_history(url: &str, runs: u64, progress: &mut Progress) -> Result<()> {
    let mut owner = PgConnection::connect(url).await?;
    load(&mut owner, runs, u64::MAX, DEMO_DAYS, progress).await?;
    progress.step(&format!("{runs} runs of history"));
    Ok(())
}

async fn load(
    owner: &mut PgConnection,
    runs: u64,
    tenants: u64,
    days: u32,
    progress: &mut Progress,
) -> Result<()> {
    let tenants = tenants::list(owner, tenants).await?;
    let people = tenants::people(owner).await?;
    let mut history = History::new(tenants, people, runs, days);
    let mut done = 0;
    while done < runs {
        let rows = history.chunk(CHUNK.min(runs - done));
        done += rows.count;
        let mut copy = owner.copy_in_raw(history::COPY).await?;
        copy.send(rows.text.into_bytes()).await?;
        copy.finish().await?;
        progress.count("history", done, runs);
    }
    sqlx::raw_sql(
        "analyze opsroom.operation_runs, opsroom.run_failures, opsroom.tenants, opsroom.reach",
    )
    .execute(owner)
    .await?;
    Ok(())
}
