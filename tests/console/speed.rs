//! What a frame costs. The bounds hold for a build without optimisation on a busy machine, a long way
//! above what a person's build needs; they are there for what grows without a bound.

use crate::stage::{answer, buffer, frame, give, live, page, press, row, tell};
use opsroom_console::app::{App, Data};
use opsroom_model::{Bucket, RunId};
use opsroom_read::Lookup;
use ratatui::buffer::Buffer;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The time of building a frame and comparing it with the one before: the median and the 99th of a
/// hundred, in that order.
fn frames(app: &mut App, keys: &str) -> (Duration, Duration) {
    let mut shown: Buffer = buffer(app);
    let mut took: Vec<Duration> = (0..100)
        .map(|_| {
            press(app, keys);
            let begun = Instant::now();
            let next = buffer(app);
            let changes = shown.diff(&next).len();
            let took = begun.elapsed();
            assert!(changes < 60 * 200);
            shown = next;
            took
        })
        .collect();
    took.sort_unstable();
    (took[took.len() / 2], took[took.len() * 99 / 100])
}

fn megabyte() -> Value {
    let policy = |n: u32| json!({"id": n, "name": format!("Windows - Baseline - Policy {n}"), "platforms": ["windows10"]});
    let policies: Vec<_> = (0..14_000).map(policy).collect();
    let value = json!({"selection": policies});
    assert!(value.to_string().len() > 900_000);
    value
}

fn large(columns: u16, rows: u16) -> App {
    let mut app = live(columns, rows);
    let rows = (0..250).map(|n| row(n, Bucket::Partial, "restore.execute", "contoso", n + 60));
    give(&mut app, page(rows.collect()));
    app
}

#[test]
fn a_frame_of_250_rows_with_a_detail_is_cheap() {
    let mut app = large(200, 60);
    let id = app.wants().detail().unwrap().id;
    tell(&mut app, Data::Detail(Box::new(answer(id))));
    let (median, worst) = frames(&mut app, "j");
    println!("200x60, 250 rows, detail: p50 {median:?}, p99 {worst:?}");
    assert!(median < Duration::from_millis(400), "{median:?}");
}

#[test]
fn a_context_of_a_megabyte_costs_what_is_shown_of_it() {
    let mut app = large(200, 60);
    let id = app.wants().detail().unwrap().id;
    let mut found = answer(id);
    if let Lookup::Found(run) = &mut found.lookup {
        run.context = Some(megabyte());
    }
    tell(&mut app, Data::Detail(Box::new(found)));
    press(&mut app, "<Enter>");
    let (folded, _) = frames(&mut app, "j");
    // Everything unfolded, in the middle of it.
    press(&mut app, "/selection<Enter>l");
    assert!(frame(&app).contains("more lines"));
    press(&mut app, "/Policy 13900<Enter>");
    let (median, worst) = frames(&mut app, "k");
    println!("1 MB of context: folded p50 {folded:?}, unfolded p50 {median:?}, p99 {worst:?}");
    assert!(median < Duration::from_millis(800), "{median:?}");
    assert_eq!(app.wants().detail().map(|want| want.id), Some(RunId(id.0)));
}
