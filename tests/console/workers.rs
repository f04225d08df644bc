//! The workers: who lives, what they run, where they lead.

use crate::stage::{ago, frame, live, press, story, tell};
use insta::assert_snapshot;
use opsroom_console::app::{App, Data, Place, Topic, Trouble, WorkersAnswer};
use opsroom_model::Clean;
use opsroom_read::Worker;
use std::sync::Arc;

fn worker(n: u128, name: &str, alive: bool, beat: i64) -> Worker {
    Worker {
        id: uuid::Uuid::from_u128(n),
        name: Clean::new(name),
        started_at: ago(86_400),
        beat_at: ago(beat),
        alive,
        stopping: n == 9 || n == 11,
        stopped: n == 11,
        types: vec!["inventory.sync".into(), "drift.\u{1b}[2Jgenerate".into()],
        slots: 8,
    }
}

pub(crate) fn workers_of_the_stage() -> Vec<Worker> {
    vec![
        worker(7, "ams-2", true, 2),
        worker(8, "東京-1", true, 40),
        worker(9, "fra-1", true, 1),
        worker(10, "lon-3", false, 1900),
        worker(11, "par-1", false, 1500),
    ]
}

pub(crate) fn workers(columns: u16, rows: u16) -> App {
    let mut app = live(columns, rows);
    press(&mut app, "ow");
    let running = story().into_iter().filter(|row| row.worker_id.is_some());
    tell(
        &mut app,
        Data::Workers(WorkersAnswer {
            workers: workers_of_the_stage(),
            running: running.map(Arc::new).collect(),
        }),
    );
    app
}

#[test]
fn workers_at_80x24() {
    assert_snapshot!(frame(&workers(80, 24)));
}

#[test]
fn workers_at_120x40() {
    assert_snapshot!(frame(&workers(120, 40)));
}

#[test]
fn workers_at_200x60() {
    assert_snapshot!(frame(&workers(200, 60)));
}

#[test]
fn workers_at_40x10() {
    assert_snapshot!(frame(&workers(40, 10)));
}

#[test]
fn workers_are_asked_for_only_where_they_are_shown() {
    let mut app = live(120, 40);
    assert!(app.wants().about(Topic::Workers).is_none());
    press(&mut app, "ow");
    assert!(app.wants().about(Topic::Workers).is_some());
    assert!(
        app.wants().page().is_none(),
        "the runs are asked for behind another screen"
    );
    press(&mut app, "<Esc>");
    assert_eq!(app.place(), Place::Runs);
    assert!(app.wants().page().is_some());
}

#[test]
fn stale_workers_stay_on_the_screen() {
    let mut app = workers(120, 24);
    tell(
        &mut app,
        Data::Lost {
            reason: "connection refused".into(),
        },
    );
    let frame = frame(&app);
    assert!(
        frame.starts_with(" STALE") && frame.contains("ams-2"),
        "{frame}"
    );
}

#[test]
fn enter_on_a_worker_shows_its_runs() {
    let mut app = workers(120, 40);
    press(&mut app, "<Enter>");
    assert_eq!(app.place(), Place::Runs);
    assert_eq!(app.filter.query().to_string(), "id:48212,48209");
    let mut app = workers(120, 40);
    press(&mut app, "j<Enter>");
    assert_eq!(app.place(), Place::Workers);
    assert!(frame(&app).contains("runs nothing"));
}

#[test]
fn a_screen_says_why_it_has_no_rows() {
    let mut app = live(120, 40);
    press(&mut app, "ow");
    assert!(frame(&app).contains("loading …"));
    tell(&mut app, Data::Workers(WorkersAnswer::default()));
    let empty = frame(&app);
    assert!(
        empty.contains("no worker lives") && empty.contains("opsroom-worker work"),
        "{empty}"
    );
    let trouble = Trouble {
        what: "the database took longer than 5 s".into(),
        remedy: "narrow the filter".into(),
    };
    tell(
        &mut app,
        Data::Failed {
            topic: Topic::Workers,
            trouble,
        },
    );
    let failed = frame(&app);
    assert!(
        failed.contains("longer than 5 s") && failed.contains("narrow the filter"),
        "{failed}"
    );
}
