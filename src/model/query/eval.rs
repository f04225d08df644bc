//! What a query says of one run. This is the meaning of the language: what the database answers is
//! held against it by a test.
//!
//! Every condition either holds or does not, also where a run has no value to hold it against: a
//! queued run took no time, so that `took:<5m` does not find it and `-took:<5m` does.

use super::{Condition, Is, Query, Sign, Term};
use crate::ids::RunId;
use crate::state::{RunState, Status};
use chrono::{DateTime, TimeDelta, Utc};

/// What has ended is listed for so long, where a query names neither times nor ids. Active runs are
/// listed however old they are.
pub const WINDOW: TimeDelta = TimeDelta::days(30);

/// What a query can ask of a run.
#[derive(Debug, Clone, Copy)]
pub struct RunFacts<'a> {
    /// Its id.
    pub id: RunId,
    /// The tenant's name.
    pub tenant: &'a str,
    /// The name of the tenant's workspace.
    pub workspace: &'a str,
    /// `resource.action`.
    pub run_type: &'a str,
    /// Where it stands.
    pub state: RunState,
    /// Whether the diagnosis says that it does not move.
    pub stuck: bool,
    /// Who started it: a person's name, or `System`.
    pub initiator: &'a str,
    /// Its failure codes.
    pub codes: &'a [&'a str],
    /// The searchable keys of its context that may be seen, with their values.
    pub keys: &'a [(&'a str, &'a str)],
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
}

impl RunFacts<'_> {
    /// How long it ran; of a running run, so far. `None` where it never began.
    #[must_use]
    pub fn took(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let end = match self.state.status() {
            Status::Queued => None,
            Status::Running => Some(now),
            Status::Completed => self.completed_at,
        };
        Some(end? - self.started_at?)
    }
}

impl Query {
    /// True where every term holds. The window is left out of account.
    #[must_use]
    pub fn matches(&self, run: &RunFacts<'_>, now: DateTime<Utc>) -> bool {
        all(&self.terms, run, now)
    }

    /// True where a list shows the run: every term holds, and the run lies in the window or the query
    /// [sets its own](Query::sets_window).
    #[must_use]
    pub fn lists(&self, run: &RunFacts<'_>, now: DateTime<Utc>) -> bool {
        let in_window = || run.state.is_active() || run.created_at >= now - WINDOW;
        (self.sets_window() || in_window()) && self.matches(run, now)
    }
}

fn all(terms: &[Term], run: &RunFacts<'_>, now: DateTime<Utc>) -> bool {
    terms
        .iter()
        .all(|term| term.condition.holds(run, now) == (term.sign == Sign::Plus))
}

impl Condition {
    /// True where the condition holds, whatever sign it has.
    #[must_use]
    pub fn holds(&self, run: &RunFacts<'_>, now: DateTime<Utc>) -> bool {
        match self {
            Self::Tenant(names) => names.iter().any(|name| name.matches(run.tenant)),
            Self::Workspace(names) => names.iter().any(|name| name.matches(run.workspace)),
            Self::Type(types) => types.iter().any(|known| known.matches(run.run_type)),
            Self::Is(words) => words.iter().any(|word| match word {
                Is::In(bucket) => run.state.bucket() == *bucket,
                Is::Stuck => run.stuck,
            }),
            Self::Code(codes) => codes
                .iter()
                .any(|code| run.codes.iter().any(|found| code.matches(found))),
            Self::By(names) => names.iter().any(|name| name.fits_name(run.initiator)),
            Self::Id(ids) => ids.contains(&run.id),
            Self::Since(from) => run.created_at >= from.start(now),
            Self::Until(to) => run.created_at < to.end(now),
            Self::Between(from, to) => {
                run.created_at >= from.start(now) && run.created_at < to.end(now)
            }
            Self::Took(spans) => run
                .took(now)
                .is_some_and(|length| spans.iter().any(|span| span.holds(length))),
            Self::Context { key, values } => run.keys.iter().any(|(known, value)| {
                known == key && values.iter().any(|asked| asked.matches_exactly(value))
            }),
            Self::Text(text) => {
                text.occurs_in(run.run_type)
                    || text.occurs_in(run.tenant)
                    || text.occurs_in(run.initiator)
                    || run.codes.iter().any(|code| text.occurs_in(code))
            }
            Self::Group(alternatives) => alternatives.iter().any(|terms| all(terms, run, now)),
        }
    }
}
