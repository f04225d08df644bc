//! The classes of questions that the console asks: what the bench times and whose plans are guarded.
//! One line a class: add yours to [`all`].

use crate::seeded::Seeded;
use opsroom_model::query::parse;

use opsroom_read::{By, Cursor, Direction, PageRequest, Reader, RunRow, SortBy, SortRequest};
use std::sync::Arc;

/// What is asked, of a login that sees `TENANT` and `FIFTY`.
#[derive(Clone)]
pub(crate) enum Question {
    /// A page of a query.
    Page(String),
    /// The page after so many rows.
    Deep(&'static str, usize),
    /// The newest runs of a query in another order.
    Sorted(&'static str, SortBy),
    /// One run in full.
    Detail,
    /// The runs before it.
    History,
    /// Tenants and types.
    Directory,
    /// A page that did not change, asked for again.
    Idle(&'static str),
    /// What stands above a list.
    Headline(&'static str),
    /// The last 24 hours.
    Sparkline(&'static str),
    /// Failures by code.
    Failures(&'static str),
    /// How tenants or types fare.
    Health(By, &'static str),
    /// When what is started.
    Schedules,
}

/// A class of questions.
pub(crate) struct Class {
    pub(crate) name: String,
    pub(crate) question: Question,
}

impl Class {
    /// Within how many milliseconds 95 of 100 answers must be there, as that login.
    pub(crate) fn bound_ms(&self, login: &str) -> f64 {
        let own = OWN_BOUNDS
            .iter()
            .find(|(name, whose, _)| *name == self.name && *whose == login);
        own.map_or(GOAL_MS, |(_, _, bound_ms)| *bound_ms)
    }
}

/// What the goal is.
const GOAL_MS: f64 = 10.0;

/// Every single filter.
const FILTERS: &[(&str, &str)] = &[
    ("tenant", "tenant:TENANT"),
    ("type", "type:directory_groups.sync"),
    ("two types", "type:inventory.sync,restore.execute"),
    ("bucket", "is:failed"),
    ("code", "code:graph.throttled"),
    ("by", "by:alice"),
];

/// What has a form of its own.
const OTHERS: &[(&str, &str)] = &[
    ("no filter", ""),
    ("50 tenants", "tenant:FIFTY"),
    ("two buckets", "is:failed,partial"),
    ("succeeded", "is:succeeded"),
    ("running", "is:running"),
    ("two codes", "code:graph.throttled,worker.lost"),
    ("by system", "by:system"),
    ("type+bucket+by", "type:restore.execute is:failed by:alice"),
    ("nothing: bucket", "is:cancelled"),
    ("nothing: code", "code:no.such"),
    ("nothing: by", "by:nobody"),
    ("nothing: type", "type:no.such"),
    ("nothing: bucket+code", "is:failed code:graph.conflict"),
    (
        "nothing: all fields",
        "type:webhook.replay is:partial code:worker.lost by:alice",
    ),
    ("text", "throttled"),
    ("text, rare", "no-such-text"),
    ("not", "-type:inventory.sync -is:succeeded"),
    ("type glob", "type:backup_*"),
    ("code glob", "code:graph.*"),
];

/// All of them.
pub(crate) fn all() -> Vec<Class> {
    let mut classes = Vec::new();
    let mut add = |name: String, question| {
        classes.push(Class { name, question });
    };
    for (name, query) in OTHERS.iter().chain(FILTERS) {
        add((*name).to_owned(), Question::Page((*query).to_owned()));
    }
    for (at, (name, query)) in FILTERS.iter().enumerate() {
        for (other, and) in &FILTERS[at + 1..] {
            if *name != "type" || *other != "two types" {
                add(
                    format!("{name} + {other}"),
                    Question::Page(format!("{query} {and}")),
                );
            }
        }
    }
    add("deep page".into(), Question::Deep("", 10_000));
    add(
        "deep page, bucket".into(),
        Question::Deep("is:failed", 5_000),
    );
    for by in [SortBy::Took, SortBy::Tenant, SortBy::Failed] {
        add(format!("sorted by {by:?}"), Question::Sorted("", by));
    }
    add(
        "sorted, bucket".into(),
        Question::Sorted("is:failed", SortBy::Took),
    );
    add("detail".into(), Question::Detail);
    add("history strip".into(), Question::History);
    add("directory".into(), Question::Directory);
    add("idle poll".into(), Question::Idle(""));
    add("idle poll, bucket".into(), Question::Idle("is:failed"));
    for (name, query) in COUNTED {
        add(format!("headline, {name}"), Question::Headline(query));
        add(format!("sparkline, {name}"), Question::Sparkline(query));
        add(format!("failures, {name}"), Question::Failures(query));
        add(
            format!("tenants, {name}"),
            Question::Health(By::Tenant, query),
        );
        add(format!("types, {name}"), Question::Health(By::Type, query));
    }
    add("headline, bucket".into(), Question::Headline("is:failed"));
    add(
        "headline, code".into(),
        Question::Headline("code:worker.lost"),
    );
    add("failures, 2 h".into(), Question::Failures("since:2h"));
    add("schedules".into(), Question::Schedules);
    classes
}

/// What the screens that count are asked for.
const COUNTED: &[(&str, &str)] = &[
    ("all", ""),
    ("tenant", "tenant:TENANT"),
    ("type", "type:directory_groups.sync"),
    ("7 days", "since:7d"),
];

/// Where the goal cannot be had, what is kept to instead, and why.
const OWN_BOUNDS: &[(&str, &str, f64)] = &[
    // A month of 50 tenants is 14,800 rows by tenant, day, type and code; reading them alone takes 5 to 6.
    // The board is asked for when it is opened.
    ("failures, all", "support", 20.0),
];

/// A question made ready for a login: asking it again is one call.
pub(crate) enum Ready {
    Page(PageRequest),
    Sorted(SortRequest),
    Run(Box<RunRow>, Question),
    Idle(PageRequest, Vec<Arc<RunRow>>),
    Counted(opsroom_model::query::Query, Question),
    Directory,
    Schedules,
}

impl Question {
    /// Finds out what the login needs for it.
    pub(crate) async fn ready(&self, reader: &mut Reader, seeded: &Seeded) -> Ready {
        let names = seeded.named(reader).await;
        let page = |text: &str, before| PageRequest {
            query: parse(
                &text
                    .replace("TENANT", &names[0])
                    .replace("FIFTY", &names.join(",")),
            )
            .unwrap(),
            limit: 250,
            before,
        };
        match self {
            Self::Page(text) => Ready::Page(page(text, None)),
            Self::Deep(text, rows) => {
                let before = after(reader, page(text, None), *rows).await;
                Ready::Page(page(text, before))
            }
            Self::Sorted(text, by) => Ready::Sorted(SortRequest {
                query: page(text, None).query,
                by: *by,
                direction: Direction::Descending,
                limit: 250,
            }),
            Self::Detail | Self::History => {
                let found = reader.page(&page("is:failed", None), &[]).await.unwrap();
                let run = found.rows.first().unwrap().as_ref().clone();
                Ready::Run(Box::new(run), self.clone())
            }
            Self::Idle(text) => {
                let request = page(text, None);
                let held = reader.page(&request, &[]).await.unwrap().rows;
                Ready::Idle(request, held)
            }
            Self::Headline(text)
            | Self::Sparkline(text)
            | Self::Failures(text)
            | Self::Health(_, text) => Ready::Counted(page(text, None).query, self.clone()),
            Self::Directory => Ready::Directory,
            Self::Schedules => Ready::Schedules,
        }
    }
}

/// The place after so many rows, or the last there is.
async fn after(reader: &mut Reader, mut request: PageRequest, rows: usize) -> Option<Cursor> {
    request.limit = 500;
    let mut walked = 0;
    while walked < rows {
        let page = reader.page(&request, &[]).await.unwrap();
        walked += page.rows.len();
        match page.next() {
            Some(next) => request.before = Some(next),
            None => break,
        }
    }
    request.before
}

impl Ready {
    /// Asks; says how many rows came.
    pub(crate) async fn ask(&self, reader: &mut Reader) -> usize {
        match self {
            Self::Page(request) => reader.page(request, &[]).await.unwrap().rows.len(),
            Self::Sorted(request) => reader.sorted(request).await.unwrap().page.rows.len(),
            Self::Run(run, Question::Detail) => {
                reader.run(run.id).await.unwrap();
                1
            }
            Self::Run(run, _) => {
                let kind = run.run_type.as_str();
                let history = reader
                    .history(run.id, run.tenant_id, kind, 20)
                    .await
                    .unwrap();
                history.same.len() + history.kind.len()
            }
            Self::Idle(request, held) => reader.page(request, held).await.unwrap().rows.len(),
            Self::Counted(query, question) => counted(reader, query, question).await,
            Self::Directory => reader.reread_directory().await.unwrap().tenants.len(),
            Self::Schedules => reader.schedules().await.unwrap().rows.len(),
        }
    }

    /// The lines of its plan, where the login may see one.
    pub(crate) async fn plan(&self, reader: &mut Reader) -> Option<Vec<String>> {
        let lines = match self {
            Self::Page(request) => reader.plan(request).await.unwrap(),
            Self::Sorted(request) => reader.sorted_plan(request).await.unwrap(),
            // Functions of the owner keep their plans to themselves.
            Self::Run(..)
            | Self::Directory
            | Self::Idle(..)
            | Self::Counted(..)
            | Self::Schedules => return None,
        };
        Some(lines.iter().map(|line| line.as_str().to_owned()).collect())
    }
}

/// Asks a screen that counts; it must have caught up.
async fn counted(
    reader: &mut Reader,
    query: &opsroom_model::query::Query,
    question: &Question,
) -> usize {
    match question {
        Question::Sparkline(_) => reader.sparkline(query).await.unwrap().unwrap().len(),
        Question::Failures(_) => reader.failures(query).await.unwrap().unwrap().codes.len(),
        Question::Health(by, _) => {
            let board = reader.health(*by, query).await.unwrap();
            board.unwrap().rows.len()
        }
        _ => reader.headline(query).await.unwrap().counts.len(),
    }
}
