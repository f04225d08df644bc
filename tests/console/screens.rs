//! Screens as text, at the sizes people have.

use crate::stage::{ago, app, frame, give, live, page, press, tell};
use insta::assert_snapshot;
use opsroom_console::app::{Data, DetailAnswer, Message};
use opsroom_model::{Clean, RunId};
use opsroom_read::{ItemPage, Lookup};

#[test]
fn live_at_80x24() {
    assert_snapshot!(frame(&live(80, 24)));
}

#[test]
fn live_at_120x40() {
    assert_snapshot!(frame(&live(120, 40)));
}

#[test]
fn live_at_200x60() {
    assert_snapshot!(frame(&live(200, 60)));
}

#[test]
fn a_list_at_40x10() {
    assert_snapshot!(frame(&live(40, 10)));
}

#[test]
fn full_detail_at_80x24() {
    let mut app = live(80, 24);
    press(&mut app, "<Enter>");
    tell(
        &mut app,
        Data::Detail(Box::new(crate::stage::answer(RunId(48213)))),
    );
    assert_snapshot!(frame(&app));
}

#[test]
fn ascii_at_80x24() {
    let mut app = live(80, 24);
    app.glyphs = &opsroom_console::glyphs::ASCII;
    let frame = frame(&app);
    assert!(frame.is_ascii(), "{frame}");
    assert_snapshot!(frame);
}

#[test]
fn help_at_120x40() {
    let mut app = live(120, 40);
    press(&mut app, "?");
    assert_snapshot!(frame(&app));
}

#[test]
fn typing_a_wrong_filter() {
    let mut app = live(120, 14);
    press(&mut app, "/tenant:contoso stat:x");
    assert_snapshot!(frame(&app));
}

#[test]
fn typing_what_can_be_completed() {
    let mut app = live(120, 24);
    press(&mut app, "/is:failed t<Down>");
    assert_snapshot!(frame(&app));
}

#[test]
fn loading_then_empty_then_nothing_fits() {
    let mut app = app(80, 8, "");
    assert!(frame(&app).contains("loading"));
    give(&mut app, page(Vec::new()));
    assert!(frame(&app).contains("no runs in the last 30 days"));
    press(&mut app, "!");
    give(&mut app, page(Vec::new()));
    assert!(frame(&app).contains("no run fits the filter"));
}

#[test]
fn stale_says_how_long_and_why_over_the_last_data() {
    let mut app = live(120, 24);
    tell(
        &mut app,
        Data::Lost {
            reason: "connection refused".into(),
        },
    );
    app.update(Message::Tick(ago(-12)));
    let frame = frame(&app);
    assert!(
        frame.starts_with(" STALE 12 s — reconnecting (connection refused)"),
        "{frame}"
    );
    assert!(
        frame.contains("restore.execute"),
        "the last data is gone:\n{frame}"
    );
}

/// Nobody is loading anything while there is no database.
#[test]
fn a_board_that_was_never_loaded_says_so_while_the_database_is_gone() {
    for keys in ["of", "ot", "os", "ow", "on", "="] {
        let mut app = live(120, 24);
        press(&mut app, keys);
        assert!(frame(&app).contains("loading …"), "{keys}");
        let reason = "connection refused".into();
        tell(&mut app, Data::Lost { reason });
        let frame = frame(&app);
        assert!(
            frame.contains("never loaded: the database"),
            "{keys}\n{frame}"
        );
        assert!(!frame.contains("loading …"), "{keys}\n{frame}");
    }
}

#[test]
fn old_data_says_so_after_two_missed_intervals() {
    let mut app = live(120, 24);
    app.update(Message::Tick(ago(-5)));
    assert!(frame(&app).contains("● live"));
    app.update(Message::Tick(ago(-6)));
    assert!(frame(&app).contains("● 6s old"));
}

#[test]
fn forbidden_names_the_capability_and_not_found_names_nothing() {
    let mut app = live(120, 40);
    let mut answer = |lookup| {
        let answer = DetailAnswer {
            id: RunId(48213),
            lookup,
            attempts: vec![],
            items: ItemPage::default(),
        };
        tell(&mut app, Data::Detail(Box::new(answer)));
        frame(&app)
    };
    let capability = Clean::new("restore.execute");
    assert!(answer(Lookup::Forbidden { capability }).contains("the capability 'restore.execute'"));
    assert!(answer(Lookup::NotFound).contains("run #48213 does not exist"));
}

#[test]
fn too_small_is_said() {
    assert!(frame(&live(12, 3)).starts_with("too small"));
}

#[test]
fn text_that_steers_terminals_is_shown_not_obeyed() {
    let mut app = app(120, 40, "");
    let mut row = crate::stage::row(
        1,
        opsroom_model::Bucket::Failed,
        "a.b",
        "x\u{1b}[2J\u{202e}",
        100,
    );
    row.initiator = Clean::new("\u{9b}31m\u{200b}");
    give(&mut app, page(vec![row]));
    let frame = frame(&app);
    assert!(
        !frame.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{200b}']),
        "{frame:?}"
    );
    assert!(frame.contains("\\u{1b}"), "{frame}");
}
