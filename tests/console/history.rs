//! What the detail says of the runs before: strips, habit, failures in a row, the last success, and
//! who else has the code.

use crate::boards::failures;
use crate::stage::{ago, answer, app, frame, give, live, page, press, story, tell};
use chrono::TimeDelta;
use opsroom_console::app::{App, Data, HistoryAnswer, HistoryWant, Question, Success, Topic};
use opsroom_model::{Bucket, Clean, RunId, TenantId};
use opsroom_read::{History, PastRun};
use serde_json::json;

const THIS: RunId = RunId(48_213);

fn past(id: RunId, bucket: Bucket, age: i64, took: i64) -> PastRun {
    let started_at = Some(ago(age - 3));
    PastRun {
        id,
        state: bucket.state(),
        created_at: Some(ago(age)),
        started_at,
        completed_at: started_at.map(|at| at + TimeDelta::seconds(took)),
    }
}

/// This run, then so many that succeeded, then one that failed.
fn history(good: i64) -> History {
    let mut same = vec![past(THIS, Bucket::Partial, 130, 41)];
    let of = |n: i64| {
        past(
            RunId(48_000 - n),
            Bucket::Succeeded,
            1000 + n * 3600,
            10 + n % 4,
        )
    };
    same.extend((0..good).map(of));
    same.push(past(RunId(40_000), Bucket::Failed, 400_000, 2));
    let mut kind = same.clone();
    kind.insert(1, past(RunId(48_100), Bucket::Running, 600, 1));
    History { same, kind }
}

pub(crate) fn told(app: &mut App, good: i64) {
    let Data::Failures {
        board: Some(board), ..
    } = failures(app, true)
    else {
        panic!("the stage's failures are a board");
    };
    let context = Some(json!({"input": {"scope": "full", "policy_id": 7}}));
    let answer = HistoryAnswer {
        history: history(good),
        success: Some(Success {
            id: RunId(48_000),
            context,
        }),
        codes: board.codes,
    };
    tell(app, Data::History(THIS, Box::new(answer)));
}

#[test]
fn the_runs_before_are_asked_for_once_the_run_is_known() {
    let mut app = app(120, 40, "");
    give(&mut app, page(story()));
    assert!(app.wants().about(Topic::History).is_none());
    tell(&mut app, Data::Detail(Box::new(answer(THIS))));
    let want = HistoryWant {
        id: THIS,
        tenant: TenantId(1),
        run_type: Clean::new("restore.execute"),
        created_at: ago(130),
        ended: true,
        failed: true,
    };
    let asked = app
        .wants()
        .about(Topic::History)
        .map(|ask| ask.question.clone());
    assert_eq!(asked, Some(Question::History(want)));
}

#[test]
fn habit_streak_last_success_and_spread_are_said() {
    let mut app = live(120, 40);
    press(&mut app, "<Enter>");
    told(&mut app, 6);
    let shown = frame(&app);
    for words in [
        "same   ✗✓✓✓✓✓✓◐",
        "alike  ✗✓✓✓✓✓✓●◐",
        "usually 11 s, this 3.7×",
        "first failure since 11-16 18:13",
        "last success #48000 differs in scope: full → policy",
        "2 runs · 1 tenant · since 06:50:00",
    ] {
        assert!(shown.contains(words), "no '{words}' in\n{shown}");
    }
}

#[test]
fn too_few_runs_say_nothing_of_a_habit() {
    let mut app = live(120, 40);
    press(&mut app, "<Enter>");
    told(&mut app, 4);
    let shown = frame(&app);
    assert!(shown.contains("same   ✗✓✓✓✓◐"), "{shown}");
    assert!(
        !shown.contains("usually") && !shown.contains("first failure"),
        "{shown}"
    );
}

#[test]
fn what_is_said_of_one_run_is_not_said_of_the_next() {
    let mut app = live(120, 40);
    told(&mut app, 6);
    assert!(frame(&app).contains("usually"));
    press(&mut app, "j");
    tell(&mut app, Data::Detail(Box::new(answer(RunId(48_212)))));
    assert!(!frame(&app).contains("usually"));
    told(&mut app, 6);
    assert!(!frame(&app).contains("usually"), "a late answer was taken");
}
