//! `opsroom-worker work`: execute until told to stop; the first signal drains, the second leaves.

use crate::cli::{Database, Work};
use crate::failure::{Failure, USAGE};
use crate::monitoring::Monitor;
use crate::{More, database, graph, service};
use opsroom_engine::{Listen, Worker, WorkerOptions};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Statements are short, so jobs share connections: more of them only make the server slower.
const MAX_CONNECTIONS: u32 = 16;

pub(crate) async fn run(database: &Database, args: &Work, more: More) -> Result<(), Failure> {
    let monitor = Monitor::start(&args.monitoring).await?;
    let (pool, hosts) = database::pool(database, (args.slots + 4).min(MAX_CONNECTIONS)).await?;
    let registry = graph::registry(&pool, &args.graph)?;
    let mut registry = more(registry).map_err(|error| Failure::new(error.to_string()))?;
    if !args.types.is_empty() {
        let known = registry.types();
        if let Some(unknown) = args.types.iter().find(|name| !known.contains(name)) {
            return Err(Failure::new(format!("unknown operation type '{unknown}'"))
                .remedy(format!("one of {}", known.join(", ")))
                .code(USAGE));
        }
        registry = registry.only(&args.types);
    } else {
        registry = graph::without_callers(registry, &args.graph)?;
    }
    graph::check_secrets(&registry, &args.graph)?;
    let options = WorkerOptions {
        name: args.name.clone().unwrap_or_else(host_name),
        slots: args.slots,
        lease: args.lease,
        poll: args.poll,
        listen: if args.no_notify {
            Listen::PollOnly
        } else {
            Listen::Notifications
        },
        drain: args.drain_timeout,
    };
    let stop = CancellationToken::new();
    let signals = tokio::spawn(stop_on_signals(stop.clone()));
    let types = registry.types();
    let worker = Worker::new(pool.clone(), registry, options).following(hosts);
    let _served = monitor.map(|monitor| monitor.serve(worker.vitals(), pool, types));
    let telling = tokio::spawn(service::tell(worker.ready(), stop.clone()));
    let worked = worker.work(stop).await;
    telling.abort();
    signals.abort();
    worked?;
    Ok(())
}

async fn stop_on_signals(stop: CancellationToken) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        tracing::error!("signals cannot be caught; only kill -9 stops this worker");
        return;
    };
    for round in 0.. {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if round > 0 {
            tracing::warn!("told twice: leaving at once; the lease gives the runs back");
            std::process::exit(130);
        }
        stop.cancel();
    }
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .or_else(|| std::env::var("HOSTNAME").ok())
        .unwrap_or_else(|| "worker".to_owned())
}
