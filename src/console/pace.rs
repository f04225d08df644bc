//! How often to ask, as it follows from what answers cost: a console takes at most a tenth of one
//! connection's time, and asks a slow server less, until that has recovered.

use std::time::Duration;

/// The longest interval a slow server leads to.
pub const SLOWEST: Duration = Duration::from_secs(20);
/// An interval is at least so many times as long as an answer takes.
const SHARE: u32 = 10;

/// What answers of one kind cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    last: Duration,
    before: Duration,
}

impl Cost {
    /// Takes in how long an answer took.
    pub fn note(&mut self, took: Duration) {
        self.before = self.last;
        self.last = took;
    }

    /// The quicker of the last two: one slow answer says nothing of the next, and one quick one is
    /// enough to recover.
    #[must_use]
    pub fn lasting(self) -> Duration {
        self.last.min(self.before)
    }
}

/// The interval where `usual` is wanted and an answer takes `took`: whole seconds where it is
/// stretched, and at most [`SLOWEST`] then.
#[must_use]
pub fn interval(usual: Duration, took: Duration) -> Duration {
    let least = took.saturating_mul(SHARE);
    if least <= usual {
        return usual;
    }
    let whole = Duration::from_secs(least.as_secs() + u64::from(least.subsec_nanos() > 0));
    whole.min(SLOWEST).max(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_never_takes_more_than_a_tenth_of_the_interval_up_to_the_longest() {
        for usual in [1, 2, 5, 10, 25].map(Duration::from_secs) {
            let mut former = Duration::ZERO;
            for ms in (0..60_000).step_by(7) {
                let took = Duration::from_millis(ms);
                let interval = interval(usual, took);
                assert!(interval >= usual && interval <= usual.max(SLOWEST));
                assert!(
                    interval >= took * SHARE || interval >= SLOWEST,
                    "{ms} ms: {interval:?}"
                );
                assert!(interval >= former, "never shorter for a slower answer");
                former = interval;
            }
        }
    }

    #[test]
    fn two_slow_answers_stretch_and_one_quick_one_recovers() {
        let (slow, quick) = (Duration::from_millis(730), Duration::from_millis(3));
        let usual = Duration::from_secs(2);
        let mut cost = Cost::default();
        for (took, seconds) in [(quick, 2), (slow, 2), (slow, 8), (quick, 2), (slow, 2)] {
            cost.note(took);
            assert_eq!(
                interval(usual, cost.lasting()),
                Duration::from_secs(seconds)
            );
        }
    }
}
