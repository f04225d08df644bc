//! No size of the terminal makes the console panic, whatever it shows.

use crate::stage::{frame, give, live, page, press, story, tell};
use opsroom_console::app::{App, Data, Message};

fn every_state() -> Vec<App> {
    let with = |keys: &str| {
        let mut app = live(120, 40);
        press(&mut app, keys);
        app
    };
    let mut stale = live(120, 40);
    tell(
        &mut stale,
        Data::Lost {
            reason: "connection refused".into(),
        },
    );
    vec![
        live(120, 40),
        with("<Enter><Enter>G"),
        with("?G"),
        with("/tenant:東京 stat:x"),
        with("!<Esc>"),
        stale,
        crate::stage::app(120, 40, "is:failed"),
    ]
}

#[test]
fn every_small_size_and_some_large_ones() {
    let small = (0..=60).flat_map(|columns| (0..=20).map(move |rows| (columns, rows)));
    let large = [
        (80, 24),
        (120, 28),
        (159, 27),
        (160, 28),
        (200, 60),
        (500, 200),
        (1000, 3),
    ];
    let sizes: Vec<(u16, u16)> = small.chain(large).collect();
    for mut app in every_state() {
        for (columns, rows) in &sizes {
            app.update(Message::Resize(*columns, *rows));
            frame(&app);
            press(&mut app, "jk");
        }
    }
}

#[test]
fn no_frame_is_wider_than_its_terminal() {
    for (columns, rows) in [(40, 10), (61, 15), (93, 30), (119, 40), (161, 30)] {
        let mut app = live(columns, rows);
        give(&mut app, page(story()));
        for line in frame(&app).lines() {
            let width = unicode_width::UnicodeWidthStr::width(line);
            assert!(width <= usize::from(columns), "{columns}x{rows}: {line}");
        }
    }
}
