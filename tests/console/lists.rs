//! The list of runs in other orders, searched slice by slice, and the day above it.

use crate::stage::{ago, frame, give, live, now, page, press, row, story, tell};
use chrono::TimeDelta;
use opsroom_console::app::{App, Data, Question, Sort, Topic, Trouble};
use opsroom_model::{Bucket, RunId};
use opsroom_read::{Direction, PageRequest, Point, RunPage, RunRow, SortBy, SortedPage};

const LONGEST: Sort = Sort::By(SortBy::Took, Direction::Descending);

fn asked(app: &App, topic: Topic) -> Option<Question> {
    app.wants().about(topic).map(|ask| ask.question.clone())
}

fn sorted(app: &mut App, sort: Sort, rows: Vec<RunRow>) {
    let (covered, since) = (1000, Some(ago(400)));
    let mut page = page(rows);
    page.more = true;
    let generation = app.filter.generation();
    let page = SortedPage {
        page,
        covered,
        since,
    };
    tell(
        app,
        Data::Sorted {
            generation,
            sort,
            page,
        },
    );
}

#[test]
fn an_order_is_asked_for_and_says_what_it_covers() {
    let mut app = live(120, 40);
    press(&mut app, "Show long<Enter>");
    let Some(Question::Sorted(request)) = asked(&app, Topic::Page) else {
        panic!("another order is not asked for");
    };
    assert_eq!(
        (request.by, request.direction),
        (SortBy::Took, Direction::Descending)
    );
    assert!(
        frame(&app).contains("loading"),
        "rows of another order are shown"
    );
    let mut rows = story();
    rows.reverse();
    sorted(&mut app, LONGEST, rows);
    let shown = frame(&app);
    assert!(
        shown.contains("sorted: newest 400, since 09:13:20"),
        "{shown}"
    );
    assert!(shown.contains("TOOK↓"), "{shown}");
    assert_eq!(app.runs.selected(), Some(RunId(48_206)));
    give(&mut app, page(story()));
    assert_eq!(
        app.runs.selected(),
        Some(RunId(48_206)),
        "a late page of the former order"
    );
    press(&mut app, "I");
    let shortest = Sort::By(SortBy::Took, Direction::Ascending);
    assert_eq!(app.runs.sort, shortest);
    sorted(&mut app, LONGEST, story());
    assert!(
        frame(&app).contains("loading"),
        "an answer of the other end was taken"
    );
    sorted(&mut app, shortest, story());
    assert!(frame(&app).contains("TOOK↑"));
    press(&mut app, "Sage<Enter>");
    assert!(app.wants().page().is_some());
}

#[test]
fn an_order_that_takes_too_long_is_given_up() {
    let mut app = live(120, 40);
    press(&mut app, "Show long<Enter>");
    let trouble = Trouble {
        what: "no answer within 5 s".into(),
        remedy: String::new(),
    };
    tell(
        &mut app,
        Data::Failed {
            topic: Topic::Page,
            trouble,
        },
    );
    assert_eq!(app.runs.sort, Sort::Created);
    assert!(frame(&app).contains("no answer within 5 s"));
}

/// A slice of a search: rows of these ids, and where it stopped.
fn slice(ids: &[i64], stopped: i64) -> RunPage {
    let of = |id: i64| row(id, Bucket::Failed, "a.b", "x", 100_000 - id);
    let mut page = page(ids.iter().map(|id| of(*id)).collect());
    page.within_budget = true;
    page.more = true;
    page.searched_to = Some(of(stopped).cursor());
    page
}

fn older(app: &mut App, page: RunPage) {
    let Some(Question::Older(PageRequest {
        before: Some(before),
        ..
    })) = asked(app, Topic::Older)
    else {
        panic!("nothing older is searched");
    };
    let generation = app.filter.generation();
    tell(
        app,
        Data::Older {
            generation,
            before,
            page,
        },
    );
}

fn ids(app: &App) -> Vec<i64> {
    app.runs.rows.iter().map(|row| row.id.0).collect()
}

#[test]
fn a_search_goes_on_by_itself_and_says_how_far_it_is() {
    let mut app = live(120, 40);
    press(&mut app, "/throttled<Enter>");
    give(&mut app, slice(&[900, 890], 800));
    let shown = frame(&app);
    assert!(
        shown.contains("searching older… to 11-20 05:46 · 2 runs"),
        "{shown}"
    );
    older(&mut app, slice(&[], 700));
    older(&mut app, slice(&[690, 650], 600));
    assert_eq!(ids(&app), [900, 890, 690, 650]);
    // The list is polled meanwhile: what is new comes on top, what was searched out stays.
    give(&mut app, slice(&[950, 900, 890], 810));
    assert_eq!(ids(&app), [950, 900, 890, 690, 650]);
    let mut last = slice(&[500], 1);
    (last.within_budget, last.more, last.searched_to) = (false, false, None);
    older(&mut app, last);
    assert_eq!(asked(&app, Topic::Older), None);
    assert!(frame(&app).contains("6 runs") && !frame(&app).contains("searching"));
    give(&mut app, slice(&[950, 900], 820));
    assert_eq!(ids(&app), [950, 900, 690, 650, 500]);
    assert_eq!(
        asked(&app, Topic::Older),
        None,
        "what was searched is searched again"
    );
}

#[test]
fn a_search_ends_where_the_page_is_full_and_begins_anew_with_another_filter() {
    let mut app = live(120, 40);
    press(&mut app, "/throttled<Enter>");
    let many: Vec<i64> = (0..300).map(|n| 9_000 - n).collect();
    give(&mut app, slice(&many, 8_000));
    assert_eq!(asked(&app, Topic::Older), None);
    assert!(frame(&app).contains("searched to"));
    press(&mut app, "/ b<Enter>");
    assert!(app.runs.rows.is_empty() && asked(&app, Topic::Older).is_none());
}

#[test]
fn the_day_stands_in_the_headline_where_it_fits() {
    let mut app = live(120, 40);
    assert!(matches!(
        asked(&app, Topic::Sparkline),
        Some(Question::Sparkline(_))
    ));
    let point = |n: u64| Point {
        hour: now() - TimeDelta::hours(24 - n as i64),
        ended: n,
        failed: u64::from(n == 23) * 20,
    };
    let generation = app.filter.generation();
    let points = Some((0..24).map(point).collect());
    tell(&mut app, Data::Sparkline { generation, points });
    let headline = frame(&app).lines().nth(1).unwrap().to_owned();
    assert!(headline.ends_with("24 h ▂▂▂▃▃▄▄▅▆▆▇█"), "{headline}");
    assert!(asked(&live(80, 24), Topic::Sparkline).is_none());
}
