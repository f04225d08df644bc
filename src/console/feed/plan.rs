//! What to ask next: pure decisions over what is wanted and what was answered.

use crate::app::{Again, Ask, Data, DetailWant, Question, Topic, Wants};
use crate::pace::{self, Cost};
use chrono::{DateTime, Utc};
use opsroom_read::{Held, Lookup, RunRow};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How rarely what hardly changes is asked for.
const RARELY: Duration = Duration::from_secs(60);
/// A question that could not be answered is asked again after so many intervals.
const AFTER_TROUBLE: u32 = 5;

/// What was answered last, topic by topic.
#[derive(Debug, Default)]
pub(super) struct Done {
    answers: HashMap<Topic, Answered>,
    rows: Vec<Arc<RunRow>>,
    /// Whether the page changed since the counts above it were asked for.
    changed: bool,
    version: Option<Version>,
}

#[derive(Debug)]
struct Answered {
    at: Instant,
    nudge: u64,
    generation: u64,
    question: Question,
    failed: bool,
    cost: Cost,
}

/// Which form of a run an answer showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// Ended, or none at all: it changes no more.
    Final,
    /// Active, last changed then.
    At(DateTime<Utc>),
}

impl Done {
    /// The rows that are still known of an earlier answer to the same filter.
    pub(super) fn rows(&self, generation: u64) -> &Held {
        match self.answers.get(&Topic::Page) {
            Some(known) if known.generation == generation => &self.rows,
            _ => &[],
        }
    }

    /// Notes that `ask`, asked at `begun`, was answered by `data`. `nudge` is that of the wants it
    /// came from.
    pub(super) fn note(
        &mut self,
        nudge: u64,
        ask: &Ask,
        data: &Data,
        begun: Instant,
        now: Instant,
    ) {
        match data {
            Data::Page { page, .. } => {
                self.changed |= self.rows != page.rows;
                self.rows.clone_from(&page.rows);
            }
            Data::Sorted { page, .. } => {
                self.changed |= self.rows != page.page.rows;
                self.rows.clone_from(&page.page.rows);
            }
            Data::Headline { .. } => self.changed = false,
            Data::Detail(answer) => {
                self.version = Some(match &answer.lookup {
                    Lookup::Found(run) if run.state.is_active() => Version::At(run.updated_at),
                    _ => Version::Final,
                });
            }
            _ => {}
        }
        let topic = ask.question.topic();
        let mut cost = self
            .answers
            .get(&topic)
            .map_or_else(Cost::default, |known| known.cost);
        cost.note(now.duration_since(begun));
        let answered = Answered {
            at: now,
            nudge,
            generation: ask.generation,
            question: ask.question.clone(),
            failed: matches!(data, Data::Failed { .. }),
            cost,
        };
        self.answers.insert(topic, answered);
    }

    /// The last answer, where it was to this very question.
    fn of(&self, ask: &Ask) -> Option<&Answered> {
        let known = self.answers.get(&ask.question.topic())?;
        (known.generation == ask.generation && known.question == ask.question).then_some(known)
    }

    /// When `ask` is due. Paused, only what was never answered is.
    fn due(&self, ask: &Ask, want: &Wants, now: Instant) -> Option<Instant> {
        let Some(known) = self.of(ask) else {
            return Some(now);
        };
        if known.nudge != want.nudge {
            return Some(now);
        }
        if want.paused {
            return None;
        }
        let spaced = |usual: Duration| known.at + pace::interval(usual, known.cost.lasting());
        let after = |paces: u32| Some(spaced(want.pace * paces));
        match ask.again {
            Again::Never => None,
            _ if known.failed => after(AFTER_TROUBLE),
            Again::Paces(paces) => after(paces),
            Again::WithThePage(_) if self.changed => Some(spaced(want.pace / 2)),
            Again::WithThePage(paces) => after(paces),
            Again::Rarely => Some(known.at + RARELY),
            Again::WhenItChanged => match ask.question {
                Question::Detail(detail) => {
                    let due = self.detail_due(detail, known.at, want.pace, now)?;
                    // It is asked for after a page, and so again somewhat less than an interval later.
                    Some(due.max(spaced(want.pace / 2)))
                }
                _ => after(1),
            },
        }
    }

    /// When the list shows that the run changed since its detail was asked for, or cannot tell.
    fn detail_due(
        &self,
        want: DetailWant,
        at: Instant,
        pace: Duration,
        now: Instant,
    ) -> Option<Instant> {
        let Version::At(known) = self.version? else {
            return None;
        };
        match self.rows.iter().find(|row| row.id == want.id) {
            // The detail was asked for after the list, so it is often the newer of the two.
            Some(row) => (row.updated_at > known).then_some(now),
            None => Some(at + pace),
        }
    }
}

/// The question that is due: first the most urgent one that has no answer yet, then whichever has
/// waited longest, so that a slow one keeps none of the others from being asked.
pub(super) fn next<'w>(want: &'w Wants, done: &Done, now: Instant) -> Option<&'w Ask> {
    // A search goes on slice by slice, each a question of its own: it waits its turn.
    let urgent = |ask: &&Ask| !matches!(ask.question, Question::Older(_));
    let fresh = |ask: &&Ask| done.of(ask).is_none();
    if let Some(fresh) = want.asks.iter().filter(urgent).find(fresh) {
        return Some(fresh);
    }
    let due = want
        .asks
        .iter()
        .filter_map(|ask| Some((done.due(ask, want, now)?, ask)));
    let (due, ask) = due.min_by_key(|(due, _)| *due)?;
    (due <= now).then_some(ask)
}

/// When to look again, where nothing is due now.
pub(super) fn due(want: &Wants, done: &Done, now: Instant) -> Instant {
    let dues = want.asks.iter().filter_map(|ask| done.due(ask, want, now));
    let far = now + Duration::from_secs(3600);
    dues.min()
        .unwrap_or(far)
        .max(now + Duration::from_millis(1))
}

/// True where an answer to `ask` would still be of use.
pub(super) fn is_wanted(ask: &Ask, wants: &Wants) -> bool {
    wants
        .asks
        .iter()
        .any(|wanted| match (&wanted.question, &ask.question) {
            // More items of the same run come with the next answer.
            (Question::Detail(wanted), Question::Detail(asked)) => wanted.id == asked.id,
            // More rows of the same filter, too.
            (Question::Page(_), Question::Page(_)) => wanted.generation == ask.generation,
            (question, asked) => question == asked && wanted.generation == ask.generation,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Reach;
    use opsroom_model::RunId;

    fn wants(questions: Vec<Question>) -> Wants {
        let asked = |question| Ask {
            question,
            generation: 1,
            again: Again::Paces(1),
        };
        Wants {
            asks: questions.into_iter().map(asked).collect(),
            nudge: 0,
            pace: Duration::from_secs(2),
            paused: false,
        }
    }

    fn answer() -> Data {
        Data::Reach(Reach {
            tenants: 1,
            all: true,
            ..Reach::default()
        })
    }

    #[test]
    fn each_topic_waits_for_its_own_answer_and_comes_again_at_its_own_time() {
        let mut want = wants(vec![Question::Workers, Question::Reach]);
        let (mut done, now) = (Done::default(), Instant::now());
        assert_eq!(next(&want, &done, now), Some(&want.asks[0]));
        done.note(0, &want.asks[0], &answer(), now, now);
        assert_eq!(next(&want, &done, now), Some(&want.asks[1]));
        let second = now + Duration::from_secs(1);
        done.note(0, &want.asks[1], &answer(), second, second);
        assert_eq!(next(&want, &done, now + Duration::from_millis(1900)), None);
        assert_eq!(due(&want, &done, now), now + want.pace);
        // Both are overdue: the one that waited longest goes first, wherever it stands.
        let later = now + Duration::from_secs(9);
        assert_eq!(next(&want, &done, later), Some(&want.asks[0]));
        done.note(0, &want.asks[0], &answer(), later, later);
        assert_eq!(next(&want, &done, later), Some(&want.asks[1]));
        want.paused = true;
        assert_eq!(next(&want, &done, later), None);
        want.nudge = 1;
        assert_eq!(next(&want, &done, later), Some(&want.asks[0]));
    }

    #[test]
    fn another_question_on_the_same_topic_is_asked_at_once_and_the_old_one_is_of_no_use() {
        let old = wants(vec![Question::Watched(vec![RunId(1)])]);
        let new = wants(vec![Question::Watched(vec![RunId(1), RunId(2)])]);
        let (mut done, now) = (Done::default(), Instant::now());
        done.note(0, &old.asks[0], &answer(), now, now);
        assert_eq!(next(&new, &done, now), Some(&new.asks[0]));
        assert!(!is_wanted(&old.asks[0], &new));
        let mut refiltered = old.clone();
        refiltered.asks[0].generation = 2;
        assert_eq!(next(&refiltered, &done, now), Some(&refiltered.asks[0]));
    }
}
