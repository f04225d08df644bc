//! An application at a fixed time with rows that no database gave, and its frames.

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use opsroom_console::app::{
    App, Clock, Data, DetailAnswer, Effect, Message, Reach, Settings, Start,
};
use opsroom_console::command::snapshot::plain;
use opsroom_console::theme::{Depth, Shelf};
use opsroom_console::{glyphs, screen};
use opsroom_model::query::parse;
use opsroom_model::{Bucket, Clean, Counts, RunId, TenantId, UserId};
use opsroom_read::stuck::Waits;
use opsroom_read::{
    Attempt, Capped, FailureLine, Headline, Item, ItemPage, Lookup, RunDetail, RunPage, RunRow,
    Stuck,
};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::json;
use std::sync::Arc;

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_252_800, 0).unwrap()
}

pub(crate) fn ago(seconds: i64) -> DateTime<Utc> {
    now() - TimeDelta::seconds(seconds)
}

/// The console of a terminal of that size, before the first answer.
pub(crate) fn app(columns: u16, rows: u16, query: &str) -> App {
    let shelf = Shelf::open(None, Depth::True).unwrap();
    App::new(Start {
        size: (columns, rows),
        theme: shelf.theme("dark").unwrap(),
        shelf,
        glyphs: &glyphs::UNICODE,
        query: parse(query).unwrap(),
        clock: Clock::new(now(), |at| at.naive_utc()),
        settings: Settings::default(),
    })
}

/// The same with rows, a headline and the detail of the selected run.
pub(crate) fn live(columns: u16, rows: u16) -> App {
    let mut app = app(columns, rows, "");
    give(&mut app, page(story()));
    let generation = app.filter.generation();
    tell(
        &mut app,
        Data::Headline {
            generation,
            headline: headline(),
        },
    );
    tell(
        &mut app,
        Data::Reach(Reach {
            tenants: 42,
            all: true,
            ..Reach::default()
        }),
    );
    if let Some(want) = app.wants().detail() {
        tell(&mut app, Data::Detail(Box::new(answer(want.id))));
    }
    app
}

pub(crate) fn give(app: &mut App, page: RunPage) {
    let generation = app.filter.generation();
    tell(app, Data::Page { generation, page });
}

pub(crate) fn tell(app: &mut App, data: Data) {
    app.update(Message::Data(data));
}

/// Presses keys: letters as they are, and `<Enter> <Esc> <Tab> <C-x>`.
pub(crate) fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut rest = keys;
    while let Some(first) = rest.chars().next() {
        let (code, modifiers, taken) = match rest.find('>').filter(|_| first == '<') {
            Some(end) => {
                let (code, modifiers) = named(&rest[1..end]);
                (code, modifiers, end + 1)
            }
            None => (KeyCode::Char(first), KeyModifiers::NONE, first.len_utf8()),
        };
        effects.extend(app.update(Message::Key(KeyEvent::new(code, modifiers))));
        rest = &rest[taken..];
    }
    effects
}

fn named(name: &str) -> (KeyCode, KeyModifiers) {
    let plain = KeyModifiers::NONE;
    match name {
        "Enter" => (KeyCode::Enter, plain),
        "Esc" => (KeyCode::Esc, plain),
        "Tab" => (KeyCode::Tab, plain),
        "BTab" => (KeyCode::BackTab, plain),
        "Up" => (KeyCode::Up, plain),
        "Down" => (KeyCode::Down, plain),
        "PgDn" => (KeyCode::PageDown, plain),
        control => (
            KeyCode::Char(control.chars().last().unwrap()),
            KeyModifiers::CONTROL,
        ),
    }
}

pub(crate) fn buffer(app: &App) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, app.size.0, app.size.1));
    screen::view(app, &mut buffer);
    buffer
}

/// The text of a frame.
pub(crate) fn frame(app: &App) -> String {
    plain(&buffer(app))
}

pub(crate) fn page(rows: Vec<RunRow>) -> RunPage {
    let mut page = RunPage {
        as_of: now(),
        ..RunPage::default()
    };
    for row in rows {
        if row.run_type.as_str() == "drift.generate" && row.state.is_active() {
            page.stuck.insert(
                row.id,
                Stuck::Slow {
                    p95: TimeDelta::minutes(3),
                },
            );
        }
        page.rows.push(Arc::new(row));
    }
    page
}

pub(crate) fn row(id: i64, bucket: Bucket, run_type: &str, tenant: &str, age: i64) -> RunRow {
    let mut row = RunRow::queued(RunId(id), run_type, tenant, ago(age));
    row.state = bucket.state();
    if bucket != Bucket::Queued {
        row.started_at = Some(ago(age - 1));
        row.attempt = 1;
        row.max_attempts = 3;
    }
    if !row.state.is_active() {
        row.completed_at = Some(ago(age - 1) + TimeDelta::milliseconds(41_200));
    }
    row
}

fn counts(total: u64, success: u64, failed: u64) -> Counts {
    Counts {
        total: Some(total),
        success: Some(success),
        failed: Some(failed),
        ..Counts::default()
    }
}

/// A bit of everything, newest first.
pub(crate) fn story() -> Vec<RunRow> {
    let mut rows = vec![
        row(48213, Bucket::Partial, "restore.execute", "contoso", 130),
        row(
            48212,
            Bucket::Running,
            "backup_schedule.scheduled",
            "northwind",
            12,
        ),
        row(48211, Bucket::Running, "inventory.sync", "tailspin", 70),
        row(
            48210,
            Bucket::Queued,
            "directory_groups.sync",
            "東京テナント",
            4,
        ),
        row(48209, Bucket::Running, "drift.generate", "adatum", 7260),
        row(
            48208,
            Bucket::Failed,
            "directory_role_definitions.sync",
            "contoso",
            10_800,
        ),
        row(
            48207,
            Bucket::Succeeded,
            "inventory.sync",
            "fabrikam",
            90_000,
        ),
        row(48206, Bucket::Queued, "restore.execute", "Zoë & Søns", 40),
    ];
    rows[0].counts = Counts {
        skipped: Some(16),
        ..counts(50, 31, 3)
    };
    rows[0].code = Some((Clean::new("graph.conflict"), 3));
    rows[0].initiator = Clean::new("Alice Meyer");
    rows[0].user_id = Some(UserId(3));
    rows[1].counts = counts(104, 31, 0);
    rows[1].worker_id = Some(WORKER);
    rows[2].waits = Waits::Until(now() + TimeDelta::seconds(30));
    rows[2].code = Some((Clean::new("graph.unavailable"), 1));
    rows[4].counts = counts(50, 0, 0);
    rows[4].worker_id = Some(WORKER);
    rows[5].code = Some((Clean::new("graph.unauthorized"), 1));
    rows[6].counts = counts(812, 812, 0);
    rows[7].waits = Waits::ForConfirmation;
    rows
}

const WORKER: uuid::Uuid = uuid::Uuid::from_u128(7);

pub(crate) fn headline() -> Headline {
    let of = |n| Capped { n, more: false };
    Headline {
        counts: vec![
            (Bucket::Queued, of(31)),
            (Bucket::Running, of(12)),
            (
                Bucket::Succeeded,
                Capped {
                    n: 10_000,
                    more: true,
                },
            ),
            (Bucket::Partial, of(137)),
            (Bucket::Failed, of(88)),
            (Bucket::Cancelled, of(0)),
        ],
        oldest_queued: Some(ago(4)),
        stuck: of(2),
        live_workers: 2,
        as_of: now(),
    }
}

pub(crate) fn answer(id: RunId) -> DetailAnswer {
    let failure = FailureLine {
        code: Clean::new("graph.conflict"),
        message: Clean::new("The item was changed by someone else (HTTP 409)"),
        count: 3,
    };
    let run = RunDetail {
        id,
        tenant_id: TenantId(1),
        tenant: Clean::new("contoso"),
        initiator: Clean::new("Alice Meyer"),
        run_type: Clean::new("restore.execute"),
        state: Bucket::Partial.state(),
        identity: Clean::new(&"0123456789abcdef".repeat(4)),
        counts: Counts {
            skipped: Some(16),
            ..counts(50, 31, 3)
        },
        failures: vec![failure.clone()],
        context: Some(
            json!({"input": {"scope": "policy", "policy_id": 7}, "selection": ["a", "b\u{1b}[2J"]}),
        ),
        created_at: ago(130),
        started_at: Some(ago(127)),
        completed_at: Some(ago(86)),
        updated_at: ago(86),
        attempt: 1,
        max_attempts: 3,
        waits: Waits::ForWorker,
        worker_id: Some(WORKER),
        worker: Some(Clean::new("ams-2")),
    };
    DetailAnswer {
        id,
        lookup: Lookup::Found(Box::new(run)),
        attempts: vec![Attempt {
            attempt: 1,
            claim_no: 1,
            worker: Clean::new("ams-2"),
            started_at: Some(ago(127)),
            ended_at: Some(ago(86)),
            ended: Some(Clean::new("partially_succeeded")),
            failures: vec![failure],
        }],
        items: ItemPage {
            items: items(),
            next: None,
        },
    }
}

fn items() -> Vec<Item> {
    let item = |n: u32, status: &str| Item {
        key: Clean::new(&format!("pol-{n:03}")),
        label: Clean::new(&format!("Windows - Baseline - Policy {n}")),
        status: Clean::new(status),
        code: (status == "failed").then(|| Clean::new("graph.conflict")),
        message: None,
        updated_at: None,
    };
    vec![item(1, "succeeded"), item(2, "failed"), item(3, "skipped")]
}
