//! What a worker counts, under the names it has everywhere. Through the `metrics` facade: a program that
//! installs no recorder pays nothing. Labels are operation types and outcomes, never tenants or names.

use opsroom_model::Outcome;

/// Claims taken, by type.
pub const CLAIMS: &str = "opsroom_claims_total";
/// Attempts ended, by type and how: an outcome, `retry` or `released`.
pub const ATTEMPTS: &str = "opsroom_attempts_total";
/// Seconds an attempt took, by type.
pub const ATTEMPT_SECONDS: &str = "opsroom_attempt_seconds";
/// Seconds from a run's creation to its first claim, by type.
pub const WAIT_SECONDS: &str = "opsroom_wait_seconds";
/// Claims this worker lost, and whose result it dropped, by type.
pub const LOST_CLAIMS: &str = "opsroom_lost_claims_total";
/// Seconds one look for work took, whether it found any or not.
pub const POLL_SECONDS: &str = "opsroom_poll_seconds";
/// Runs this worker executes now.
pub const RUNNING: &str = "opsroom_running";
/// 1 while the database answers, 0 from the first call that fails.
pub const DATABASE_UP: &str = "opsroom_database_up";
/// How often this worker stopped all its jobs because it could not beat or was declared dead.
pub const FENCED: &str = "opsroom_fenced_total";

/// How attempts end, as [`ATTEMPTS`] is labelled.
const ENDED: [&str; 6] = [
    Outcome::Succeeded.as_str(),
    Outcome::PartiallySucceeded.as_str(),
    Outcome::Failed.as_str(),
    "retry",
    "deferred",
    "released",
];

/// What each is, as [`metrics::describe_counter!`] and its siblings take it. Call it once after
/// installing a recorder.
pub fn describe() {
    use ::metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_counter!(CLAIMS, "Claims taken, by type");
    describe_counter!(ATTEMPTS, "Attempts ended, by type and how");
    describe_histogram!(
        ATTEMPT_SECONDS,
        Unit::Seconds,
        "How long attempts took, by type"
    );
    describe_histogram!(
        WAIT_SECONDS,
        Unit::Seconds,
        "From a run's creation to its first claim, by type"
    );
    describe_counter!(
        LOST_CLAIMS,
        "Claims lost to another worker, results dropped, by type"
    );
    describe_histogram!(POLL_SECONDS, Unit::Seconds, "How long a look for work took");
    describe_gauge!(RUNNING, "Runs this worker executes now");
    describe_gauge!(DATABASE_UP, "1 while the database answers this worker");
    describe_counter!(FENCED, "How often this worker stopped its own jobs");
}

/// Makes every series of a worker that takes `types`, at zero: a rate knows the first event only where
/// there was a zero before it. Idempotent, and lowers nothing. Call it after installing a recorder and
/// before anybody asks.
pub fn begin(types: &[String]) {
    use ::metrics::{counter, gauge, histogram};
    for run_type in types {
        for name in [CLAIMS, LOST_CLAIMS] {
            counter!(name, "type" => run_type.clone()).increment(0);
        }
        for ended in ENDED {
            counter!(ATTEMPTS, "type" => run_type.clone(), "ended" => ended).increment(0);
        }
        for name in [ATTEMPT_SECONDS, WAIT_SECONDS] {
            let _registered = histogram!(name, "type" => run_type.clone());
        }
    }
    counter!(FENCED).increment(0);
    let _registered = histogram!(POLL_SECONDS);
    for name in [RUNNING, DATABASE_UP] {
        gauge!(name).increment(0.0);
    }
}
