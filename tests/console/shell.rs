//! The shell of the console: screens, palette, menus, marks, time travel, search, mouse, bells.

use crate::stage::{
    ago, answer, app, buffer, frame, give, live, now, page, press, row, story, tell,
};
use crate::workers::workers;
use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use insta::assert_snapshot;
use opsroom_console::app::{
    App, Capture, Compared, ComparisonWant, Data, Effect, Message, Place, Question, SavedView,
    Topic, With,
};
use opsroom_console::keymap::Context;
use opsroom_console::theme::Role;
use opsroom_model::query::parse;
use opsroom_model::{Bucket, Clean, RunId};
use opsroom_read::Lookup;
use serde_json::json;
use std::sync::Arc;

#[test]
fn what_means_nothing_on_a_screen_is_said_and_not_hinted_at() {
    let mut app = workers(120, 40);
    let hints = frame(&app).lines().last().unwrap_or_default().to_owned();
    assert!(
        !hints.contains("compare") && !hints.contains("filter"),
        "{hints}"
    );
    press(&mut app, "=");
    assert!(frame(&app).contains("not in Workers"));
    assert_eq!(app.place(), Place::Workers);
}

#[test]
fn a_chord_shows_what_can_follow_and_another_key_gives_it_up() {
    let mut app = live(120, 40);
    press(&mut app, "o");
    let frame = frame(&app);
    assert!(
        frame.lines().last().unwrap().contains("w workers"),
        "{frame}"
    );
    press(&mut app, "q");
    assert_eq!((app.place(), app.begun), (Place::Runs, None));
}

#[test]
fn the_palette_narrows_goes_and_never_lists_runs() {
    let mut app = live(120, 40);
    press(&mut app, ":");
    assert_eq!(app.context(), Context::Menu);
    assert!(!frame(&app).contains(": restore.execute"));
    press(&mut app, "wrk");
    assert_snapshot!(frame(&app));
    press(&mut app, "<Enter>");
    assert_eq!(app.place(), Place::Workers);
    press(&mut app, ":q<Esc>");
    assert_eq!(app.place(), Place::Workers);
}

#[test]
fn a_number_in_the_palette_opens_that_run_and_esc_goes_back_to_where_one_was() {
    let mut app = workers(120, 40);
    press(&mut app, ":777");
    assert!(frame(&app).contains("run #777"));
    press(&mut app, "<Enter>");
    assert_eq!(app.place(), Place::Run);
    assert_eq!(app.wants().detail().map(|want| want.id), Some(RunId(777)));
    tell(&mut app, Data::Detail(Box::new(answer(RunId(777)))));
    assert!(frame(&app).contains("Run #777"));
    press(&mut app, "<Esc>");
    assert_eq!(app.place(), Place::Workers);
    press(&mut app, "<Esc>");
    assert_eq!(app.wants().detail().map(|want| want.id), Some(RunId(48213)));
}

#[test]
fn a_theme_is_tried_on_while_choosing_and_taken_off_by_escape() {
    let mut app = live(120, 40);
    press(&mut app, "T<Down>");
    assert_eq!(app.theme.name(), "light");
    press(&mut app, "<Esc>");
    assert_eq!(app.theme.name(), "dark");
    press(&mut app, "Tmono<Enter>");
    assert_eq!(app.theme.name(), "monochrome");
}

#[test]
fn saved_views_are_on_their_keys_and_in_the_palette() {
    let mut app = live(120, 40);
    press(&mut app, "3");
    assert!(frame(&app).contains("there is no view 3"));
    app.settings.views = vec![SavedView {
        name: "stuck at night".into(),
        slot: Some(3),
        query: parse("is:running since:12h").unwrap(),
        place: Place::Runs,
    }];
    press(&mut app, "ow3");
    assert_eq!(app.place(), Place::Runs);
    assert_eq!(app.filter.query().to_string(), "is:running since:12h");
    press(&mut app, "<Esc><Esc><Esc>:night");
    assert!(frame(&app).contains("stuck at night"));
}

#[test]
fn time_travel_shows_earlier_moments_and_says_so() {
    let mut app = live(120, 40);
    for n in 1..=3_i64 {
        let mut later = page(vec![row(50_000 + n, Bucket::Running, "a.b", "x", 5)]);
        later.as_of = ago(-2 * n);
        give(&mut app, later);
    }
    assert!(frame(&app).contains("a.b"));
    press(&mut app, "[[[");
    let past = frame(&app);
    assert!(past.starts_with(" PAST  "), "{past}");
    assert!(
        past.contains("1 of 4") && past.contains("restore.execute"),
        "{past}"
    );
    give(
        &mut app,
        page(vec![row(60_000, Bucket::Queued, "c.d", "x", 0)]),
    );
    assert!(
        frame(&app).contains("restore.execute"),
        "an answer ended the past"
    );
    press(&mut app, "ow");
    let banner = frame(&app).lines().next().unwrap_or_default().to_owned();
    assert!(
        banner.starts_with(" PAST") && banner.contains("this screen is as of now"),
        "{banner}"
    );
    press(&mut app, "or]");
    assert!(frame(&app).contains("2 of 5"));
    let nudge = app.wants().nudge;
    press(&mut app, "<Esc>");
    assert!(frame(&app).contains("c.d") && app.wants().nudge > nudge);
}

#[test]
fn compare_takes_the_mark_or_the_last_success() {
    let mut app = live(120, 40);
    press(&mut app, "=");
    let want = ComparisonWant {
        run: RunId(48213),
        with: With::LastSuccess,
    };
    assert_eq!(
        app.wants()
            .about(Topic::Comparison)
            .map(|ask| ask.question.clone()),
        Some(Question::Comparison(want))
    );
    press(&mut app, "<Esc>j <Up>k=");
    let want = ComparisonWant {
        run: RunId(48213),
        with: With::Run(RunId(48212)),
    };
    assert_eq!(app.comparison.want, Some(want));
    let run = |id, scope: &str| {
        let Lookup::Found(mut run) = answer(RunId(id)).lookup else {
            panic!("the stage's answer is a run");
        };
        run.context = Some(json!({"input": {"scope": scope, "policy_id": 7}}));
        run
    };
    let (this, mut other) = (run(48213, "full"), run(48212, "policy"));
    other.state = Bucket::Succeeded.state();
    other.failures.clear();
    other.counts.failed = Some(0);
    tell(
        &mut app,
        Data::Comparison(want, Box::new(Compared::Both { this, other })),
    );
    assert_snapshot!(frame(&app));
    tell(
        &mut app,
        Data::Comparison(want, Box::new(Compared::NoSuccess)),
    );
    assert!(frame(&app).contains("no earlier run of this tenant and type succeeded"));
    tell(
        &mut app,
        Data::Comparison(want, Box::new(Compared::Forbidden(Clean::new("x.y")))),
    );
    assert!(frame(&app).contains("the capability 'x.y'"));
}

#[test]
fn the_copy_menu_offers_what_can_be_copied() {
    let mut app = live(120, 40);
    app.settings.link = Some("https://admin.example/runs/{id}".into());
    press(&mut app, "/tenant:\"o'neill\"<Enter>");
    give(&mut app, page(story()));
    let copied = |app: &mut App, typed: &str| press(app, &format!("Y{typed}<Enter>"));
    assert_eq!(
        copied(&mut app, "link"),
        [Effect::Copy("https://admin.example/runs/48213".into())]
    );
    assert_eq!(
        copied(&mut app, "code"),
        [Effect::Copy("graph.conflict".into())]
    );
    assert_eq!(
        copied(&mut app, "this run"),
        [Effect::Copy("opsroom run 48213".into())]
    );
    let list = r"opsroom runs -q 'tenant:o'\''neill'";
    assert_eq!(copied(&mut app, "this list"), [Effect::Copy(list.into())]);
    let [Effect::Copy(summary)] = &copied(&mut app, "customer")[..] else {
        panic!("nothing was copied");
    };
    for internal in ["graph.", "Alice", "ams-2"] {
        assert!(!summary.contains(internal), "{summary}");
    }
}

#[test]
fn a_bell_rings_once_when_its_run_ends() {
    let mut app = live(120, 40);
    press(&mut app, "b");
    assert!(app.watched.is_empty() && frame(&app).contains("has ended already"));
    press(&mut app, "jb");
    let asked = app
        .wants()
        .about(Topic::Watched)
        .map(|ask| ask.question.clone());
    assert_eq!(asked, Some(Question::Watched(vec![RunId(48212)])));
    let mut run = story().remove(1);
    let said = |app: &mut App, row| app.update(Message::Data(Data::Watched(vec![Arc::new(row)])));
    assert!(said(&mut app, run.clone()).is_empty());
    run.state = Bucket::Failed.state();
    let word = "#48212 backup_schedule.scheduled northwind: failed";
    assert_eq!(said(&mut app, run.clone()), [Effect::Bell(word.into())]);
    assert!(said(&mut app, run).is_empty());
}

#[test]
fn searching_walks_the_detail_and_unfolds_what_it_finds() {
    let mut app = live(120, 40);
    let mut found = answer(RunId(48213));
    if let Lookup::Found(run) = &mut found.lookup {
        let many: Vec<_> = (0..400)
            .map(|n| json!({"name": format!("policy {n}")}))
            .collect();
        run.context = Some(json!({"selection": many}));
    }
    tell(&mut app, Data::Detail(Box::new(found)));
    press(&mut app, "<Enter>");
    assert!(!frame(&app).contains("policy 321"));
    press(&mut app, "/POLICY 321<Enter>");
    let screen = frame(&app);
    assert!(screen.contains("policy 321"), "{screen}");
    let colours = buffer(&app);
    let found = app.theme.style(Role::Found).bg;
    assert_eq!(
        colours
            .content()
            .iter()
            .filter(|cell| Some(cell.bg) == found)
            .count(),
        10
    );
    press(&mut app, "/policy<Enter>n");
    assert!(frame(&app).contains("policy 323"));
    press(&mut app, "NN");
    assert!(frame(&app).contains("policy 321"));
    press(&mut app, "/nowhere<Enter>");
    assert!(frame(&app).contains("not found"));
}

#[test]
fn branches_of_the_context_fold_under_the_cursor() {
    let mut app = live(120, 40);
    press(&mut app, "<Enter>G");
    press(&mut app, "h");
    assert!(frame(&app).contains("▸ selection  2"), "{}", frame(&app));
    press(&mut app, "l");
    assert!(frame(&app).contains("▾ selection"));
    press(&mut app, "<Enter>");
    assert!(frame(&app).contains("▸ selection  2"));
}

#[test]
fn what_changed_since_the_last_look_is_marked_until_looked_at() {
    let mut app = app(120, 40, "");
    app.remember(Some(ago(1000)), std::collections::BTreeSet::new());
    give(&mut app, page(story()));
    app.update(Message::Tick(now()));
    let marks = |app: &App| {
        frame(app)
            .lines()
            .filter(|line| line.starts_with('•'))
            .count()
    };
    assert_eq!(marks(&app), 5);
    press(&mut app, "jk");
    assert_eq!(marks(&app), 3);
    assert!(
        app.update(Message::Focus(false))
            .iter()
            .any(|effect| matches!(effect, Effect::Looked(_)))
    );
    assert_eq!(marks(&app), 0);
}

fn mouse(app: &mut App, kind: MouseEventKind, column: u16, row: u16) -> Vec<Effect> {
    app.update(Message::Mouse(MouseEvent {
        kind,
        column,
        row,
        modifiers: KeyModifiers::NONE,
    }))
}

#[test]
fn clicks_select_and_open_and_the_wheel_moves() {
    let mut app = live(120, 40);
    let click = MouseEventKind::Down(MouseButton::Left);
    let list = app.areas().list;
    mouse(&mut app, click, 20, list.y + 2);
    assert_eq!(app.runs.selected(), Some(RunId(48211)));
    mouse(&mut app, MouseEventKind::ScrollDown, 20, list.y);
    assert_eq!(app.runs.selected(), Some(RunId(48208)));
    mouse(&mut app, click, 20, list.y + 5);
    assert_eq!(app.place(), Place::Run);
    press(&mut app, "<Esc>");
    let filter = app.areas().filter;
    mouse(&mut app, click, 20, filter.y);
    assert_eq!(app.context(), Context::Input);
    press(&mut app, "is:f");
    mouse(&mut app, click, 20, filter.y);
    assert!(frame(&app).contains("/ is:f"), "what was typed is kept");
    press(&mut app, "<Esc>");
    let header = app.areas().header;
    mouse(&mut app, click, 118, header.y);
    assert!(frame(&app).contains("cannot be sorted by this column"));
    press(&mut app, ":");
    mouse(&mut app, click, 60, 10);
    assert_eq!(app.place(), Place::Workers);
    assert_eq!(press(&mut app, "m"), [Effect::Mouse(Capture::Off)]);
    for column in [0, 60, 119, 500] {
        for row in [0, 20, 39, 500] {
            mouse(&mut app, click, column, row);
            mouse(&mut app, MouseEventKind::ScrollUp, column, row);
        }
    }
}

#[test]
fn saved_themes_are_worn_at_once_and_a_wrong_one_is_said() {
    let mut app = live(120, 40);
    app.update(Message::Themes(Err(
        "theme 'mine': line 3, column 1: x".into()
    )));
    assert!(frame(&app).contains("line 3, column 1"));
    assert_eq!(app.theme.name(), "dark");
}
