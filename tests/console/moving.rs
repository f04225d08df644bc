//! Moving about: through the moments of the list, with the newest run, between boards.

use crate::stage::{frame, give, headline, live, page, press, row, tell};
use opsroom_console::app::{App, Data, Place};
use opsroom_model::Bucket;

#[test]
fn the_counts_of_a_moment_stand_still_while_it_is_shown() {
    let mut app = live(120, 40);
    let counted = |app: &mut App, running| {
        let mut headline = headline();
        headline.counts[1].1.n = running;
        let generation = app.filter.generation();
        let answer = Data::Headline {
            generation,
            headline,
        };
        tell(app, answer);
    };
    give(
        &mut app,
        page(vec![row(50_001, Bucket::Running, "a.b", "x", 5)]),
    );
    press(&mut app, "[");
    let past = frame(&app);
    assert!(past.contains("12 running"), "{past}");
    counted(&mut app, 77);
    assert_eq!(frame(&app), past);
    give(
        &mut app,
        page(vec![row(50_002, Bucket::Running, "a.b", "x", 5)]),
    );
    press(&mut app, "<Esc>");
    assert!(frame(&app).contains("77 running"), "{}", frame(&app));
    counted(&mut app, 78);
    press(&mut app, "[[");
    assert!(frame(&app).contains("12 running"), "{}", frame(&app));
}

#[test]
fn whether_the_newest_run_is_followed_is_shown() {
    let mut app = live(120, 40);
    press(&mut app, "j");
    assert!(!frame(&app).contains("following"));
    press(&mut app, "f");
    let followed = frame(&app);
    assert!(
        followed.lines().nth(2).unwrap().contains("following"),
        "{followed}"
    );
    press(&mut app, "j");
    assert!(!frame(&app).contains("following"));
}

#[test]
fn boards_take_each_others_place() {
    let mut app = live(120, 40);
    press(&mut app, "otoyow");
    assert!(frame(&app).contains("Runs › Workers"));
    press(&mut app, "q");
    assert_eq!(app.place(), Place::Runs);
}
