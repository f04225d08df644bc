//! Every screen at every size in every state it can be in: one snapshot a screen, and the colours of
//! each state apart from its text.

use crate::boards::{TENANTS, TYPES, failures, health, notifications, schedules};
use crate::stage::{answer, app, buffer, frame, give, headline, page, press, story, tell};
use chrono::TimeDelta;
use insta::assert_snapshot;
use opsroom_console::app::{
    App, Compared, Data, DetailAnswer, Place, Reach, Topic, Trouble, WorkersAnswer,
};
use opsroom_console::theme::Role;
use opsroom_model::{Clean, RunId};
use opsroom_read::{By, FailureBoard, HealthBoard, ItemPage, Lookup, Notifications, Schedules};
use std::fmt::Write;
use std::sync::Arc;

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (200, 60), (40, 10)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Empty,
    Loading,
    Normal,
    Stale,
    Error,
    Forbidden,
}

use State::{Empty, Error, Forbidden, Loading, Normal, Stale};

const STATES: [State; 6] = [Empty, Loading, Normal, Stale, Error, Forbidden];

/// The keys that lead to a screen from the runs, and what its questions are about.
fn way(place: Place) -> (&'static str, Topic) {
    match place {
        Place::Runs => ("", Topic::Headline),
        Place::Run => ("<Enter>", Topic::Detail),
        Place::Comparison => ("=", Topic::Comparison),
        Place::Failures => ("of", Topic::Failures),
        Place::Tenants => ("ot", Topic::Tenants),
        Place::Types => ("oy", Topic::Types),
        Place::Workers => ("ow", Topic::Workers),
        Place::Schedules => ("os", Topic::Schedules),
        Place::Notifications => ("on", Topic::Notifications),
    }
}

const PLACES: [Place; 9] = [
    Place::Runs,
    Place::Run,
    Place::Comparison,
    Place::Failures,
    Place::Tenants,
    Place::Types,
    Place::Workers,
    Place::Schedules,
    Place::Notifications,
];

fn stand(place: Place, state: State, (columns, rows): (u16, u16)) -> App {
    let (keys, topic) = way(place);
    let mut app = app(columns, rows, "");
    let reach = match state {
        Forbidden => Reach::default(),
        _ => Reach {
            tenants: 42,
            all: true,
            ..Reach::default()
        },
    };
    tell(&mut app, Data::Reach(reach));
    // A run and a comparison are of a run of the list.
    if matches!(place, Place::Run | Place::Comparison) {
        give(&mut app, page(story()));
        tell(&mut app, Data::Detail(Box::new(answer(RunId(48_213)))));
        // Of another run nothing is known yet.
        if place == Place::Run && !matches!(state, Normal | Stale) {
            press(&mut app, "j");
        }
    }
    press(&mut app, keys);
    if place == Place::Run && app.place() != Place::Run {
        press(&mut app, "<Enter>");
    }
    match state {
        Loading => {}
        Error => {
            let trouble = Trouble {
                what: "no answer within 5 s".into(),
                remedy: "narrow the filter, or look at the server's load".into(),
            };
            tell(&mut app, Data::Failed { topic, trouble });
        }
        _ => answered(&mut app, place, state),
    }
    if state == Stale {
        tell(
            &mut app,
            Data::Lost {
                reason: "connection refused".into(),
            },
        );
    }
    app
}

/// What the database says: rows where the state has any.
fn answered(app: &mut App, place: Place, state: State) {
    let full = matches!(state, Normal | Stale);
    let generation = app.filter.generation();
    let data = match place {
        Place::Runs => {
            give(app, page(if full { story() } else { Vec::new() }));
            if full {
                let headline = headline();
                tell(
                    app,
                    Data::Headline {
                        generation,
                        headline,
                    },
                );
            }
            let Some(want) = app.wants().detail() else {
                return;
            };
            Data::Detail(Box::new(answer(want.id)))
        }
        Place::Run => {
            let Some(want) = app.wants().detail() else {
                panic!("no run is wanted");
            };
            let mut found = answer(want.id);
            match state {
                Empty => found.lookup = Lookup::NotFound,
                Forbidden => {
                    found.lookup = Lookup::Forbidden {
                        capability: Clean::new("restore.execute"),
                    };
                }
                _ => {}
            }
            if !full {
                (found.attempts, found.items) = (Vec::new(), ItemPage::default());
            }
            tell(app, Data::Detail(Box::new(DetailAnswer { ..found })));
            if full {
                crate::history::told(app, 6);
            }
            return;
        }
        Place::Comparison => {
            let Some(want) = app.comparison.want else {
                panic!("no comparison is wanted");
            };
            let run = |id| match answer(RunId(id)).lookup {
                Lookup::Found(run) => run,
                _ => panic!("the stage's answer is a run"),
            };
            let compared = match state {
                Empty => Compared::NoSuccess,
                Forbidden => Compared::Forbidden(Clean::new("restore.execute")),
                _ => {
                    let (this, mut other) = (run(48_213), run(48_207));
                    other.counts.failed = None;
                    Compared::Both { this, other }
                }
            };
            Data::Comparison(want, Box::new(compared))
        }
        Place::Failures if full => failures(app, true),
        Place::Failures => {
            let board = FailureBoard {
                codes: Vec::new(),
                covers_from: app.db_now() - TimeDelta::days(30),
                step: TimeDelta::days(1),
                narrowed: true,
                as_of: app.db_now(),
            };
            Data::Failures {
                generation,
                board: Some(board),
            }
        }
        Place::Tenants if full => health(app, By::Tenant, &TENANTS),
        Place::Types if full => health(app, By::Type, &TYPES),
        Place::Tenants | Place::Types => {
            let by = if place == Place::Tenants {
                By::Tenant
            } else {
                By::Type
            };
            let board = HealthBoard {
                rows: Vec::new(),
                more: false,
                covers_from: app.db_now() - TimeDelta::days(30),
                counted_until: app.db_now(),
                as_of: app.db_now(),
            };
            Data::Health {
                by,
                generation,
                board: Some(board),
            }
        }
        // Workers are no tenant's: a login that reaches none sees them, and none of their runs.
        Place::Workers if full || state == Forbidden => {
            let running = story()
                .into_iter()
                .filter(|row| row.worker_id.is_some() && full);
            Data::Workers(WorkersAnswer {
                workers: crate::workers::workers_of_the_stage(),
                running: running.map(Arc::new).collect(),
            })
        }
        Place::Workers => Data::Workers(WorkersAnswer::default()),
        Place::Schedules if full => schedules(),
        Place::Schedules => Data::Schedules(Schedules {
            rows: Vec::new(),
            more: false,
            as_of: app.db_now(),
        }),
        Place::Notifications if full => notifications(),
        Place::Notifications => Data::Notifications(Notifications {
            has_user: state != Forbidden,
            ..Notifications::default()
        }),
    };
    tell(app, data);
}

/// A frame whose equal rows below each other are counted, not shown.
fn folded(frame: &str) -> String {
    let mut out = String::new();
    let lines: Vec<_> = frame.lines().collect();
    for same in lines.chunk_by(|one, next| one == next) {
        let times = match same.len() {
            1 => String::new(),
            n => format!("~{n} "),
        };
        out.push_str(&times);
        let text = if same.len() > 1 {
            same[0].trim_start()
        } else {
            same[0]
        };
        out.push_str(text);
        out.push('\n');
    }
    out
}

#[test]
fn every_screen_in_every_state_at_every_size() {
    for place in PLACES {
        let mut all = String::new();
        for size in SIZES {
            for state in STATES {
                let app = stand(place, state, size);
                assert_eq!(app.place(), place, "{state:?} at {size:?}");
                let (columns, rows) = size;
                writeln!(all, "===== {columns}×{rows}, {state:?}").unwrap();
                all.push_str(&folded(&frame(&app)));
            }
        }
        assert_snapshot!(format!("matrix_{}", place.title().to_lowercase()), all);
    }
}

#[test]
fn each_state_has_its_colour_on_every_screen() {
    for place in PLACES {
        let role_of = |state, text: &str| {
            let app = stand(place, state, (120, 40));
            let buffer = buffer(&app);
            let fg = cell_of(&buffer, text).map(|cell| cell.fg);
            let roles = [Role::Muted, Role::Problem, Role::Partial];
            let is = |role: &&Role| fg.is_some() && app.theme.style(**role).fg == fg;
            roles.iter().find(is).copied()
        };
        if place != Place::Run {
            assert_eq!(
                role_of(Loading, "loading …"),
                Some(Role::Muted),
                "{place:?}"
            );
        }
        if place != Place::Runs {
            assert_eq!(
                role_of(Error, "no answer within"),
                Some(Role::Problem),
                "{place:?}"
            );
        }
        let forbidden = match place {
            Place::Workers => continue,
            Place::Run | Place::Comparison => "its details ask for",
            _ => "this login",
        };
        assert_eq!(
            role_of(Forbidden, forbidden),
            Some(Role::Partial),
            "{place:?}"
        );
    }
}

#[test]
fn what_is_stale_is_dimmed_on_every_screen() {
    for place in PLACES {
        let app = stand(place, Stale, (120, 40));
        let buffer = buffer(&app);
        let dimmed = app.theme.style(Role::Dimmed).fg;
        let areas = app.areas();
        let body = if areas.list.height > 0 {
            Some(areas.list)
        } else {
            areas.detail
        };
        for y in body.unwrap().rows().map(|row| row.y) {
            for x in 0..app.size.0 {
                let cell = &buffer[(x, y)];
                let is_dim = cell.symbol() == " " || Some(cell.fg) == dimmed;
                assert!(is_dim, "{place:?} at {x},{y}: '{}'", cell.symbol());
            }
        }
    }
}

fn cell_of<'a>(
    buffer: &'a ratatui::buffer::Buffer,
    text: &str,
) -> Option<&'a ratatui::buffer::Cell> {
    for y in 0..buffer.area.height {
        let row: String = (0..buffer.area.width)
            .map(|x| buffer[(x, y)].symbol())
            .collect();
        if let Some(at) = row.find(text) {
            let x = u16::try_from(row[..at].chars().count()).unwrap();
            return Some(&buffer[(x, y)]);
        }
    }
    None
}
