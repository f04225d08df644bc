//! How often the database is asked.

use crate::session::{SOON, console, seeded};
use crate::stage::{ago, frame, give, live, page, press, story, tell};
use opsroom_console::app::{Data, Message, Reach};
use opsroom_testkit::TestDatabase;
use std::time::Duration;

/// How often a run's detail was asked for in this database.
async fn details(database: &TestDatabase) -> i64 {
    database
        .number("select coalesce(sum(calls), 0)::bigint from pg_stat_user_functions where funcname = 'run_detail'")
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selected_run_that_progresses_is_asked_for_at_the_pace_of_the_list() {
    let (database, login) = seeded().await;
    database
        .script(&format!(
            "alter role {login} set track_functions = 'pl';
             insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, status)
             values (1, 'System', 'inventory.sync', repeat('a', 64), 'running')"
        ))
        .await
        .unwrap();
    let terminal = console(&database.url(&login), 120, 40);
    terminal.wait_for("identity", SOON).unwrap();
    // Progress all the time: a detail is always newer than the list it was asked for after.
    database
        .script(
            "do $$ begin
               for n in 1..250 loop
                 update opsroom.operation_runs set summary_counts = jsonb_build_object('total', 250, 'success', n)
                  where status = 'running';
                 commit;
                 perform pg_sleep(0.02);
               end loop;
             end $$",
        )
        .await
        .unwrap();
    terminal.wait_for("250/250", SOON).unwrap();
    let asked = details(&database).await;
    assert!((1..20).contains(&asked), "{asked} times");
}

/// Counted seldom, a board is not old because nobody asked.
#[test]
fn a_board_is_called_old_by_how_often_it_is_asked_for() {
    for (keys, after) in [
        ("", 5),
        ("os", 9),
        ("on", 9),
        ("ow", 5),
        ("of", 21),
        ("oy", 21),
        ("=", 21),
    ] {
        let mut app = live(120, 40);
        press(&mut app, keys);
        tell(&mut app, Data::Reach(Reach::default()));
        app.update(Message::Tick(ago(-after)));
        assert!(!frame(&app).contains("s old"), "{keys}\n{}", frame(&app));
        app.update(Message::Tick(ago(-after - 1)));
        assert!(frame(&app).contains("s old"), "{keys}\n{}", frame(&app));
    }
}

#[test]
fn one_slow_answer_slows_nothing_and_slow_answers_do() {
    let mut app = live(120, 40);
    let usual = app.pace();
    let slow = || {
        let mut page = page(story());
        page.took = Duration::from_secs(7);
        page
    };
    give(&mut app, slow());
    assert_eq!(
        app.pace(),
        usual,
        "a frozen server says nothing of the next"
    );
    give(&mut app, slow());
    let slowed = app.pace();
    assert!(
        slowed > usual && slowed <= Duration::from_secs(20),
        "{slowed:?}"
    );
    give(&mut app, page(story()));
    assert_eq!(app.pace(), usual);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_holds_one_connection_whatever_it_shows() {
    let (database, login) = seeded().await;
    let mut terminal = console(&database.url(&login), 120, 40);
    let held = || async {
        database
            .number(
                "select count(*) from pg_stat_activity
                  where application_name = 'opsroom' and datname = current_database()",
            )
            .await
            .unwrap()
    };
    for (keys, shown) in [
        ("", "identity"),
        ("/is:failed\r", "4 runs"),
        ("\r", "Graph answered 429"),
        ("q", "4 runs"),
    ] {
        terminal.send(keys).unwrap();
        terminal.wait_for(shown, SOON).unwrap();
        assert_eq!(held().await, 1, "after {keys:?}");
    }
    terminal.send("q").unwrap();
    assert_eq!(terminal.wait_exit(SOON).unwrap().exit_code(), 0);
}
