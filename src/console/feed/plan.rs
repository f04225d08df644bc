//! What to ask next: pure decisions over what is wanted and what was answered.

use crate::app::{Data, DetailWant, Wants};
use crate::pace::{self, Cost};
use chrono::{DateTime, Utc};
use opsroom_model::query::Query;
use opsroom_read::{Held, Lookup, PageRequest};
use std::time::Duration;
use tokio::time::Instant;

/// The headline is asked for anew after so many intervals, or when the list changed.
const HEADLINE_EVERY: u32 = 5;

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Job {
    Page {
        generation: u64,
        request: PageRequest,
    },
    Headline {
        generation: u64,
        query: Query,
    },
    Reach,
    Detail(DetailWant),
}

impl Job {
    /// True where its answer would still be of use.
    pub(super) fn is_wanted(&self, wants: &Wants) -> bool {
        match self {
            Self::Page { generation, .. } | Self::Headline { generation, .. } => {
                *generation == wants.generation
            }
            Self::Reach => true,
            Self::Detail(want) => wants.detail.is_some_and(|wanted| wanted.id == want.id),
        }
    }
}

/// What was answered last, and when.
#[derive(Debug, Default)]
pub(super) struct Done {
    nudge: u64,
    page: Option<(Instant, u64, PageRequest)>,
    rows: Vec<std::sync::Arc<opsroom_read::RunRow>>,
    changed: bool,
    headline: Option<(Instant, u64)>,
    headline_cost: Cost,
    reach: Option<Instant>,
    detail: Option<(Instant, DetailWant, Version)>,
    detail_cost: Cost,
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
        match &self.page {
            Some((_, known, _)) if *known == generation => &self.rows,
            _ => &[],
        }
    }

    /// Takes in an answer that was asked for at `begun`.
    pub(super) fn note(
        &mut self,
        want: &Wants,
        job: &Job,
        answer: &Data,
        begun: Instant,
        now: Instant,
    ) {
        let took = now.duration_since(begun);
        match (job, answer) {
            (
                Job::Page {
                    generation,
                    request,
                },
                Data::Page { page, .. },
            ) => {
                self.changed |= self.rows != page.rows;
                self.rows.clone_from(&page.rows);
                self.page = Some((now, *generation, request.clone()));
                self.nudge = want.nudge;
            }
            (Job::Headline { generation, .. }, _) => {
                self.changed = false;
                self.headline_cost.note(took);
                self.headline = Some((now, *generation));
            }
            (Job::Reach, _) => self.reach = Some(now),
            (Job::Detail(want), Data::Detail(answer)) => {
                let version = match &answer.lookup {
                    Lookup::Found(run) if run.state.is_active() => Version::At(run.updated_at),
                    _ => Version::Final,
                };
                self.detail_cost.note(took);
                self.detail = Some((now, *want, version));
            }
            _ => {}
        }
    }

    /// True where the list shows that the run changed since its detail was asked for, or cannot tell.
    fn detail_is_old(
        &self,
        want: DetailWant,
        at: Instant,
        version: Version,
        now: Instant,
        usual: Duration,
    ) -> bool {
        let Version::At(known) = version else {
            return false;
        };
        // It is asked for after a page, and so again somewhat less than an interval later.
        let least = pace::interval(usual / 2, self.detail_cost.lasting());
        if now.duration_since(at) < least {
            return false;
        }
        match self.rows.iter().find(|row| row.id == want.id) {
            // The detail was asked for after the list, so it is often the newer of the two.
            Some(row) => row.updated_at > known,
            None => now.duration_since(at) >= usual,
        }
    }
}

/// The request that is due, the most urgent first.
pub(super) fn next(want: &Wants, done: &Done, now: Instant) -> Option<Job> {
    let page = || Job::Page {
        generation: want.generation,
        request: want.request.clone(),
    };
    let nudged = want.nudge != done.nudge;
    match &done.page {
        Some((_, generation, request))
            if *generation == want.generation && *request == want.request && !nudged => {}
        _ => return Some(page()),
    }
    match &done.detail {
        Some((at, known, version)) if Some(*known) == want.detail => {
            if !want.paused && done.detail_is_old(*known, *at, *version, now, want.pace) {
                return Some(Job::Detail(*known));
            }
        }
        _ => {
            if let Some(detail) = want.detail {
                return Some(Job::Detail(detail));
            }
        }
    }
    let headline = || Job::Headline {
        generation: want.generation,
        query: want.request.query.clone(),
    };
    match done.headline {
        Some((_, generation)) if generation == want.generation => {}
        _ => return Some(headline()),
    }
    if done.reach.is_none() {
        return Some(Job::Reach);
    }
    if want.paused {
        return None;
    }
    let passed = |at: Option<Instant>, length: Duration| {
        at.is_none_or(|at| now.duration_since(at) >= length)
    };
    if passed(done.page.as_ref().map(|(at, ..)| *at), want.pace) {
        return Some(page());
    }
    let headline_pace = if done.changed {
        want.pace / 2
    } else {
        want.pace * HEADLINE_EVERY
    };
    let headline_pace = pace::interval(headline_pace, done.headline_cost.lasting());
    if passed(done.headline.map(|(at, _)| at), headline_pace) {
        return Some(headline());
    }
    passed(done.reach, Duration::from_secs(60)).then_some(Job::Reach)
}

/// When to look again, where nothing is due now.
pub(super) fn due(want: &Wants, done: &Done, now: Instant) -> Instant {
    if want.paused {
        return now + Duration::from_secs(3600);
    }
    match &done.page {
        Some((at, ..)) => (*at + want.pace).max(now + Duration::from_millis(1)),
        None => now,
    }
}
