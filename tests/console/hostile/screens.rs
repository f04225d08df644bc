//! Each screen, every text on it from [`Words`].

use super::strings::Words;
use crate::boards::{failures, health, schedules};
use crate::stage::{ago, answer, app, give, page, press, tell};
use chrono::TimeDelta;
use opsroom_console::app::{App, Compared, Data, Place, Reach, Topic, Trouble, WorkersAnswer};
use opsroom_model::{Bucket, Clean, RunId, TenantId};
use opsroom_read::{
    Attempt, By, FailureLine, Item, Lookup, Notification, Notifications, RunDetail, RunRow,
    Schedules, Worker,
};
use serde_json::{Map, Value};

/// The screen of that size, full of what `words` gives.
pub(super) fn fill(place: Place, (columns, rows): (u16, u16), words: &mut Words) -> App {
    let mut app = app(columns, rows, "");
    let reach = Reach {
        tenants: 42,
        all: true,
        ..Reach::default()
    };
    tell(&mut app, Data::Reach(reach));
    match place {
        Place::Runs => runs(&mut app, words),
        Place::Run => run(&mut app, words),
        Place::Comparison => comparison(&mut app, words),
        Place::Failures => codes(&mut app, words),
        Place::Tenants => fares(&mut app, "ot", By::Tenant, words),
        Place::Types => fares(&mut app, "oy", By::Type, words),
        Place::Workers => workers(&mut app, words),
        Place::Schedules => plans(&mut app, words),
        Place::Notifications => told(&mut app, words),
    }
    app
}

const BUCKETS: [Bucket; 4] = [
    Bucket::Failed,
    Bucket::Partial,
    Bucket::Succeeded,
    Bucket::Queued,
];

fn row(id: i64, words: &mut Words) -> RunRow {
    let mut row = crate::stage::row(
        id,
        BUCKETS[id.unsigned_abs() as usize % BUCKETS.len()],
        &words.raw(),
        &words.raw(),
        90_000,
    );
    row.initiator = words.clean();
    row.code = Some((words.clean(), 3));
    row
}

fn runs(app: &mut App, words: &mut Words) {
    let rows = (0..250).map(|n| row(1_000 - n, words)).collect();
    give(app, page(rows));
    if app.wants().detail().is_some() {
        let found = detail(1_000, words);
        tell(app, found);
    }
}

fn failure(words: &mut Words) -> FailureLine {
    FailureLine {
        code: words.clean(),
        message: words.clean(),
        count: 3,
    }
}

fn context(words: &mut Words) -> Value {
    let mut fields = Map::new();
    for n in 0..20 {
        // Keys of their own, whatever the words are.
        fields.insert(format!("{n}{}", words.raw()), words.raw().into());
    }
    fields.into()
}

fn record(id: i64, words: &mut Words) -> RunDetail {
    let Lookup::Found(mut run) = answer(RunId(id)).lookup else {
        panic!("the stage's answer is a run");
    };
    run.tenant = words.clean();
    run.initiator = words.clean();
    run.run_type = words.clean();
    run.identity = words.clean();
    run.worker = Some(words.clean());
    run.failures = (0..4).map(|_| failure(words)).collect();
    run.context = Some(context(words));
    *run
}

fn detail(id: i64, words: &mut Words) -> Data {
    let mut found = answer(RunId(id));
    found.lookup = Lookup::Found(Box::new(record(id, words)));
    found.attempts = (1..4)
        .map(|attempt| Attempt {
            attempt,
            claim_no: attempt,
            worker: words.clean(),
            started_at: Some(ago(127)),
            ended_at: Some(ago(86)),
            ended: Some(words.clean()),
            failures: vec![failure(words)],
        })
        .collect();
    found.items.items = (0..60)
        .map(|_| Item {
            key: words.clean(),
            label: words.clean(),
            status: Clean::new("failed"),
            code: Some(words.clean()),
            message: Some(words.clean()),
            updated_at: None,
        })
        .collect();
    Data::Detail(Box::new(found))
}

fn run(app: &mut App, words: &mut Words) {
    give(app, page(vec![row(1_000, words)]));
    press(app, "<Enter>");
    if app.place() != Place::Run {
        press(app, "<Enter>");
    }
    let found = detail(1_000, words);
    tell(app, found);
}

fn comparison(app: &mut App, words: &mut Words) {
    give(app, page(vec![row(1_000, words)]));
    press(app, "=");
    let Some(want) = app.comparison.want else {
        panic!("no comparison is wanted");
    };
    let mut both = [1_000, 999].map(|id| {
        let mut run = record(id, words);
        run.failures = (0..20).map(|_| failure(words)).collect();
        Box::new(run)
    });
    for run in &mut both {
        let mut fields = Map::new();
        for n in 0..90 {
            fields.insert(format!("{n}{}", words.raw()), words.raw().into());
        }
        run.context = Some(fields.into());
    }
    let [this, other] = both;
    let compared = Compared::Both { this, other };
    tell(app, Data::Comparison(want, Box::new(compared)));
}

fn codes(app: &mut App, words: &mut Words) {
    press(app, "of");
    let Data::Failures {
        board: Some(mut board),
        generation,
    } = failures(app, true)
    else {
        panic!("the stage's failures are a board");
    };
    let like = board.codes[0].clone();
    board.codes = (0..250)
        .map(|_| {
            let mut group = like.clone();
            group.code = words.clean();
            group
        })
        .collect();
    tell(
        app,
        Data::Failures {
            generation,
            board: Some(board),
        },
    );
}

fn fares(app: &mut App, keys: &str, by: By, words: &mut Words) {
    press(app, keys);
    let Data::Health {
        board: Some(mut board),
        generation,
        ..
    } = health(app, by, &["one", "two"])
    else {
        panic!("the stage's health is a board");
    };
    let like = board.rows[1].clone();
    board.rows = (0..250)
        .map(|n| {
            let mut row = like.clone();
            row.tenant = row.tenant.map(|_| TenantId(n));
            row.name = words.clean();
            row
        })
        .collect();
    tell(
        app,
        Data::Health {
            by,
            generation,
            board: Some(board),
        },
    );
}

fn workers(app: &mut App, words: &mut Words) {
    press(app, "ow");
    let workers = (0..250)
        .map(|n| Worker {
            id: uuid::Uuid::from_u128(n),
            name: words.clean(),
            started_at: ago(86_400),
            beat_at: ago(2),
            alive: true,
            stopping: false,
            stopped: false,
            types: vec![words.raw(), words.raw()],
            slots: 8,
        })
        .collect();
    tell(
        app,
        Data::Workers(WorkersAnswer {
            workers,
            running: Vec::new(),
        }),
    );
}

fn plans(app: &mut App, words: &mut Words) {
    press(app, "os");
    let Data::Schedules(Schedules { rows, .. }) = schedules() else {
        panic!("the stage's schedules are a list");
    };
    let rows = (0..250)
        .map(|n| {
            let mut row = rows[n % rows.len()].clone();
            row.id = n as i64;
            row.tenant = words.clean();
            row.name = words.clean();
            row.run_type = words.clean();
            row.cron = words.clean();
            row.zone = words.clean();
            row.missed = words.clean();
            row.error = row.error.map(|_| words.clean());
            row
        })
        .collect();
    tell(
        app,
        Data::Schedules(Schedules {
            rows,
            more: false,
            as_of: ago(0),
        }),
    );
}

fn told(app: &mut App, words: &mut Words) {
    press(app, "on");
    let rows = (0..250)
        .map(|id| Notification {
            id,
            tenant_id: TenantId(1),
            tenant: words.clean(),
            run: RunId(id),
            run_type: words.clean(),
            kind: words.clean(),
            code: Some(words.clean()),
            created_at: ago(0) - TimeDelta::hours(id),
        })
        .collect();
    tell(
        app,
        Data::Notifications(Notifications {
            rows,
            more: false,
            has_user: true,
        }),
    );
}

/// What the database says of itself: a loss, a question without an answer.
pub(super) fn trouble(app: &mut App, words: &mut Words) {
    press(app, "ow");
    tell(
        app,
        Data::Failed {
            topic: Topic::Workers,
            trouble: Trouble {
                what: words.raw(),
                remedy: words.raw(),
            },
        },
    );
    tell(
        app,
        Data::Lost {
            reason: words.raw(),
        },
    );
}
