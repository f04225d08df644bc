//! How fast the engine is, as ratios within one run on one machine: `cargo bench -p opsroom-engine
//! --bench throughput`. Words after `--` choose sections. Ends with 1 where a bound is not kept.
//!
//! | section | asks |
//! |---|---|
//! | `lives` | whole lives of no-op runs, against pgbench replaying the same statements |
//! | `start` | `ensure_run` against a transaction that writes the same three rows |
//! | `pickup` | how long after the commit an idle worker begins |
//! | `claim` | whether claiming is as fast with a million queued as with a thousand |
//! | `beat` | whether a heartbeat costs more with runs held |
//! | `memory` | a worker's memory with 1,000 runs in flight |
//! | `idle` | statements of a worker with nothing to do |

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

mod claiming;
mod figures;
mod idling;
mod lives;
mod operation;
mod pickup;
mod starting;

use figures::Figures;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    if let Ok(url) = std::env::var(idling::CHILD) {
        runtime.block_on(idling::work(&url));
        return;
    }
    let chosen: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let wanted = |section: &str| chosen.is_empty() || chosen.iter().any(|word| word == section);
    let mut figures = Figures::default();
    runtime.block_on(async {
        if wanted("start") {
            starting::measure(&mut figures).await;
        }
        if wanted("pickup") {
            pickup::measure(&mut figures).await;
        }
        if wanted("lives") {
            lives::measure(&mut figures).await;
        }
        if wanted("beat") {
            claiming::heartbeat(&mut figures).await;
        }
        if wanted("claim") {
            claiming::measure(&mut figures).await;
        }
        if wanted("memory") {
            idling::memory(&mut figures).await;
        }
        if wanted("idle") {
            idling::statements(&mut figures).await;
        }
    });
    if !figures.all_kept() {
        std::process::exit(1);
    }
}
