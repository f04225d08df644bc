//! The types of operations in the history: how often, how long, how many items, what goes wrong.

/// Who starts a type, mostly.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartedBy {
    People,
    System,
    /// Both, evenly.
    Either,
}

/// Who executes it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Executed {
    /// A worker of ours.
    Here,
    /// Another application.
    Elsewhere,
}

pub(crate) struct Kind {
    pub(crate) run_type: &'static str,
    /// Of a thousand runs.
    pub(crate) share: u32,
    pub(crate) started_by: StartedBy,
    pub(crate) executed: Executed,
    /// The middle duration, in seconds.
    pub(crate) median_s: f64,
    /// How many items the middle run has; 0 counts nothing.
    pub(crate) items: u64,
    pub(crate) wrong: &'static Wrong,
}

/// What goes wrong, by code; one that stands twice comes twice as often.
pub(crate) struct Wrong {
    /// What fails a run.
    pub(crate) run: &'static [&'static str],
    /// What fails an item of a run that goes on.
    pub(crate) item: &'static [&'static str],
}

static GRAPH: Wrong = Wrong {
    run: &[
        "graph.throttled",
        "graph.throttled",
        "graph.unavailable",
        "graph.timeout",
        "graph.unauthorized",
        "worker.lost",
    ],
    item: &[
        "graph.conflict",
        "graph.not_found",
        "graph.forbidden",
        "graph.throttled",
        "graph.bad_request",
    ],
};
const FOREIGN_CODES: &[&str] = &[
    "billing.rate_missing",
    "smtp.rejected",
    "license.seat_limit",
    "report.too_large",
];
static FOREIGN: Wrong = Wrong {
    run: FOREIGN_CODES,
    item: FOREIGN_CODES,
};

pub(crate) const KINDS: &[Kind] = &[
    kind(
        "inventory.sync",
        300,
        StartedBy::Either,
        Executed::Here,
        48.0,
        320,
        &GRAPH,
    ),
    kind(
        "backup_schedule.scheduled",
        220,
        StartedBy::System,
        Executed::Here,
        95.0,
        140,
        &GRAPH,
    ),
    kind(
        "directory_groups.sync",
        110,
        StartedBy::System,
        Executed::Here,
        9.0,
        480,
        &GRAPH,
    ),
    kind(
        "directory_role_definitions.sync",
        60,
        StartedBy::System,
        Executed::Here,
        3.0,
        60,
        &GRAPH,
    ),
    kind(
        "drift.generate",
        120,
        StartedBy::System,
        Executed::Here,
        22.0,
        320,
        &GRAPH,
    ),
    kind(
        "backup_schedule.run_now",
        35,
        StartedBy::People,
        Executed::Here,
        90.0,
        140,
        &GRAPH,
    ),
    kind(
        "backup_schedule.retry",
        15,
        StartedBy::People,
        Executed::Here,
        70.0,
        30,
        &GRAPH,
    ),
    kind(
        "backup_set.add_policies",
        40,
        StartedBy::People,
        Executed::Here,
        12.0,
        18,
        &GRAPH,
    ),
    kind(
        "restore.execute",
        20,
        StartedBy::People,
        Executed::Here,
        38.0,
        25,
        &GRAPH,
    ),
    kind(
        "report.export",
        40,
        StartedBy::People,
        Executed::Elsewhere,
        15.0,
        0,
        &FOREIGN,
    ),
    kind(
        "license.reconcile",
        30,
        StartedBy::System,
        Executed::Elsewhere,
        130.0,
        900,
        &FOREIGN,
    ),
    kind(
        "webhook.replay",
        10,
        StartedBy::Either,
        Executed::Elsewhere,
        1.5,
        40,
        &FOREIGN,
    ),
];

/// The kind at a place from 0 to 999, and its number.
pub(crate) fn at(mut place: u32) -> (usize, &'static Kind) {
    for (index, kind) in KINDS.iter().enumerate() {
        match place.checked_sub(kind.share) {
            Some(rest) => place = rest,
            None => return (index, kind),
        }
    }
    (0, &KINDS[0])
}

const fn kind(
    run_type: &'static str,
    share: u32,
    started_by: StartedBy,
    executed: Executed,
    median_s: f64,
    items: u64,
    wrong: &'static Wrong,
) -> Kind {
    Kind {
        run_type,
        share,
        started_by,
        executed,
        median_s,
        items,
        wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_make_a_thousand_and_types_are_types() {
        assert_eq!(KINDS.iter().map(|kind| kind.share).sum::<u32>(), 1000);
        for kind in KINDS {
            assert!(
                kind.run_type.parse::<opsroom_model::RunType>().is_ok(),
                "{}",
                kind.run_type
            );
        }
    }
}
