//! Frames as the program paints them: built, compared with the one before, and what changed made into
//! the bytes that a terminal would be sent; only these go nowhere.

use super::report::{Report, milliseconds, percentile};
use crate::stage::{answer, give, live, page, press, story, tell};
use opsroom_console::app::{App, Compared, Data};
use opsroom_console::terminal::Painter;
use opsroom_model::{Clean, RunId};
use opsroom_read::Lookup;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const FRAMES: usize = 2_000;
/// Milliseconds at the 99th of a hundred: of a frame, and of one with a megabyte of context.
const FRAME: f64 = 1.0;
const MEGABYTE: f64 = 2.0;

/// Times of painting, `keys` being pressed in turn before each, and of taking these in.
fn frames(app: &mut App, keys: &[&str]) -> (Vec<Duration>, Vec<Duration>) {
    let mut painter = Painter::elsewhere(std::io::sink());
    painter.paint(app).unwrap();
    let (mut drawn, mut taken) = (Vec::new(), Vec::new());
    for at in 0..FRAMES {
        let begun = Instant::now();
        press(app, keys[at % keys.len()]);
        taken.push(begun.elapsed());
        let begun = Instant::now();
        painter.paint(app).unwrap();
        drawn.push(begun.elapsed());
    }
    (drawn, taken)
}

fn tell_of(report: &mut Report, name: &str, app: &mut App, keys: &[&str], bound: f64) {
    let (mut drawn, mut taken) = frames(app, keys);
    report.figure(
        &format!("{name}, p50"),
        percentile(&mut drawn, 50),
        "ms a frame",
    );
    report.bounded(
        &format!("{name}, p99"),
        percentile(&mut drawn, 99),
        bound,
        "ms a frame",
    );
    report.bounded(
        &format!("{name}, its key, p99"),
        percentile(&mut taken, 99),
        bound,
        "ms a key",
    );
}

/// 250 rows of every kind, and the detail of one.
fn full(columns: u16, rows: u16) -> App {
    let mut app = live(columns, rows);
    let rows = (0..250).map(|n: i64| {
        let kinds = story();
        let mut row = kinds[n.unsigned_abs() as usize % kinds.len()].clone();
        row.id = RunId(1_000 - n);
        row
    });
    give(&mut app, page(rows.collect()));
    let id = app.wants().detail().unwrap().id;
    let mut found = answer(id);
    let item = found.items.items[0].clone();
    found.items.items = (0..50)
        .map(|n| {
            let mut item = item.clone();
            item.key = Clean::new(&format!("pol-{n:03}"));
            item
        })
        .collect();
    tell(&mut app, Data::Detail(Box::new(found)));
    app
}

fn megabyte() -> Value {
    let policy = |n: u32| json!({"id": n, "name": format!("Windows - Baseline - Policy {n}"), "platforms": ["windows10"]});
    let policies: Vec<_> = (0..14_000).map(policy).collect();
    json!({"selection": policies})
}

/// Prints the figures.
pub(crate) fn measure(report: &mut Report) {
    let mut app = full(200, 60);
    let name = "200x60, 250 rows and a detail";
    tell_of(report, name, &mut app, &["j"], FRAME);
    let name = "200x60, page by page";
    tell_of(report, name, &mut app, &["g", "<PgDn>", "<PgDn>"], FRAME);
    megabyte_of_context(report);
}

fn megabyte_of_context(report: &mut Report) {
    let mut app = full(200, 60);
    let id = app.wants().detail().unwrap().id;
    let with_context = || {
        let mut found = answer(id);
        if let Lookup::Found(run) = &mut found.lookup {
            run.context = Some(megabyte());
        }
        Data::Detail(Box::new(found))
    };
    for (name, data) in [
        ("1 MB of context, taken in", with_context()),
        ("1 MB of context, taken in again", with_context()),
    ] {
        let begun = Instant::now();
        tell(&mut app, data);
        report.figure(name, milliseconds(begun.elapsed()), "ms");
    }
    press(&mut app, "<Enter>");
    let name = "1 MB of context, folded";
    tell_of(report, name, &mut app, &["j", "k"], MEGABYTE);
    press(&mut app, "/selection<Enter>l");
    let begun = Instant::now();
    press(&mut app, "/Policy 13900<Enter>");
    let found = milliseconds(begun.elapsed());
    report.figure("1 MB of context, searched to its end", found, "ms");
    let name = "1 MB of context, unfolded, near its end";
    tell_of(report, name, &mut app, &["k", "j"], MEGABYTE);
    press(&mut app, "=");
    let want = app.comparison.want.unwrap();
    let run = |shift| {
        let Lookup::Found(mut run) = answer(id).lookup else {
            panic!("the stage's answer is a run");
        };
        run.context = Some(json!({"shift": shift, "selection": megabyte()}));
        run
    };
    let (this, other) = (run(1), run(2));
    let compared = Box::new(Compared::Both { this, other });
    let begun = Instant::now();
    tell(&mut app, Data::Comparison(want, compared));
    let taken = milliseconds(begun.elapsed());
    report.figure("two of 1 MB compared", taken, "ms");
    let name = "two of 1 MB, compared";
    tell_of(report, name, &mut app, &["j", "k"], MEGABYTE);
}
