//! What becomes of fire times that are due: the policy for those that were missed. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use std::fmt;

/// A fire time decided later than this was missed: nobody was there to honour it. Shorter delays are a
/// restart or a deployment.
pub const GRACE: TimeDelta = TimeDelta::seconds(60);

/// Fire times looked at in one turn: more than any limit, so that each turn gets on.
pub(super) const PAGE: usize = 2048;
/// Runs started in one turn, which is one transaction.
const STARTS: usize = 50;

/// What happens to fire times that were missed, because no worker was there. Fire times during a pause
/// are never made up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// Nothing.
    Skip,
    /// One run for all of them, at the newest; none where a fire time on time follows at once.
    FireOnce,
    /// A run for each of the newest `limit`, oldest first.
    FireAll {
        /// 1 to 1000.
        limit: u16,
    },
}

impl Missed {
    /// As the database stores it: the policy, and its limit.
    #[must_use]
    pub const fn stored(self) -> (&'static str, i32) {
        match self {
            Self::Skip => ("skip", Self::DEFAULT_LIMIT as i32),
            Self::FireOnce => ("fire_once", Self::DEFAULT_LIMIT as i32),
            Self::FireAll { limit } => ("fire_all", limit as i32),
        }
    }

    /// The limit where none is given.
    pub const DEFAULT_LIMIT: u16 = 24;

    pub(super) fn of_stored(policy: &str, limit: i32) -> Self {
        match policy {
            "skip" => Self::Skip,
            "fire_all" => Self::FireAll {
                limit: u16::try_from(limit).unwrap_or(Self::DEFAULT_LIMIT),
            },
            _ => Self::FireOnce,
        }
    }

    fn keeps(self) -> usize {
        match self {
            Self::Skip => 0,
            Self::FireOnce => 1,
            Self::FireAll { limit } => limit.into(),
        }
    }
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skip => f.pad("skip"),
            Self::FireOnce => f.pad("once"),
            Self::FireAll { limit } => f.pad(&format!("all (up to {limit})")),
        }
    }
}

/// What one turn does to a schedule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Decision {
    /// Each gets a run.
    pub(super) fire: Vec<DateTime<Utc>>,
    /// None of these does.
    pub(super) skip: Vec<DateTime<Utc>>,
    /// The first one this turn leaves undecided.
    pub(super) rest: Option<DateTime<Utc>>,
}

/// How much of what is due is in view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// All of it.
    Whole,
    /// The oldest part.
    Oldest,
}

/// Decides `due`, fire times up to `now` in their order.
pub(super) fn decide(
    due: &[DateTime<Utc>],
    view: View,
    now: DateTime<Utc>,
    policy: Missed,
) -> Decision {
    let (late, on_time) = due.split_at(due.partition_point(|at| now - *at > GRACE));
    let keeps = match policy {
        Missed::FireOnce if view == View::Whole && !on_time.is_empty() => 0,
        policy => policy.keeps(),
    };
    let (skip, kept) = late.split_at(late.len().saturating_sub(keeps));
    let mut fire = [kept, on_time].concat();
    let rest = match view {
        // What is kept may yet be too old: the part that is not in view decides.
        View::Oldest => fire.drain(..).next(),
        View::Whole => fire.get(STARTS).copied(),
    };
    fire.truncate(STARTS);
    Decision {
        fire,
        skip: skip.to_vec(),
        rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(minute * 60, 0).unwrap()
    }

    fn minutes(minutes: impl IntoIterator<Item = i64>) -> Vec<DateTime<Utc>> {
        minutes.into_iter().map(minute).collect()
    }

    /// Hours 1 to 5 were missed, it is half past five.
    fn after_downtime(policy: Missed) -> Decision {
        let due = minutes([60, 120, 180, 240, 300]);
        decide(&due, View::Whole, minute(330), policy)
    }

    #[test]
    fn skipping_leaves_the_past_alone() {
        let decision = after_downtime(Missed::Skip);
        assert!(decision.fire.is_empty());
        assert_eq!(decision.skip.len(), 5);
        assert_eq!(decision.rest, None);
    }

    #[test]
    fn once_stands_for_all_at_the_newest() {
        let decision = after_downtime(Missed::FireOnce);
        assert_eq!(decision.fire, minutes([300]));
        assert_eq!(decision.skip, minutes([60, 120, 180, 240]));
    }

    #[test]
    fn once_is_not_needed_where_one_is_on_time() {
        let due = minutes([60, 120, 180]);
        let decision = decide(&due, View::Whole, minute(181), Missed::FireOnce);
        assert_eq!(decision.fire, minutes([180]));
        assert_eq!(decision.skip, minutes([60, 120]));
    }

    #[test]
    fn all_means_the_newest_up_to_the_limit() {
        let decision = after_downtime(Missed::FireAll { limit: 3 });
        assert_eq!(decision.fire, minutes([180, 240, 300]));
        assert_eq!(decision.skip, minutes([60, 120]));
    }

    #[test]
    fn a_restart_misses_nothing() {
        let due = minutes([60]);
        for policy in [Missed::Skip, Missed::FireOnce, Missed::FireAll { limit: 1 }] {
            let decision = decide(&due, View::Whole, minute(61), policy);
            assert_eq!(decision.fire, due);
        }
    }

    #[test]
    fn a_long_backlog_is_worked_off_turn_by_turn() {
        let limit = 130;
        let (mut due, mut fired, mut skipped) = (minutes(0..10_000), Vec::new(), 0);
        for turn in 0.. {
            assert!(turn < 12, "it does not get on");
            let view = if due.len() > PAGE {
                View::Oldest
            } else {
                View::Whole
            };
            let page = &due[..due.len().min(PAGE)];
            let decision = decide(page, view, minute(20_000), Missed::FireAll { limit });
            assert!(decision.fire.len() <= STARTS);
            fired.extend(decision.fire);
            skipped += decision.skip.len();
            match (decision.rest, view) {
                (Some(rest), _) => due.retain(|at| *at >= rest),
                (None, View::Oldest) => drop(due.drain(..PAGE)),
                (None, View::Whole) => break,
            }
        }
        assert_eq!(fired, minutes(9870..10_000));
        assert_eq!(skipped, 9870);
    }
}
