//! What keys do to the state, without a terminal.

use crate::stage::{ago, answer, app, frame, give, live, page, press, row, story, tell};
use opsroom_console::app::{App, Data, Effect, Message, Pane, Place};
use opsroom_console::keymap::Context;
use opsroom_model::{Bucket, RunId};

/// A word about one key does not stay over what the next one does.
#[test]
fn a_word_goes_with_the_next_key() {
    let mut app = live(120, 24);
    press(&mut app, "1");
    assert!(frame(&app).contains("there is no view 1"));
    press(&mut app, "j");
    assert!(!frame(&app).contains("there is no view 1"));
    assert!(frame(&app).contains("? keys"), "{}", frame(&app));
}

#[test]
fn the_selection_follows_the_run_not_the_row() {
    let mut app = live(120, 40);
    press(&mut app, "jj");
    assert_eq!(app.runs.selected(), Some(RunId(48211)));
    let mut rows = story();
    rows.insert(
        0,
        row(50_000, Bucket::Running, "inventory.sync", "fabrikam", 1),
    );
    give(&mut app, page(rows));
    assert_eq!(app.runs.selected(), Some(RunId(48211)));
    assert_eq!(app.wants().detail().map(|want| want.id), Some(RunId(48211)));
}

#[test]
fn at_the_top_the_newest_run_is_followed_until_one_moves() {
    let mut app = live(120, 40);
    let newest = || row(50_000, Bucket::Running, "inventory.sync", "fabrikam", 1);
    let mut rows = story();
    rows.insert(0, newest());
    give(&mut app, page(rows));
    assert_eq!(app.runs.selected(), Some(RunId(50_000)));
    press(&mut app, "j");
    let chosen = app.runs.selected();
    let mut rows = story();
    rows.splice(0..0, [row(50_001, Bucket::Queued, "a.b", "x", 0), newest()]);
    give(&mut app, page(rows));
    assert_eq!(app.runs.selected(), chosen);
    press(&mut app, "f");
    assert_eq!(app.runs.selected(), Some(RunId(50_001)));
}

#[test]
fn a_run_that_left_the_list_leaves_the_selection_in_its_place() {
    let mut app = live(120, 40);
    press(&mut app, "jjj");
    let mut rows = story();
    rows.remove(3);
    give(&mut app, page(rows));
    assert_eq!(app.runs.selected(), Some(RunId(48209)));
    give(&mut app, page(Vec::new()));
    assert_eq!(app.runs.selected(), None);
    press(&mut app, "jkG<Enter><Esc>");
}

#[test]
fn the_list_scrolls_as_little_as_it_must() {
    let mut app = app(80, 12, "");
    let rows = (0..200)
        .map(|n| row(n, Bucket::Succeeded, "a.b", "x", n + 60))
        .collect();
    give(&mut app, page(rows));
    press(&mut app, "G");
    assert_eq!(app.runs.at(), 199);
    let height = usize::from(app.areas().list.height);
    assert_eq!(app.runs.top(), 200 - height);
    press(&mut app, "k");
    assert_eq!(app.runs.top(), 200 - height);
    press(&mut app, "g");
    assert_eq!((app.runs.at(), app.runs.top()), (0, 0));
    press(&mut app, "<PgDn>");
    assert_eq!(app.runs.at(), height - 1);
}

#[test]
fn escape_peels_one_thing_at_a_time_and_never_quits() {
    let mut app = live(120, 40);
    press(&mut app, "!/x");
    assert_eq!(app.context(), Context::Input);
    press(&mut app, "<Esc>");
    assert_eq!(app.context(), Context::List);
    assert!(app.areas().detail.is_some());
    press(&mut app, "<Esc>");
    assert_eq!(app.detail.pane, Pane::Closed);
    assert_eq!(app.filter.query().to_string(), "is:failed,partial");
    press(&mut app, "<Esc>");
    assert!(app.filter.query().is_empty());
    assert!(press(&mut app, "<Esc><Esc><Esc>").is_empty());
    assert_eq!(press(&mut app, "q"), [Effect::Quit]);
}

#[test]
fn q_leaves_the_full_detail_first_and_ctrl_c_leaves_at_once() {
    let mut app = live(80, 24);
    press(&mut app, "<Enter>");
    assert_eq!(app.place(), Place::Run);
    assert!(press(&mut app, "q").is_empty());
    assert_eq!(press(&mut app, "q"), [Effect::Quit]);
    let mut app = live(80, 24);
    assert_eq!(press(&mut app, "/abc<C-c>"), [Effect::Quit]);
}

#[test]
fn a_filter_that_cannot_be_understood_stays_open_and_changes_nothing() {
    let mut app = live(120, 40);
    let before = app.wants();
    press(&mut app, "/is:faild");
    assert_eq!(app.filter.error().map(|error| error.at), Some(3));
    press(&mut app, "<Enter>");
    assert_eq!(app.context(), Context::Input);
    assert_eq!(app.wants(), before);
    assert!(frame(&app).contains("'faild' is no state"));
}

#[test]
fn what_is_offered_is_taken_where_the_cursor_stands() {
    let mut app = live(120, 40);
    let typed = |app: &App| app.filter.input().unwrap().value().to_owned();
    press(&mut app, "/ty<Tab>restore<Tab>");
    assert_eq!(typed(&app), "type:restore.execute");
    press(&mut app, " by:al<Down><Enter> is:fa<Tab>,st<Up><Enter>");
    assert_eq!(
        typed(&app),
        "type:restore.execute by:\"Alice Meyer\" is:failed,stuck"
    );
    // Esc gives up the choice, then the input; Enter without a choice applies.
    press(&mut app, " t<Down><Esc>");
    assert_eq!(app.context(), Context::Input);
    press(&mut app, "<C-u>code:graph.thr<Tab><Enter>");
    assert_eq!(app.filter.query().to_string(), "code:graph.throttled");
}

#[test]
fn an_accepted_filter_asks_anew_and_old_answers_are_dropped() {
    let mut app = live(120, 40);
    let old = app.filter.generation();
    press(&mut app, "/tenant:contoso<Enter>");
    assert_eq!(
        app.wants().page().unwrap().query.to_string(),
        "tenant:contoso"
    );
    assert!(app.runs.loading);
    tell(
        &mut app,
        Data::Page {
            generation: old,
            page: page(story()),
        },
    );
    assert!(
        app.runs.rows.is_empty(),
        "an answer to the former filter was shown"
    );
    give(
        &mut app,
        page(vec![row(1, Bucket::Failed, "a.b", "contoso", 100)]),
    );
    assert_eq!(app.runs.rows.len(), 1);
}

#[test]
fn the_exclamation_mark_adds_and_drops_failures() {
    let mut app = live(120, 40);
    press(&mut app, "/tenant:x<Enter>!");
    assert_eq!(app.filter.query().to_string(), "tenant:x is:failed,partial");
    press(&mut app, "!");
    assert_eq!(app.filter.query().to_string(), "tenant:x");
}

#[test]
fn a_late_detail_of_another_run_is_dropped() {
    let mut app = live(120, 40);
    press(&mut app, "j");
    tell(&mut app, Data::Detail(Box::new(answer(RunId(48213)))));
    assert_eq!(app.wants().detail().map(|want| want.id), Some(RunId(48212)));
    tell(&mut app, Data::Detail(Box::new(answer(RunId(48212)))));
    assert!(frame(&app).contains("#48212"));
}

#[test]
fn copying_gives_the_id_and_nothing_else() {
    let mut app = live(120, 40);
    assert_eq!(press(&mut app, "y"), [Effect::Copy("48213".into())]);
    assert!(frame(&app).contains("copied 48213"));
}

#[test]
fn pasted_text_becomes_one_line_of_the_filter_and_is_a_key_nowhere_else() {
    let mut app = live(120, 40);
    app.update(Message::Paste("q\rq".into()));
    assert_eq!(app.context(), Context::List);
    press(&mut app, "/");
    app.update(Message::Paste("a\r\nb\u{1b}c".into()));
    assert_eq!(
        app.filter.input().map(|input| input.value()),
        Some("a  b c")
    );
}

#[test]
fn pausing_stops_polling_and_going_on_asks_at_once() {
    let mut app = live(120, 40);
    let before = app.wants().nudge;
    press(&mut app, "p");
    assert!(app.wants().paused);
    assert!(frame(&app).contains("paused"));
    press(&mut app, "p");
    assert!(!app.wants().paused && app.wants().nudge > before);
}

#[test]
fn e_walks_the_failures() {
    let mut app = live(120, 40);
    press(&mut app, "e");
    assert_eq!(app.runs.selected(), Some(RunId(48208)));
    press(&mut app, "E");
    assert_eq!(app.runs.selected(), Some(RunId(48213)));
}

#[test]
fn nothing_on_the_screen_changes_within_a_minute_where_all_is_old() {
    let mut app = app(120, 24, "");
    let rows = (0..30)
        .map(|n| row(n, Bucket::Succeeded, "a.b", "x", n * 37 + 61))
        .collect();
    give(&mut app, page(rows));
    // From one full minute to just before the next; answers keep coming.
    let before = frame(&app);
    for second in 1..60 {
        app.update(Message::Tick(ago(-second)));
        app.health = opsroom_console::app::Health::Live;
        app.answered_at = Some(ago(-second));
        assert_eq!(frame(&app), before, "second {second}");
    }
    app.update(Message::Tick(ago(-60)));
    assert_ne!(frame(&app), before);
}

#[test]
fn a_slash_filters_the_list_and_searches_the_detail() {
    let mut app = live(80, 24);
    press(&mut app, "/is:failed");
    assert!(frame(&app).contains("is:failed"), "{}", frame(&app));
    press(&mut app, "<Esc><Enter>/conflict");
    assert!(frame(&app).contains("search conflict"), "{}", frame(&app));
    press(&mut app, "<Enter>");
    assert!(app.filter.query().is_empty());
}

#[test]
fn tab_gives_the_detail_the_keys_and_escape_takes_them_back() {
    let mut app = live(120, 30);
    press(&mut app, "<Tab>");
    assert_eq!(app.context(), Context::Detail);
    press(&mut app, "G");
    assert!(app.detail.top > 0, "the detail did not scroll");
    assert_eq!(app.runs.selected(), Some(RunId(48213)));
    press(&mut app, "<Esc>j");
    assert_eq!(app.runs.selected(), Some(RunId(48212)));
}
