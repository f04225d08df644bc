//! The binary `opsroom-soak`: all faults with all their rounds; as `opsroom-soak worker …` it is the
//! worker that they break.

mod cli;

use clap::Parser as _;
use cli::Cli;
use color_eyre::eyre::{Result, WrapErr as _};
use opsroom_postgres::Cluster;
use opsroom_soak::faults::restarted::reachable_folder;
use opsroom_soak::site::Ground;
use opsroom_soak::{Extent, Fault, Program, jobs};
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let program = args.next().unwrap_or_default();
    let rest: Vec<_> = args.collect();
    if rest.first().is_some_and(|first| first == "worker") {
        opsroom_soak::process::end_with_our_parent();
        let args = ["opsroom-worker".into()]
            .into_iter()
            .chain(rest.into_iter().skip(1));
        return opsroom_worker::main_with(args, jobs::register);
    }
    let cli = Cli::parse_from([program].into_iter().chain(rest));
    match run(&cli) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("opsroom-soak: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Breaks what was asked for, one after the other; says whether all of it held.
fn run(cli: &Cli) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .wrap_err("no runtime")?;
    let program = Program(std::env::current_exe().wrap_err("where this program is")?);
    let extent = if cli.brief {
        Extent::Brief
    } else {
        Extent::Full
    };
    let faults = if cli.faults.is_empty() {
        Fault::ALL
    } else {
        &cli.faults
    };
    let root = reachable_folder()?;
    let cluster = Cluster::named("ground")
        .data_root(root.path())
        .max_connections(400);
    let ground = Ground::Own(cluster.start()?);
    let mut held = true;
    for fault in faults {
        let begun = Instant::now();
        let verdict = runtime.block_on(fault.cause(&program, extent, &ground));
        let took = begun.elapsed().as_secs_f64();
        let (word, text) = match verdict {
            Ok(verdict) if verdict.passes() => ("pass", verdict.to_string()),
            Ok(verdict) => ("FAIL", verdict.to_string()),
            Err(error) => ("FAIL", format!("{error:#}")),
        };
        held &= word == "pass";
        println!("{word}  {:<14} {took:>6.1} s  {text}", fault.name());
    }
    Ok(held)
}
