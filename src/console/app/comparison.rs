//! Two runs beside each other: what they counted, how long they took, what failed, and where their
//! contexts differ.

use super::listing::Trouble;
use super::tree::leaf;
use crate::lapse;
use opsroom_model::{Clean, RunId};
use opsroom_read::{FailureLine, RunDetail};
use serde_json::Value;
use std::collections::BTreeMap;

/// Leaves of a context that are compared, and lines of difference shown.
const MAX: (usize, usize) = (5_000, 200);

/// What to compare a run with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum With {
    /// This one.
    Run(RunId),
    /// The last of its tenant and type that succeeded before it.
    LastSuccess,
}

/// Which runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComparisonWant {
    /// The one looked at.
    pub run: RunId,
    /// The other.
    pub with: With,
}

/// The screen of a comparison.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    /// What is compared.
    pub want: Option<ComparisonWant>,
    /// The answer.
    pub shown: Option<Compared>,
    /// Where the two of the answer differ; worked out once, since contexts may be large.
    pub differences: Differences,
    /// The first line shown.
    pub top: usize,
    /// Rises with every comparison that is begun: the former answer was dropped.
    pub generation: u64,
}

/// What is said of two runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// Of their records, the same or not.
    pub records: Vec<Pair>,
    /// Of their contexts, by path.
    pub contexts: Vec<Pair>,
    /// Whether these are all.
    pub whole: bool,
}

impl Differences {
    /// Those of two runs.
    #[must_use]
    pub fn of(this: &RunDetail, other: &RunDetail) -> Self {
        let (contexts, whole) = contexts(this.context.as_ref(), other.context.as_ref());
        Self {
            records: records(this, other),
            contexts,
            whole,
        }
    }
}

/// How a comparison ended.
#[derive(Debug, Clone)]
pub enum Compared {
    /// Both were found.
    Both {
        /// The one looked at.
        this: Box<RunDetail>,
        /// The other.
        other: Box<RunDetail>,
    },
    /// Nothing to compare with.
    NoSuccess,
    /// One of them does not exist for this login.
    NotFound(RunId),
    /// One of them asks for this capability.
    Forbidden(Clean),
    /// They could not be read.
    Failed(Trouble),
}

impl Comparison {
    /// Turns to other runs.
    pub fn begin(&mut self, want: ComparisonWant) {
        *self = Self {
            want: Some(want),
            generation: self.generation + 1,
            ..Self::default()
        };
    }

    /// Takes an error.
    pub(super) fn fail(&mut self, trouble: Trouble) {
        self.shown = Some(Compared::Failed(trouble));
    }

    /// Takes an answer, where it is still of use.
    pub fn take(&mut self, want: ComparisonWant, compared: Compared) {
        if self.want == Some(want) {
            self.differences = match &compared {
                Compared::Both { this, other } => Differences::of(this, other),
                _ => Differences::default(),
            };
            self.shown = Some(compared);
        }
    }
}

/// One line: a name and what each of the two says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Of what.
    pub name: Clean,
    /// What the run looked at says.
    pub this: Clean,
    /// What the other says.
    pub other: Clean,
}

impl Pair {
    /// True where both say the same.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.this == self.other
    }
}

/// What of the two runs' records is worth comparing.
#[must_use]
pub fn records(this: &RunDetail, other: &RunDetail) -> Vec<Pair> {
    let pair = |name: &'static str, of: &dyn Fn(&RunDetail) -> String| Pair {
        name: Clean::new(name),
        this: Clean::new(&of(this)),
        other: Clean::new(&of(other)),
    };
    let number = |n: Option<u64>| n.map(lapse::grouped).unwrap_or_default();
    let mut pairs = vec![
        pair("state", &|run| run.state.bucket().to_string()),
        pair("type", &|run| run.run_type.to_string()),
        pair("tenant", &|run| run.tenant.to_string()),
        pair("by", &|run| run.initiator.to_string()),
        pair("waited", &|run| {
            run.started_at
                .map(|at| lapse::words(at - run.created_at))
                .unwrap_or_default()
        }),
        pair("took", &|run| {
            let span = run.started_at.zip(run.completed_at);
            span.map(|(from, till)| lapse::words(till - from))
                .unwrap_or_default()
        }),
        pair("attempt", &|run| run.attempt.to_string()),
        pair("items", &|run| number(run.counts.total)),
        pair("success", &|run| number(run.counts.success)),
        pair("skipped", &|run| number(run.counts.skipped)),
        pair("failed", &|run| number(run.counts.failed)),
    ];
    pairs.extend(codes(&this.failures, &other.failures));
    pairs.retain(|pair| !(pair.this.is_empty() && pair.other.is_empty()));
    pairs
}

fn codes(this: &[FailureLine], other: &[FailureLine]) -> Vec<Pair> {
    let mut counts: BTreeMap<&Clean, (u64, u64)> = BTreeMap::new();
    for failure in this {
        counts.entry(&failure.code).or_default().0 += failure.count;
    }
    for failure in other {
        counts.entry(&failure.code).or_default().1 += failure.count;
    }
    let times = |n: u64| {
        Clean::new(&if n == 0 {
            "none".to_owned()
        } else {
            format!("{n}×")
        })
    };
    counts
        .into_iter()
        .map(|(code, (this, other))| Pair {
            name: code.clone(),
            this: times(this),
            other: times(other),
        })
        .collect()
}

/// Where the contexts differ, by path; and whether that is all.
#[must_use]
pub fn contexts(this: Option<&Value>, other: Option<&Value>) -> (Vec<Pair>, bool) {
    let mut leaves: BTreeMap<String, (Option<Clean>, Option<Clean>)> = BTreeMap::new();
    let mut whole = true;
    let mut taken = 0;
    flatten(this, "", &mut taken, &mut whole, &mut |path, text| {
        leaves.entry(path).or_default().0 = Some(text);
    });
    taken = 0;
    flatten(other, "", &mut taken, &mut whole, &mut |path, text| {
        leaves.entry(path).or_default().1 = Some(text);
    });
    let mut pairs = Vec::new();
    for (path, (this, other)) in leaves {
        if this == other {
            continue;
        }
        if pairs.len() == MAX.1 {
            whole = false;
            break;
        }
        pairs.push(Pair {
            name: Clean::limited(&path, 120),
            this: this.unwrap_or_default(),
            other: other.unwrap_or_default(),
        });
    }
    (pairs, whole)
}

fn flatten(
    value: Option<&Value>,
    path: &str,
    taken: &mut usize,
    whole: &mut bool,
    keep: &mut impl FnMut(String, Clean),
) {
    let Some(value) = value else {
        return;
    };
    let below = |name: &str| match path {
        "" => name.to_owned(),
        _ => format!("{path}.{name}"),
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, child) in fields {
                flatten(Some(child), &below(name), taken, whole, keep);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, child) in items.iter().enumerate() {
                flatten(Some(child), &below(&at.to_string()), taken, whole, keep);
            }
        }
        _ if *taken >= MAX.0 => *whole = false,
        scalar => {
            *taken += 1;
            keep(path.to_owned(), leaf(scalar));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_differs_is_said() {
        let this = json!({"scope": "full", "ids": [1, 2], "same": {"x": 1}});
        let other = json!({"scope": "policy", "ids": [1], "same": {"x": 1}});
        let (pairs, whole) = contexts(Some(&this), Some(&other));
        let said: Vec<_> = pairs
            .iter()
            .map(|pair| format!("{} {}|{}", pair.name, pair.this, pair.other))
            .collect();
        assert_eq!(said, ["ids.1 2|", "scope full|policy"]);
        assert!(whole);
    }

    #[test]
    fn large_contexts_are_bounded_and_say_so() {
        let large: Value = (0..20_000).collect();
        let (pairs, whole) = contexts(Some(&large), None);
        assert_eq!((pairs.len(), whole), (200, false));
    }
}
