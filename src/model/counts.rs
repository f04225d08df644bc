//! Summary counts of a run, and the outcome that follows from them.

use crate::state::Outcome;
use serde::{Deserialize, Serialize};

/// What a run counted so far, in items. Every field may be unknown: other applications write what
/// they know, and `processed` is usual beside `success`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Items there are to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Items looked at, whatever came of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processed: Option<u64>,
    /// Items that went well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success: Option<u64>,
    /// Items that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<u64>,
    /// Items that needed nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<u64>,
}

impl Counts {
    /// Counts of a run that knows its total and has done nothing yet.
    #[must_use]
    pub fn of_total(total: u64) -> Self {
        Self {
            total: Some(total),
            success: Some(0),
            failed: Some(0),
            skipped: Some(0),
            processed: None,
        }
    }

    /// Reads stored JSON leniently: unknown keys, negative or fractional numbers and other shapes
    /// count as unknown, since another application may have written them.
    #[must_use]
    pub fn from_json(value: &serde_json::Value) -> Self {
        let field = |name: &str| value.get(name).and_then(serde_json::Value::as_u64);
        Self {
            total: field("total"),
            processed: field("processed"),
            success: field("success"),
            failed: field("failed"),
            skipped: field("skipped"),
        }
    }

    /// Items that are behind the run: success + failed + skipped, or `processed` where that is more.
    #[must_use]
    pub fn done(&self) -> u64 {
        let parts = [self.success, self.failed, self.skipped]
            .into_iter()
            .flatten()
            .fold(0, u64::saturating_add);
        parts.max(self.processed.unwrap_or(0))
    }

    /// True where nothing was counted at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The outcome of a run that came to its end with these counts.
    ///
    /// Nothing failed: succeeded, also with nothing to do. Successes and failures: partially
    /// succeeded. Failures alone: failed. Skipped items are neither.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match (self.success.unwrap_or(0), self.failed.unwrap_or(0)) {
            (_, 0) => Outcome::Succeeded,
            (0, _) => Outcome::Failed,
            _ => Outcome::PartiallySucceeded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn outcome_follows_the_rules_of_the_record() {
        let outcome = |success, failed| {
            Counts {
                success: Some(success),
                failed: Some(failed),
                ..Counts::default()
            }
            .outcome()
        };
        assert_eq!(outcome(0, 0), Outcome::Succeeded);
        assert_eq!(outcome(3, 0), Outcome::Succeeded);
        assert_eq!(outcome(3, 1), Outcome::PartiallySucceeded);
        assert_eq!(outcome(0, 1), Outcome::Failed);
    }

    #[test]
    fn foreign_shapes_are_unknown_not_errors() {
        let counts = Counts::from_json(
            &json!({"total": 10, "success": "8", "failed": -1, "skipped": 1.5, "x": 1}),
        );
        assert_eq!(
            counts,
            Counts {
                total: Some(10),
                ..Counts::default()
            }
        );
        assert!(Counts::from_json(&json!([])).is_empty());
    }

    #[test]
    fn done_never_overflows() {
        let counts = Counts {
            success: Some(u64::MAX),
            failed: Some(1),
            ..Counts::default()
        };
        assert_eq!(counts.done(), u64::MAX);
    }
}
