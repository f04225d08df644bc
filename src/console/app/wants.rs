//! What should be asked of the database, as it follows from the state: a list of questions, those
//! that matter most first. A screen adds its own here, and nothing else has to know of it.

use super::comparison::ComparisonWant;
use super::history::HistoryWant;
use super::{App, Health, Place, Sort};
use crate::pace;
use chrono::TimeDelta;
use opsroom_model::RunId;
use opsroom_model::query::Query;
use opsroom_read::{By, PageRequest, SortRequest};
use std::time::Duration;

/// The usual interval of polling.
const PACE: Duration = Duration::from_secs(2);
/// The interval while nobody looks.
const SLOW_PACE: Duration = Duration::from_secs(5);
/// Without a key for so long, nobody looks.
pub(super) const IDLE: TimeDelta = TimeDelta::minutes(5);

/// From so many columns the headline has room for a sparkline.
pub(crate) const SPARKLINE_FROM: u16 = 100;

/// Everything the screen needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Wants {
    /// What to ask, the most urgent first; each topic at most once.
    pub asks: Vec<Ask>,
    /// Rises when everything should be asked for at once.
    pub nudge: u64,
    /// How often.
    pub pace: Duration,
    /// True while nothing should be asked for by itself.
    pub paused: bool,
}

/// A question, and when to ask it again.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// What to ask.
    pub question: Question,
    /// Rises where the same question is a new one: goes back with the answer.
    pub generation: u64,
    /// When to ask again.
    pub again: Again,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// A page of runs.
    Page(PageRequest),
    /// More of it, where it is searched slice by slice.
    Older(PageRequest),
    /// It in another order.
    Sorted(SortRequest),
    /// The counts above it.
    Headline(Query),
    /// How the last day went.
    Sparkline(Query),
    /// What the login reaches.
    Reach,
    /// One run.
    Detail(DetailWant),
    /// What failed, by code.
    Failures(Query),
    /// How tenants or types fare.
    Health(By, Query),
    /// What fires when.
    Schedules,
    /// What the login's user was told of.
    Notifications,
    /// The runs before one.
    History(HistoryWant),
    /// Who executes.
    Workers,
    /// How these runs stand.
    Watched(Vec<RunId>),
    /// Two runs.
    Comparison(ComparisonWant),
}

/// What a question is about. Of each topic one question is in flight at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is a question's name")]
pub enum Topic {
    Page,
    Older,
    Headline,
    Sparkline,
    Reach,
    Detail,
    History,
    Failures,
    Tenants,
    Types,
    Schedules,
    Notifications,
    Workers,
    Watched,
    Comparison,
}

/// When to ask the same question again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// After so many intervals.
    Paces(u32),
    /// After so many intervals, or at once where the page of runs changed.
    WithThePage(u32),
    /// Where the page of runs shows a newer form of the run.
    WhenItChanged,
    /// After a minute.
    Rarely,
    /// Never.
    Never,
}

impl Question {
    /// What it is about.
    #[must_use]
    pub const fn topic(&self) -> Topic {
        match self {
            Self::Page(_) | Self::Sorted(_) => Topic::Page,
            Self::Older(_) => Topic::Older,
            Self::Sparkline(_) => Topic::Sparkline,
            Self::Headline(_) => Topic::Headline,
            Self::Reach => Topic::Reach,
            Self::Detail(_) => Topic::Detail,
            Self::History(_) => Topic::History,
            Self::Failures(_) => Topic::Failures,
            Self::Health(By::Tenant, _) => Topic::Tenants,
            Self::Health(By::Type, _) => Topic::Types,
            Self::Schedules => Topic::Schedules,
            Self::Notifications => Topic::Notifications,
            Self::Workers => Topic::Workers,
            Self::Watched(_) => Topic::Watched,
            Self::Comparison(_) => Topic::Comparison,
        }
    }

    const fn asked(self, generation: u64, again: Again) -> Ask {
        Ask {
            question: self,
            generation,
            again,
        }
    }
}

impl Wants {
    /// The question about `topic`, where there is one.
    #[must_use]
    pub fn about(&self, topic: Topic) -> Option<&Ask> {
        self.asks.iter().find(|ask| ask.question.topic() == topic)
    }

    /// The page of runs that is wanted.
    #[must_use]
    pub fn page(&self) -> Option<&PageRequest> {
        match &self.about(Topic::Page)?.question {
            Question::Page(request) => Some(request),
            _ => None,
        }
    }

    /// The run that is wanted in full.
    #[must_use]
    pub fn detail(&self) -> Option<DetailWant> {
        match self.about(Topic::Detail)?.question {
            Question::Detail(want) => Some(want),
            _ => None,
        }
    }
}

/// Which run, and how many of its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DetailWant {
    /// The run.
    pub id: RunId,
    /// Items at most.
    pub items: u32,
}

impl App {
    /// What should be asked of the database now.
    #[must_use]
    pub fn wants(&self) -> Wants {
        let mut asks = match self.place() {
            Place::Runs | Place::Run => self.runs_wants(),
            Place::Comparison => {
                let want = self.comparison.want.map(Question::Comparison);
                let generation = self.comparison.generation;
                want.map(|question| question.asked(generation, Again::Never))
                    .into_iter()
                    .collect()
            }
            Place::Failures => self.counted_wants(Question::Failures),
            Place::Tenants => self.counted_wants(|query| Question::Health(By::Tenant, query)),
            Place::Types => self.counted_wants(|query| Question::Health(By::Type, query)),
            Place::Schedules => vec![Question::Schedules.asked(0, self.usually())],
            Place::Notifications => vec![Question::Notifications.asked(0, self.usually())],
            Place::Workers => vec![Question::Workers.asked(0, self.usually())],
        };
        let reach = match self.place() {
            // Nothing else is asked again: whether anybody answers is worth a question.
            Place::Comparison => self.usually(),
            _ => Again::Rarely,
        };
        asks.push(Question::Reach.asked(0, reach));
        if !self.watched.is_empty() {
            asks.push(Question::Watched(self.watched.clone()).asked(0, Again::Paces(1)));
        }
        Wants {
            asks,
            nudge: self.nudge,
            pace: self.pace(),
            paused: self.paused,
        }
    }

    /// What is counted changes slowly, and is asked for seldom.
    fn counted_wants(&self, question: impl Fn(Query) -> Question) -> Vec<Ask> {
        let generation = self.filter.generation();
        let query = self.filter.query().clone();
        vec![question(query).asked(generation, self.usually())]
    }

    fn usually(&self) -> Again {
        Again::Paces(self.paces())
    }

    /// How many intervals lie between two answers on the screen that is shown.
    pub(super) fn paces(&self) -> u32 {
        match self.place() {
            Place::Runs | Place::Run | Place::Workers => 1,
            Place::Schedules | Place::Notifications => 2,
            Place::Failures | Place::Tenants | Place::Types | Place::Comparison => 5,
        }
    }

    fn runs_wants(&self) -> Vec<Ask> {
        let generation = self.filter.generation();
        let query = self.filter.query().clone();
        let page = PageRequest {
            query: query.clone(),
            limit: self.runs.wanted,
            before: None,
        };
        let list = match self.runs.sort {
            Sort::Created => Question::Page(page.clone()),
            Sort::By(by, direction) => Question::Sorted(SortRequest {
                query: query.clone(),
                by,
                direction,
                limit: self.runs.wanted,
            }),
        };
        let mut asks = vec![list.asked(generation, self.usually())];
        if let Some(id) = self.detail.wanted() {
            let items = match self.place() {
                Place::Run => self.detail.items_wanted,
                _ => 50,
            };
            let question = Question::Detail(DetailWant { id, items });
            asks.push(question.asked(self.detail.generation, Again::WhenItChanged));
        }
        if let Some(want) = self.detail.history_wanted() {
            asks.push(Question::History(want).asked(self.detail.generation, Again::Never));
        }
        asks.push(Question::Headline(query.clone()).asked(generation, Again::WithThePage(5)));
        if self.place() == Place::Runs && self.size.0 >= SPARKLINE_FROM {
            asks.push(Question::Sparkline(query).asked(generation, Again::Paces(15)));
        }
        if let Some(before) = self
            .runs
            .searching()
            .filter(|_| self.travel.shown().is_none())
        {
            let older = PageRequest {
                before: Some(before),
                ..page
            };
            asks.push(Question::Older(older).asked(generation, Again::Never));
        }
        asks
    }

    /// How often to poll: less often while nobody looks or answers are slow.
    #[must_use]
    pub fn pace(&self) -> Duration {
        let base = if self.is_looked_at() { PACE } else { SLOW_PACE };
        match self.health {
            Health::Live => pace::interval(base, self.runs.cost.lasting()),
            _ => base,
        }
    }

    /// True while somebody probably looks.
    pub(super) fn is_looked_at(&self) -> bool {
        self.focused && self.clock.now - self.last_key_at <= IDLE
    }
}
