//! What the runs before one say of it: whether it took longer than usual, since when it fails, how it
//! differs from the last that succeeded. Pure, and silent where too few runs would have to speak.

use super::comparison::{Pair, contexts};
use chrono::{DateTime, TimeDelta, Utc};
use opsroom_model::{Bucket, Clean, RunId, TenantId};
use opsroom_read::{CodeGroup, History, PastRun};
use serde_json::Value;

/// Runs that make a habit: with fewer, nothing is called usual, and nothing the first.
pub const MIN_SAMPLE: usize = 5;
/// Runs of each kind that are asked for.
pub const ASKED: u32 = 40;

/// Whose history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryWant {
    /// The run.
    pub id: RunId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its type.
    pub run_type: Clean,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// Whether it has ended: then there is more to say, once.
    pub ended: bool,
    /// Whether it carries failures.
    pub failed: bool,
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HistoryAnswer {
    /// The runs before.
    pub history: History,
    /// The last that succeeded, as far as the login may read it.
    pub success: Option<Success>,
    /// Every code of the last 24 hours; empty where the run has none, or the counting is behind.
    pub codes: Vec<CodeGroup>,
}

/// A run that succeeded.
#[derive(Debug, Clone, PartialEq)]
pub struct Success {
    /// The run.
    pub id: RunId,
    /// Its context.
    pub context: Option<Value>,
}

/// What is known of the runs before one.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Whose history it is.
    pub id: RunId,
    /// The runs before.
    pub history: History,
    /// The last success, and where it differs in what it was asked to do.
    pub success: Option<(RunId, Vec<Pair>)>,
    /// The codes of the last 24 hours.
    pub codes: Vec<CodeGroup>,
}

impl Known {
    /// Of `answer`, for a run of this `context`.
    #[must_use]
    pub fn of(id: RunId, answer: HistoryAnswer, context: Option<&Value>) -> Self {
        let success = answer.success.map(|success| {
            let other = success.context.as_ref();
            // What a run was asked to do stands under `input`, where its operation has one.
            let inputs = context
                .and_then(|value| value.get("input"))
                .zip(other.and_then(|value| value.get("input")));
            let (pairs, _) = match inputs {
                Some((this, other)) => contexts(Some(this), Some(other)),
                None => contexts(context, other),
            };
            (success.id, pairs)
        });
        Self {
            id,
            history: answer.history,
            success,
            codes: answer.codes,
        }
    }
}

/// How long such runs take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usual {
    /// Half of them took no longer.
    pub median: TimeDelta,
    /// How many there were.
    pub samples: usize,
}

/// Runs before the one that was recorded at `at`, newest first.
pub fn before(runs: &[PastRun], id: RunId, at: DateTime<Utc>) -> impl Iterator<Item = &PastRun> {
    runs.iter()
        .filter(move |run| run.id != id && run.created_at.is_none_or(|created| created <= at))
}

/// How long a run took, where it is known.
#[must_use]
pub fn took(run: &PastRun) -> Option<TimeDelta> {
    Some(run.completed_at? - run.started_at?)
}

/// The usual duration of what ended well, wholly or in part; `None` below [`MIN_SAMPLE`] of them.
#[must_use]
pub fn usual<'r>(runs: impl Iterator<Item = &'r PastRun>) -> Option<Usual> {
    let well = |run: &&PastRun| matches!(run.state.bucket(), Bucket::Succeeded | Bucket::Partial);
    let mut times: Vec<_> = runs.filter(well).filter_map(took).collect();
    times.sort_unstable();
    let samples = times.len();
    (samples >= MIN_SAMPLE).then(|| Usual {
        median: times[(samples - 1) / 2],
        samples,
    })
}

/// How often the usual `took` is; `None` where the usual is too short for that to mean anything.
#[must_use]
pub fn times(took: TimeDelta, usual: Usual) -> Option<f64> {
    let (took, usual) = (took.num_milliseconds(), usual.median.num_milliseconds());
    (usual >= 100 && took >= 0).then(|| took as f64 / usual as f64)
}

/// What a failure is, seen from the runs before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    /// At least [`MIN_SAMPLE`] before it went well, back to the failure of then.
    FirstSince(DateTime<Utc>),
    /// None of so many before it failed.
    FirstOf(usize),
    /// So many in a row, this one among them, since then.
    InARow(usize, DateTime<Utc>),
}

/// What the failure of a run is, by the runs before it, newest first; cancelled ones and those under
/// way say nothing. `None` where there is nothing sure to say.
#[must_use]
pub fn failing<'r>(runs: impl Iterator<Item = &'r PastRun>) -> Option<Failing> {
    let ended = runs.filter(|run| {
        let bucket = run.state.bucket();
        !run.state.is_active() && bucket != Bucket::Cancelled
    });
    let is_bad = |run: &PastRun| matches!(run.state.bucket(), Bucket::Failed | Bucket::Partial);
    let ended: Vec<_> = ended.collect();
    let bad_before = ended.iter().take_while(|run| is_bad(run)).count();
    if bad_before > 0 {
        let since = ended[bad_before - 1].created_at?;
        return Some(Failing::InARow(bad_before + 1, since));
    }
    match ended.iter().position(|run| is_bad(run)) {
        Some(good) if good >= MIN_SAMPLE => ended[good].created_at.map(Failing::FirstSince),
        None if ended.len() >= MIN_SAMPLE => Some(Failing::FirstOf(ended.len())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    /// Runs by their letters, newest first, the newest at minute 100; each took ten seconds.
    fn runs(letters: &str) -> Vec<PastRun> {
        let of = |letter| match letter {
            's' => Bucket::Succeeded,
            'p' => Bucket::Partial,
            'f' => Bucket::Failed,
            'c' => Bucket::Cancelled,
            _ => Bucket::Running,
        };
        let run = |(n, letter): (i64, char)| PastRun {
            id: RunId(100 - n),
            state: of(letter).state(),
            created_at: Some(at(100 - n)),
            started_at: Some(at(100 - n)),
            completed_at: (letter != 'r').then(|| at(100 - n) + TimeDelta::seconds(10)),
        };
        (0..).zip(letters.chars()).map(run).collect()
    }

    #[test]
    fn usual_needs_a_sample_and_leaves_failures_out() {
        assert_eq!(usual(runs("ssssff").iter()), None);
        let usual_of = usual(runs("sspssfrc").iter()).unwrap();
        assert_eq!(
            (usual_of.samples, usual_of.median),
            (5, TimeDelta::seconds(10))
        );
        assert_eq!(times(TimeDelta::seconds(25), usual_of), Some(2.5));
        let instant = Usual {
            median: TimeDelta::milliseconds(4),
            samples: 9,
        };
        assert_eq!(times(TimeDelta::seconds(1), instant), None);
    }

    #[test]
    fn a_failure_is_the_first_or_one_of_a_row_or_nothing_is_said() {
        let of = |letters: &str| failing(runs(letters).iter());
        assert_eq!(of("sssssf"), Some(Failing::FirstSince(at(95))));
        assert_eq!(of("sssscrs"), Some(Failing::FirstOf(5)));
        assert_eq!(of("ffps"), Some(Failing::InARow(4, at(98))));
        assert_eq!(of("ssssf"), None, "too few went well between");
        assert_eq!(of("ssss"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn what_came_later_says_nothing_of_a_run() {
        let all = runs("fsssss");
        let earlier: Vec<_> = before(&all, RunId(99), at(99))
            .map(|run| run.id.0)
            .collect();
        assert_eq!(earlier, [98, 97, 96, 95]);
    }

    #[test]
    fn inputs_are_compared_where_both_have_one() {
        let answer = |context| HistoryAnswer {
            success: Some(Success {
                id: RunId(1),
                context: Some(context),
            }),
            ..HistoryAnswer::default()
        };
        let this = json!({"input": {"scope": "full"}, "noise": 1});
        let differs = |other| {
            let known = Known::of(RunId(2), answer(other), Some(&this));
            let pairs = known.success.unwrap().1;
            pairs
                .iter()
                .map(|pair| pair.name.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            differs(json!({"input": {"scope": "policy"}, "noise": 2})),
            ["scope"]
        );
        assert_eq!(differs(json!({"noise": 2})), ["input.scope", "noise"]);
    }
}
