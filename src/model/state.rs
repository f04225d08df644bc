//! The state of a run, and the one place that maps it to words. Colours and glyphs hang off
//! [`Bucket`] in the console's theme; nothing else invents its own badge.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A stored word that this program does not know.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown {what} '{word}'")]
pub struct UnknownWord {
    what: &'static str,
    word: String,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident($what:literal) { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every value, in the order people read them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word as stored and as typed.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word).ok_or_else(|| UnknownWord {
                    what: $what,
                    word: word.chars().take(40).collect(),
                })
            }
        }
    };
}

words! {
    /// Where a run stands. Moves only forward: queued, running, completed.
    Status("status") {
        /// Recorded, not begun.
        Queued = "queued",
        /// Begun; also while it waits for its next attempt.
        Running = "running",
        /// Ended. Immutable from here on.
        Completed = "completed",
    }
}

words! {
    /// How a run ended. [`Outcome::Pending`] exactly while it has not.
    Outcome("outcome") {
        /// Not ended yet.
        Pending = "pending",
        /// Nothing failed, also when there was nothing to do.
        Succeeded = "succeeded",
        /// At least one success and at least one failure.
        PartiallySucceeded = "partially_succeeded",
        /// Something failed and nothing succeeded, or the run could not proceed.
        Failed = "failed",
        /// Reserved: read and shown, never produced yet.
        Cancelled = "cancelled",
    }
}

words! {
    /// What a person filters by: the one word for the pair of status and outcome.
    Bucket("state") {
        /// Waiting to begin.
        Queued = "queued",
        /// Under way.
        Running = "running",
        /// Ended well.
        Succeeded = "succeeded",
        /// Ended with successes and failures.
        Partial = "partial",
        /// Ended badly.
        Failed = "failed",
        /// Ended by cancellation (reserved).
        Cancelled = "cancelled",
    }
}

impl Outcome {
    /// The label of a detail view.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Succeeded => "Succeeded",
            Self::PartiallySucceeded => "Partially succeeded",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }
}

/// A legal pair of status and outcome; the illegal pairs cannot be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunState {
    status: Status,
    outcome: Outcome,
}

/// A pair of status and outcome that no run can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a run cannot be {status} with outcome {outcome}")]
pub struct ImpossibleState {
    status: Status,
    outcome: Outcome,
}

impl RunState {
    /// Pairs the two stored words.
    ///
    /// # Errors
    /// [`ImpossibleState`] unless the outcome is pending exactly while the run is active.
    pub fn new(status: Status, outcome: Outcome) -> Result<Self, ImpossibleState> {
        if (status == Status::Completed) == (outcome == Outcome::Pending) {
            return Err(ImpossibleState { status, outcome });
        }
        Ok(Self { status, outcome })
    }

    /// The status alone.
    #[must_use]
    pub const fn status(self) -> Status {
        self.status
    }

    /// The outcome alone.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        self.outcome
    }

    /// Queued or running.
    #[must_use]
    pub fn is_active(self) -> bool {
        self.status != Status::Completed
    }

    /// The bucket a list shows, in lower case.
    #[must_use]
    pub const fn bucket(self) -> Bucket {
        match (self.status, self.outcome) {
            (Status::Queued, _) => Bucket::Queued,
            (Status::Running, _) => Bucket::Running,
            (Status::Completed, Outcome::PartiallySucceeded) => Bucket::Partial,
            (Status::Completed, Outcome::Failed) => Bucket::Failed,
            (Status::Completed, Outcome::Cancelled) => Bucket::Cancelled,
            (Status::Completed, Outcome::Succeeded | Outcome::Pending) => Bucket::Succeeded,
        }
    }
}

impl Bucket {
    /// The stored pair that this bucket stands for.
    #[must_use]
    pub const fn state(self) -> RunState {
        let (status, outcome) = match self {
            Self::Queued => (Status::Queued, Outcome::Pending),
            Self::Running => (Status::Running, Outcome::Pending),
            Self::Succeeded => (Status::Completed, Outcome::Succeeded),
            Self::Partial => (Status::Completed, Outcome::PartiallySucceeded),
            Self::Failed => (Status::Completed, Outcome::Failed),
            Self::Cancelled => (Status::Completed, Outcome::Cancelled),
        };
        RunState { status, outcome }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pending_exactly_while_active() {
        for &status in Status::ALL {
            for &outcome in Outcome::ALL {
                let legal = (status != Status::Completed) == (outcome == Outcome::Pending);
                assert_eq!(
                    RunState::new(status, outcome).is_ok(),
                    legal,
                    "{status}/{outcome}"
                );
            }
        }
    }

    #[test]
    fn every_bucket_names_the_state_it_came_from() {
        for &bucket in Bucket::ALL {
            assert_eq!(bucket.state().bucket(), bucket);
            assert_eq!(bucket.as_str().parse::<Bucket>(), Ok(bucket));
        }
    }
}
