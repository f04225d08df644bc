//! The lists beside the runs: failures, tenants, types, schedules, notifications. What they say, and
//! where they lead.

use crate::stage::{ago, frame, live, press, tell};
use chrono::TimeDelta;
use opsroom_console::app::{App, Data, Effect, Place, Question, Topic};
use opsroom_model::{Bucket, Clean, RunId, TenantId};
use opsroom_read::{
    By, Capped, CodeGroup, FailureBoard, Health, HealthBoard, Notification, Notifications,
    Percentiles, ScheduleRow, Schedules,
};

pub(crate) fn failures(app: &App, narrowed: bool) -> Data {
    let group = |code: &str, runs: u64, tenants: u64, first, last, trend: &[u64]| CodeGroup {
        code: Clean::new(code),
        runs,
        tenants: Capped {
            n: tenants,
            more: tenants == 1_000,
        },
        items: runs * 6,
        first_seen: ago(first),
        last_seen: ago(last),
        trend: trend.to_vec(),
    };
    Data::Failures {
        generation: app.filter.generation(),
        board: Some(FailureBoard {
            codes: vec![
                group(
                    "graph.throttled",
                    1514,
                    3,
                    86_400,
                    40,
                    &[0, 0, 1, 2, 4, 9, 30],
                ),
                group(
                    "crm.ölpreis\u{1b}[2J",
                    1_075,
                    1_000,
                    2_500_000,
                    36_000,
                    &[3, 1, 0, 4, 4, 4, 4],
                ),
                group("graph.conflict", 2, 1, 9_000, 9_000, &[0, 0, 0, 0, 0, 0, 2]),
            ],
            covers_from: ago(7 * 86_400),
            step: TimeDelta::days(1),
            narrowed,
            as_of: ago(0),
        }),
    }
}

pub(crate) fn health(app: &App, by: By, names: &[&str]) -> Data {
    let times = |p50, p95| {
        Some(Percentiles {
            samples: 900,
            p50: TimeDelta::milliseconds(p50),
            p95: TimeDelta::milliseconds(p95),
        })
    };
    let row = |(at, name): (usize, &&str)| {
        let n = at as u64;
        Health {
            tenant: (by == By::Tenant).then_some(TenantId(at as i64)),
            name: Clean::new(name),
            running: 3 * n,
            queued: n,
            succeeded: 1200 * n,
            partial: 9,
            failed: 50 / (n + 1),
            cancelled: 1,
            duration: times(35_000, 169_000),
            wait: if n == 1 { None } else { times(1_500, 5_300) },
            last_success: (n > 0).then(|| ago(100 * at as i64)),
        }
    };
    Data::Health {
        by,
        generation: app.filter.generation(),
        board: Some(HealthBoard {
            rows: names.iter().enumerate().map(row).collect(),
            more: false,
            covers_from: ago(30 * 86_400),
            counted_until: ago(3),
            as_of: ago(0),
        }),
    }
}

pub(crate) const TENANTS: [&str; 3] = ["adatum", "東京テナント", "Zoë & Søns"];
pub(crate) const TYPES: [&str; 3] = [
    "directory_role_definitions.sync",
    "inventory.sync",
    "x.\u{202e}y",
];

pub(crate) fn schedules() -> Data {
    let row = |id: i64, name: &str, next: Option<i64>, last: Option<(i64, Bucket)>| ScheduleRow {
        id,
        tenant_id: TenantId(1),
        tenant: Clean::new("contoso"),
        name: Clean::new(name),
        run_type: Clean::new("inventory.sync"),
        cron: Clean::new("0 3 * * *"),
        zone: Clean::new("Europe/Berlin"),
        missed: Clean::new("fire_once"),
        created_at: ago(9_000_000),
        paused_at: None,
        next_fire_at: next.map(ago),
        last_fire_at: last.map(|_| ago(40_000)),
        last_run: last.map(|(run, bucket)| (RunId(run), Some(bucket.state()))),
        missed_fires: id - 1,
        last_missed_at: None,
        error: None,
    };
    let mut rows = vec![
        row(1, "every day, they said", None, None),
        row(
            2,
            "left behind",
            Some(9_000),
            Some((48_207, Bucket::Succeeded)),
        ),
        row(3, "nightly", Some(-30_000), Some((48_208, Bucket::Failed))),
        row(4, "at rest", None, Some((7, Bucket::Partial))),
    ];
    rows[0].error = Some(Clean::new("schedule.cron_invalid"));
    rows[3].paused_at = Some(ago(5));
    if let Some((_, state)) = &mut rows[3].last_run {
        *state = None;
    }
    Data::Schedules(Schedules {
        rows,
        more: false,
        as_of: ago(0),
    })
}

pub(crate) fn notifications() -> Data {
    let row = |id: i64, kind: &str, code: Option<&str>| Notification {
        id,
        tenant_id: TenantId(1),
        tenant: Clean::new("東京テナント"),
        run: RunId(48_213 - id),
        run_type: Clean::new("restore.execute"),
        kind: Clean::new(kind),
        code: code.map(Clean::new),
        created_at: ago(10_000 - id * 90),
    };
    Data::Notifications(Notifications {
        rows: vec![
            row(9, "failed", Some("graph.unauthorized")),
            row(8, "partially_succeeded", Some("graph.conflict")),
            row(7, "succeeded", None),
            row(6, "queued", None),
        ],
        more: false,
        has_user: true,
    })
}

#[test]
fn each_screen_asks_for_its_own_and_the_filter_narrows_it() {
    let mut app = live(120, 40);
    press(&mut app, "/tenant:contoso<Enter>of");
    let asked = |app: &App, topic| app.wants().about(topic).map(|ask| ask.question.clone());
    let Some(Question::Failures(query)) = asked(&app, Topic::Failures) else {
        panic!("failures are not asked for");
    };
    assert_eq!(query.to_string(), "tenant:contoso");
    assert!(app.wants().page().is_none());
    press(&mut app, "ot");
    assert!(matches!(
        asked(&app, Topic::Tenants),
        Some(Question::Health(By::Tenant, _))
    ));
    press(&mut app, "oy");
    assert!(matches!(
        asked(&app, Topic::Types),
        Some(Question::Health(By::Type, _))
    ));
    press(&mut app, "os");
    assert_eq!(asked(&app, Topic::Schedules), Some(Question::Schedules));
    press(&mut app, "on");
    assert_eq!(
        asked(&app, Topic::Notifications),
        Some(Question::Notifications)
    );
}

#[test]
fn a_code_leads_to_its_runs_and_its_meaning_stands_beside_it() {
    let mut app = live(120, 40);
    press(&mut app, "/tenant:contoso code:a.b<Enter>of");
    let board = failures(&app, true);
    tell(&mut app, board);
    let shown = frame(&app);
    assert!(
        shown.contains("Graph answered 429") && shown.contains("3 codes"),
        "{shown}"
    );
    assert!(!shown.contains("filter not applied"), "{shown}");
    press(&mut app, "j");
    assert!(frame(&app).contains("not in the catalogue"));
    press(&mut app, "k<Enter>");
    assert_eq!(app.place(), Place::Runs);
    assert_eq!(
        app.filter.query().to_string(),
        "tenant:contoso code:graph.throttled"
    );
    press(&mut app, "of");
    assert!(
        frame(&app).contains("loading"),
        "the failures of another filter are shown"
    );
}

#[test]
fn a_runbook_has_its_code() {
    let mut app = live(120, 40);
    app.settings.runbook = Some("https://wiki.example/{code}".into());
    press(&mut app, "of");
    let board = failures(&app, true);
    tell(&mut app, board);
    assert!(frame(&app).contains("https://wiki.example/graph.throttled"));
}

#[test]
fn what_a_board_does_not_cover_is_said() {
    let mut app = live(120, 40);
    press(&mut app, "/by:alice<Enter>of");
    let board = failures(&app, false);
    tell(&mut app, board);
    assert!(frame(&app).contains("filter not applied: only tenants, types and since:"));
    press(&mut app, "ot");
    let board = health(&app, By::Tenant, &TENANTS);
    tell(&mut app, board);
    assert!(frame(&app).contains("filter not applied: only tenant:, workspace: and type:"));
    let generation = app.filter.generation();
    tell(
        &mut app,
        Data::Health {
            by: By::Tenant,
            generation,
            board: None,
        },
    );
    assert!(frame(&app).contains("the counting has not caught up"));
}

#[test]
fn an_answer_to_another_filter_changes_nothing() {
    let mut app = live(120, 40);
    let old = failures(&app, true);
    press(&mut app, "/tenant:contoso<Enter>of");
    tell(&mut app, old);
    assert!(frame(&app).contains("loading"));
}

#[test]
fn a_tenant_and_a_type_lead_to_their_runs() {
    let mut app = live(120, 40);
    press(&mut app, "ot");
    let board = health(&app, By::Tenant, &TENANTS);
    tell(&mut app, board);
    press(&mut app, "G<Enter>");
    assert_eq!(app.filter.query().to_string(), "tenant:\"Zoë & Søns\"");
    press(&mut app, "oy");
    let board = health(&app, By::Type, &TYPES);
    tell(&mut app, board);
    press(&mut app, "<Enter>");
    assert_eq!(
        app.filter.query().to_string(),
        "tenant:\"Zoë & Søns\" type:directory_role_definitions.sync"
    );
}

#[test]
fn a_schedule_leads_to_its_last_run_where_there_is_one() {
    let mut app = live(120, 40);
    press(&mut app, "os");
    tell(&mut app, schedules());
    press(&mut app, "<Enter>");
    assert!(frame(&app).contains("it has not fired yet"));
    press(&mut app, "G<Enter>");
    assert!(frame(&app).contains("its last run #7 was pruned"));
    press(&mut app, "k<Enter>");
    assert_eq!(
        (app.place(), app.wants().detail().map(|want| want.id)),
        (Place::Run, Some(RunId(48_208)))
    );
    press(&mut app, "<Esc>");
    assert_eq!(app.place(), Place::Schedules);
}

#[test]
fn what_was_read_of_the_notifications_is_kept_once_they_are_left() {
    let mut app = live(120, 40);
    app.remember(None, [6].into());
    press(&mut app, "on");
    tell(&mut app, notifications());
    assert!(frame(&app).contains("3 not read"));
    assert!(press(&mut app, "j").is_empty());
    assert!(frame(&app).contains("1 not read"));
    let effects = press(&mut app, "<Enter>");
    assert_eq!(effects, [Effect::Read([6, 8, 9].into())]);
    assert_eq!(
        app.wants().detail().map(|want| want.id),
        Some(RunId(48_205))
    );
    assert!(
        press(&mut app, "<Esc><Esc>").is_empty(),
        "the same was kept twice"
    );
    press(&mut app, "onj");
    assert_eq!(
        press(&mut app, "<C-c>"),
        [Effect::Read([6, 7, 8, 9].into()), Effect::Quit]
    );
}
