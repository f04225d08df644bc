//! Failures: a stable code, a short sanitized message, a count. A [`FailureKind`] is what code in
//! the engine and in operations raises; the message follows from the kind, never from the text of
//! the error behind it.

use crate::catalogue;
use crate::sanitize;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A stable failure code such as `graph.throttled`: `^[a-z0-9_.]{1,64}$`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FailureCode(String);

/// A text that cannot be a failure code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{0}' is not a failure code: up to 64 of a-z, 0-9, '_' and '.', as in graph.throttled")]
pub struct InvalidFailureCode(String);

impl FailureCode {
    /// The code of everything that must not be told apart: see [`crate::sanitize`].
    #[must_use]
    pub fn unclassified() -> Self {
        Self("unclassified".to_owned())
    }

    /// The text as stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FailureCode {
    type Err = InvalidFailureCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.');
        if (1..=64).contains(&text.len()) && text.chars().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidFailureCode(text.chars().take(64).collect()))
        }
    }
}

impl TryFrom<String> for FailureCode {
    type Error = InvalidFailureCode;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<FailureCode> for String {
    fn from(code: FailureCode) -> Self {
        code.0
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A stored message: one line, at most [`Message::MAX`] characters, nothing sensitive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Message(String);

impl Message {
    /// The longest message, in characters. The database checks it, too.
    pub const MAX: usize = 200;

    /// Passes free text through the sanitizer; `None` where it is sensitive.
    #[must_use]
    pub fn sanitized(text: &str) -> Option<Self> {
        sanitize::line(text, Self::MAX).map(Self)
    }

    /// The text as stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What went wrong, in terms that are safe to store and show. The parameters are typed, so that no
/// payload can ride along.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureKind {
    /// Nobody could be told to execute the run.
    DispatchFailed,
    /// The worker that held the run died, and no attempt is left.
    WorkerLost,
    /// The job panicked.
    JobPanicked,
    /// The job stopped by itself, without result and without having been told to.
    JobStopped,
    /// The job ran longer than its operation allows, in seconds.
    JobTimedOut {
        /// The limit that was passed.
        limit_s: u64,
    },
    /// The run's stored input does not fit its operation.
    InputInvalid,
    /// The database was not to be reached, or refused, while the job ran.
    DatabaseUnavailable,
    /// The tenant has no connection to Microsoft Graph.
    TenantNotConnected,
    /// A code of Graph's family, with the HTTP status where there was one.
    Graph {
        /// One of the `graph.*` codes of the catalogue.
        code: &'static str,
        /// The answer's status.
        status: Option<u16>,
    },
    /// A code of an application's own, with the message of its own catalogue.
    Other {
        /// The stable code.
        code: FailureCode,
        /// Passed through the sanitizer; withheld where that hits.
        message: String,
    },
}

impl FailureKind {
    /// A failure of an application's own. `code` is 1 to 64 of `[a-z0-9_.]`; one that is not becomes
    /// `unclassified`.
    #[must_use]
    pub fn other(code: &str, message: &str) -> Self {
        Self::Other {
            code: code.parse().unwrap_or_else(|_| FailureCode::unclassified()),
            message: message.to_owned(),
        }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> FailureCode {
        let text = match self {
            Self::DispatchFailed => "dispatch.failed",
            Self::WorkerLost => "worker.lost",
            Self::JobPanicked => "job.panicked",
            Self::JobStopped => "job.stopped",
            Self::JobTimedOut { .. } => "job.timed_out",
            Self::InputInvalid => "input.invalid",
            Self::DatabaseUnavailable => "database.unavailable",
            Self::TenantNotConnected => "tenant.not_connected",
            Self::Graph { code, .. } => code,
            Self::Other { code, .. } => return code.clone(),
        };
        text.parse().unwrap_or_else(|_| FailureCode::unclassified())
    }

    /// True where the same may go well the next time: the remote side or the database was away, or time
    /// ran out. Codes of an application's own never do; it says so itself.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::JobTimedOut { .. } | Self::DatabaseUnavailable | Self::WorkerLost => true,
            Self::Graph { code, .. } => matches!(
                *code,
                "graph.throttled" | "graph.unavailable" | "graph.timeout" | "graph.unreachable"
            ),
            Self::DispatchFailed
            | Self::JobPanicked
            | Self::JobStopped
            | Self::InputInvalid
            | Self::TenantNotConnected
            | Self::Other { .. } => false,
        }
    }

    /// The failure to store, counted once.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let code = self.code();
        let template = catalogue::entry(code.as_str()).map_or("", |entry| entry.message);
        let text = match self {
            Self::JobTimedOut { limit_s } => format!("{template} ({limit_s} s)"),
            Self::Graph {
                status: Some(status),
                ..
            } => format!("{template} (HTTP {status})"),
            Self::Other { message, .. } => message.clone(),
            _ => template.to_owned(),
        };
        match Message::sanitized(&text) {
            Some(message) => Failure {
                code,
                message,
                count: 1,
            },
            None => Failure::unclassified(),
        }
    }
}

/// One line of a run's `failure_summary`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What kind of failure.
    pub code: FailureCode,
    /// What a person reads.
    pub message: Message,
    /// How many items, or how often; at least 1.
    pub count: u64,
}

impl Failure {
    /// What is left of a failure whose text was withheld.
    #[must_use]
    pub fn unclassified() -> Self {
        let message = catalogue::entry("unclassified").map_or("", |entry| entry.message);
        Self {
            code: FailureCode::unclassified(),
            message: Message(message.to_owned()),
            count: 1,
        }
    }

    /// Merges failures of one code into one line each, most frequent first, at most `max` lines. The
    /// first message of a code stands for all of them.
    #[must_use]
    pub fn merge(failures: impl IntoIterator<Item = Self>, max: usize) -> Vec<Self> {
        let mut merged: Vec<Self> = Vec::new();
        for failure in failures {
            match merged.iter_mut().find(|known| known.code == failure.code) {
                Some(known) => known.count = known.count.saturating_add(failure.count),
                None => merged.push(failure),
            }
        }
        merged.sort_by_key(|failure| std::cmp::Reverse(failure.count));
        merged.truncate(max);
        merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_a_message_leaves_nothing_of_it() {
        let kind = FailureKind::Other {
            code: "app.broken".parse().unwrap(),
            message: "Bearer abcdef012345".into(),
        };
        let failure = kind.failure();
        assert_eq!(failure.code, FailureCode::unclassified());
        assert!(!failure.message.as_str().contains("abcdef"));
    }

    #[test]
    fn messages_come_from_the_catalogue_with_typed_parameters() {
        let failure = FailureKind::Graph {
            code: "graph.throttled",
            status: Some(429),
        }
        .failure();
        assert_eq!(failure.code.as_str(), "graph.throttled");
        assert!(
            failure.message.as_str().ends_with("(HTTP 429)"),
            "{}",
            failure.message
        );
    }

    #[test]
    fn merging_counts_by_code_most_frequent_first() {
        let of = |code: &'static str| FailureKind::Graph { code, status: None }.failure();
        let merged = Failure::merge(
            [
                of("graph.forbidden"),
                of("graph.throttled"),
                of("graph.throttled"),
            ],
            10,
        );
        let lines: Vec<_> = merged.iter().map(|f| (f.code.as_str(), f.count)).collect();
        assert_eq!(lines, [("graph.throttled", 2), ("graph.forbidden", 1)]);
    }
}
