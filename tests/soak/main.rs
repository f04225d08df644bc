//! Every fault, with a few rounds each: what `cargo soak` does with all of them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod pools;

use opsroom_soak::site::Ground;
use opsroom_soak::{Extent, Fault, Program};

async fn holds(fault: Fault) {
    let program = Program(env!("CARGO_BIN_EXE_opsroom-soak").into());
    let verdict = fault
        .cause(&program, Extent::Brief, &Ground::Tests)
        .await
        .unwrap();
    assert!(verdict.passes(), "{verdict}");
    println!("{verdict}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_of_killed_workers_are_taken_over_and_end_once() {
    holds(Fault::Kill).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_of_a_worker_that_was_stopped_beyond_its_lease_are_refused() {
    holds(Fault::Pause).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_told_to_stop_under_load_leaves_nothing_claimed() {
    holds(Fault::Terminate).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_and_comes_back_costs_nothing_confirmed() {
    holds(Fault::Restart).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_standby_is_found_and_nothing_confirmed_is_lost() {
    holds(Fault::Failover).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_network_stops_jobs_in_time_and_is_recovered_from() {
    holds(Fault::Network).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_race_for_one_run_share_it() {
    holds(Fault::Dedupe).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deadlocks_and_serialization_failures_are_not_seen() {
    holds(Fault::Inject).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_that_crash_panic_or_record_a_lot_do_as_specified() {
    holds(Fault::Rough).await;
}
