//! The catalogue of failure codes: what each means, the usual remedy. The messages stored with a
//! failure come from here; `opsroom code CODE` and the console's failure panes read the rest.

/// What is known of one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The stable code.
    pub code: &'static str,
    /// The message stored with a failure, before typed parameters are added.
    pub message: &'static str,
    /// What it means, in a sentence or two.
    pub meaning: &'static str,
    /// What usually helps.
    pub remedy: &'static str,
}

const fn entry_of(
    code: &'static str,
    message: &'static str,
    meaning: &'static str,
    remedy: &'static str,
) -> Entry {
    Entry {
        code,
        message,
        meaning,
        remedy,
    }
}

/// Every code this workspace produces, sorted by code.
pub const ENTRIES: &[Entry] = &[
    entry_of(
        "database.unavailable",
        "The database was not available",
        "The job lost its database while it ran.",
        "Look at the server's log; the run is tried again where its operation allows it.",
    ),
    entry_of(
        "dispatch.failed",
        "The run could not be handed to a worker",
        "The run was recorded, but nobody could be told to execute it.",
        "Start it again once the transport works; nothing was done for the tenant.",
    ),
    entry_of(
        "graph.bad_request",
        "Graph did not understand the request",
        "Microsoft Graph refused the request as malformed.",
        "A defect or an API change: report it with the run's id.",
    ),
    entry_of(
        "graph.conflict",
        "The item was changed by someone else",
        "Graph refused a write because the item changed since it was read.",
        "Run the operation again; it reads the item anew.",
    ),
    entry_of(
        "graph.endpoint_not_allowed",
        "The endpoint is not in the contract registry",
        "An operation asked for a Graph endpoint that is not on the list of allowed ones.",
        "A defect: report it with the run's id.",
    ),
    entry_of(
        "graph.forbidden",
        "Graph refused access to the resource",
        "The application's permissions do not cover the resource.",
        "Grant the permission named in docs/operations.md and consent to it in the tenant.",
    ),
    entry_of(
        "graph.malformed_response",
        "Graph's answer could not be read",
        "The answer was no valid JSON, too large, or not of the shape agreed.",
        "Usually passes; if it stays, report it with the run's id.",
    ),
    entry_of(
        "graph.not_found",
        "The item does not exist any more",
        "An item that was listed was gone when it was read.",
        "Usually harmless: it was deleted in between. Run a sync.",
    ),
    entry_of(
        "graph.throttled",
        "Throttled by Graph",
        "Graph answered 429 more often than the retries cover.",
        "Wait; if it keeps coming, spread the tenant's schedules.",
    ),
    entry_of(
        "graph.timeout",
        "Graph did not answer in time",
        "A request passed its deadline.",
        "Usually passes; look at Graph's service health.",
    ),
    entry_of(
        "graph.token_refused",
        "The sign-in to Graph was refused",
        "The token endpoint refused the client's credentials.",
        "Renew the tenant's client secret.",
    ),
    entry_of(
        "graph.unauthorized",
        "Graph did not accept the token",
        "Graph answered 401 even to a fresh token.",
        "Check the tenant's consent and the application's credentials.",
    ),
    entry_of(
        "graph.unavailable",
        "Graph was not available",
        "Graph answered with a server error more often than the retries cover.",
        "Look at Graph's service health; start the operation again later.",
    ),
    entry_of(
        "graph.unreachable",
        "Graph could not be reached",
        "No connection to Graph came about (DNS, network, TLS).",
        "Check the worker's network and proxy.",
    ),
    entry_of(
        "input.invalid",
        "The run's input does not fit its operation",
        "The stored input could not be read as what the operation takes.",
        "Start it again with a valid input; see opsroom-worker start --help.",
    ),
    entry_of(
        "job.panicked",
        "The job stopped on a defect",
        "The operation's code panicked.",
        "A defect: report it with the run's id; the worker's log has the place.",
    ),
    entry_of(
        "job.stopped",
        "The job stopped without a result",
        "The operation's code gave up as if it had been told to stop, and had not been.",
        "A defect: report it with the run's id.",
    ),
    entry_of(
        "job.timed_out",
        "The job took longer than allowed",
        "The operation passed its time limit and was stopped.",
        "Look at the tenant's size and Graph's latency; raise the limit if it is normal.",
    ),
    entry_of(
        "legacy.interrupted",
        "Interrupted in the former system",
        "The run was still open in a legacy table when it was imported.",
        "None: it is history.",
    ),
    entry_of(
        "restore.not_confirmed",
        "The restore was never confirmed",
        "A previewed restore was discarded or expired.",
        "Preview it again and confirm.",
    ),
    entry_of(
        "schedule.cron_invalid",
        "The schedule's cron expression cannot be read",
        "Somebody wrote an expression that is none, or names no day that ever comes.",
        "Put the schedule again with opsroom-worker schedule add, which checks it.",
    ),
    entry_of(
        "schedule.input_invalid",
        "The schedule's input does not fit its operation",
        "The operation does not take the stored input, or it looks like it carries a secret.",
        "Put the schedule again with an input that the operation takes.",
    ),
    entry_of(
        "schedule.refused",
        "The schedule's run could not be started",
        "The database refused the run, or an active run of another type has its identity.",
        "Look at the worker's log; end the run that is in the way.",
    ),
    entry_of(
        "schedule.type_unknown",
        "No worker takes the schedule's type",
        "A fire time passed, and no worker at work knows the operation.",
        "Run a worker that takes the type, or correct the schedule's type.",
    ),
    entry_of(
        "schedule.zone_unknown",
        "The schedule's time zone is unknown",
        "Its zone is no name of the IANA database that the worker was built with.",
        "Put the schedule again with a zone such as Europe/Berlin.",
    ),
    entry_of(
        "tenant.not_connected",
        "The tenant has no connection to Graph",
        "No credentials are configured for the tenant.",
        "Connect the tenant, then start the operation again.",
    ),
    entry_of(
        "unclassified",
        "Details withheld: they looked like a secret",
        "The text of the failure looked like it carried a secret, so none of it was kept.",
        "The worker's log names the run and the place in the code.",
    ),
    entry_of(
        "worker.lost",
        "The worker died while it held the run",
        "The worker stopped beating, and the run had no attempt left.",
        "Look at the worker's machine (memory, restarts); then start the operation again.",
    ),
];

/// The entry of `code`, where it is one of ours.
#[must_use]
pub fn entry(code: &str) -> Option<&'static Entry> {
    ENTRIES
        .binary_search_by(|entry| entry.code.cmp(code))
        .ok()
        .map(|at| &ENTRIES[at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{FailureCode, Message};

    #[test]
    fn sorted_valid_and_clean() {
        assert!(ENTRIES.windows(2).all(|pair| pair[0].code < pair[1].code));
        for entry in ENTRIES {
            assert!(entry.code.parse::<FailureCode>().is_ok(), "{}", entry.code);
            assert!(
                Message::sanitized(entry.message).is_some(),
                "{}",
                entry.code
            );
            assert!(super::entry(entry.code).is_some());
        }
    }
}
