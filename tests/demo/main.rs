//! The demo as a newcomer meets it: it starts from nothing, shows live runs, leaves nothing behind,
//! and starts again whatever was done to it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where its world is not as it must be"
)]

mod place;

use opsroom_testkit::{Signal, Terminal};
use place::{Place, SOON};
use sqlx::{Connection as _, PgConnection};
use std::time::Duration;

#[tokio::test]
async fn it_prints_urls_executes_runs_and_leaves_nothing() {
    let place = Place::new();
    let mut demo = place.headless(&[]);
    let urls = demo.urls();
    for key in [
        "owner",
        "worker",
        "starter",
        "oncall",
        "support",
        "developer",
    ] {
        PgConnection::connect(urls[key].as_str().expect(key))
            .await
            .expect(key);
    }
    let mut owner = PgConnection::connect(urls["owner"].as_str().unwrap())
        .await
        .unwrap();
    let mut ended: i64 = 0;
    opsroom_testkit::eventually(Duration::from_secs(60), "real runs end", async || {
        ended = sqlx::query_scalar(
            "select count(*) from opsroom.operation_runs o join opsroom.run_attempts a on a.run_id = o.id where o.status = 'completed'",
        )
        .fetch_one(&mut owner)
        .await
        .unwrap();
        ended >= 3
    })
    .await
    .unwrap();
    drop(owner);
    demo.signal(Signal::TERM);
    assert_eq!(demo.wait().code(), Some(0));
    place.assert_deserted();
}

#[tokio::test]
async fn each_login_sees_what_is_its_own() {
    let place = Place::new();
    let mut demo = place.headless(&["--no-traffic"]);
    let urls = demo.urls();
    for (login, tenants) in [("oncall", 12_i64), ("support", 4), ("developer", 1)] {
        let mut reader = PgConnection::connect(urls[login].as_str().unwrap())
            .await
            .unwrap();
        let seen: i64 = sqlx::query_scalar("select count(*) from opsroom.tenants")
            .fetch_one(&mut reader)
            .await
            .unwrap();
        let listed: i64 =
            sqlx::query_scalar("select count(distinct tenant_id) from opsroom.operation_runs")
                .fetch_one(&mut reader)
                .await
                .unwrap();
        assert_eq!((seen, listed), (tenants, tenants), "{login}");
    }
    demo.signal(Signal::INT);
    assert_eq!(demo.wait().code(), Some(0));
}

#[test]
fn killed_it_leaves_nothing_and_starts_again() {
    let place = Place::new();
    let mut demo = place.headless(&[]);
    demo.urls();
    demo.signal(Signal::KILL);
    demo.wait();
    place.wait_deserted();
    let mut again = place.headless(&[]);
    assert!(again.urls()["oncall"].is_string());
    again.signal(Signal::TERM);
    assert_eq!(again.wait().code(), Some(0));
    place.assert_deserted();
}

#[tokio::test]
async fn the_data_of_another_version_has_one_remedy() {
    let place = Place::new();
    let mut first = place.headless(&["--no-traffic"]);
    let urls = first.urls();
    let mut owner = PgConnection::connect(urls["owner"].as_str().unwrap())
        .await
        .unwrap();
    sqlx::query("update opsroom.schema_migrations set checksum = '' where version = 12")
        .execute(&mut owner)
        .await
        .unwrap();
    drop(owner);
    first.signal(Signal::TERM);
    assert_eq!(first.wait().code(), Some(0));
    let second = place.command(&["--headless"]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    let last = said.lines().last().unwrap();
    assert!(
        last.starts_with("opsroom-demo: ") && last.contains("--fresh"),
        "{said}"
    );
    assert!(!said.contains("use the program"), "{said}");
    let mut fresh = place.headless(&["--fresh", "--no-traffic"]);
    assert!(fresh.urls()["oncall"].is_string());
    fresh.signal(Signal::TERM);
    assert_eq!(fresh.wait().code(), Some(0));
}

#[test]
fn a_second_one_is_refused_in_one_line() {
    let place = Place::new();
    let mut first = place.headless(&[]);
    first.urls();
    let second = place.command(&["--headless"]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    let refusal: Vec<_> = said
        .lines()
        .filter(|line| line.starts_with("opsroom-demo:"))
        .collect();
    assert_eq!(refusal.len(), 1, "{said}");
    assert!(
        refusal[0].contains("in use by process") && refusal[0].contains("OPSROOM_DATA_DIR"),
        "{said}"
    );
    let help = place.command(&["--help"]).output().unwrap();
    assert!(String::from_utf8_lossy(&help.stdout).contains("OPSROOM_DATA_DIR"));
    assert!(second.stdout.is_empty());
}

/// `cargo demo -- --headless` gives cargo the `--`: one more in the alias, and the demo takes its own
/// flags for the console's.
#[test]
fn the_alias_leaves_the_dashes_to_whoever_types_them() {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.cargo/config.toml");
    let config = std::fs::read_to_string(config).unwrap();
    let alias = config
        .lines()
        .find(|line| line.starts_with("demo ="))
        .unwrap();
    assert!(alias.ends_with("--bin opsroom-demo\""), "{alias}");
}

#[test]
fn without_a_terminal_nothing_is_set_up() {
    let place = Place::new();
    let mut command = place.command(&[]);
    let refused = command.stdin(std::process::Stdio::null()).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("--headless") && said.lines().count() == 1,
        "{said}"
    );
    assert!(refused.stdout.is_empty());
}

#[test]
fn the_console_shows_live_runs_and_gives_the_terminal_back() {
    let place = Place::new();
    let mut terminal = Terminal::spawn(&place.command(&[]), 120, 40).unwrap();
    terminal.wait_for("● live", SOON).unwrap();
    terminal.wait_for("● running", SOON).unwrap();
    terminal.send("\r").unwrap();
    terminal.wait_for("attempt 1 of 3", SOON).unwrap();
    terminal.send("q").unwrap();
    terminal.send("q").unwrap();
    assert_eq!(terminal.wait_exit(SOON).unwrap().exit_code(), 0);
    assert!(!terminal.alternate_screen() && terminal.cursor_shown());
    let mode = terminal.line_mode().unwrap();
    assert!(mode.canonical && mode.echo, "{mode:?}");
    place.wait_deserted();
}

/// As a newcomer finds them: some fired, one fails, one was missed, one is paused. Started again, the demo
/// leaves them as they are, also the one that somebody resumed.
#[tokio::test]
async fn schedules_are_shown_with_their_past_and_are_added_once() {
    let place = Place::new();
    let mut terminal = Terminal::spawn(&place.command(&[]), 200, 40).unwrap();
    terminal.wait_for("● live", SOON).unwrap();
    terminal.send("os").unwrap();
    for shown in [
        "nightly inventory",
        "Europe/Berlin",
        "Asia/Tokyo",
        "paused",
        "✓ succeeded",
        "✗ failed",
    ] {
        terminal.wait_for(shown, SOON).unwrap();
    }
    let missed = |screen: &str| {
        let line = screen
            .lines()
            .find(|line| line.contains("hourly inventory"));
        line.is_some_and(|line| {
            let last = line.split_whitespace().last();
            last.is_some_and(|n| n.parse::<u32>().is_ok_and(|n| n >= 8))
        })
    };
    opsroom_testkit::eventually(SOON, "missed fire times are counted", async || {
        missed(&terminal.screen())
    })
    .await
    .unwrap();
    terminal.send("\x03").unwrap();
    assert_eq!(terminal.wait_exit(SOON).unwrap().exit_code(), 0);
    place.wait_deserted();

    let count = "select count(*), count(paused_at) from opsroom.schedules";
    let mut again = place.headless(&[]);
    let urls = again.urls();
    let mut owner = PgConnection::connect(urls["owner"].as_str().unwrap())
        .await
        .unwrap();
    let before: (i64, i64) = sqlx::query_as(count).fetch_one(&mut owner).await.unwrap();
    assert_eq!(before, (8, 1));
    sqlx::query(
        "select opsroom.resume_schedule(id) from opsroom.schedules where paused_at is not null",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    drop(owner);
    again.signal(Signal::TERM);
    assert_eq!(again.wait().code(), Some(0));
    let mut third = place.headless(&[]);
    let mut owner = PgConnection::connect(third.urls()["owner"].as_str().unwrap())
        .await
        .unwrap();
    let after: (i64, i64) = sqlx::query_as(count).fetch_one(&mut owner).await.unwrap();
    assert_eq!(after, (8, 0));
    drop(owner);
    third.signal(Signal::TERM);
    assert_eq!(third.wait().code(), Some(0));
}

#[test]
fn told_to_end_the_console_gives_the_terminal_back_and_nothing_stays() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let place = Place::new();
        let mut terminal = Terminal::spawn(&place.command(&[]), 100, 30).unwrap();
        terminal.wait_for("● live", SOON).unwrap();
        terminal.signal(signal).unwrap();
        terminal.wait_exit(SOON).unwrap();
        assert!(
            !terminal.alternate_screen() && terminal.cursor_shown(),
            "{signal:?}"
        );
        place.wait_deserted();
    }
}

#[test]
fn documents_of_the_users_own_are_observed_by_their_own_ids() {
    let place = Place::new();
    let empty = place.folder("empty");
    let refused = place
        .command(&["--headless", "--policies", empty.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no policy documents in"));

    let folder = place.folder("own");
    let document = "\u{feff}{\"@odata.type\":\"#microsoft.graph.macOSCompliancePolicy\",\"id\":\"11111111-2222-4333-8444-555555555555\",\"displayName\":\"My own \\u0027policy\\u0027\"}";
    std::fs::write(folder.join("one.json"), document).unwrap();
    let mut demo = place.headless(&["--no-traffic", "--policies", folder.to_str().unwrap()]);
    let urls = demo.urls();
    let start = place
        .command(&[
            "worker",
            "start",
            "inventory.sync",
            "--tenant",
            "wingtip",
            "-o",
            "json",
        ])
        .env("DATABASE_URL", urls["starter"].as_str().unwrap())
        .output()
        .unwrap();
    let started: serde_json::Value = serde_json::from_slice(&start.stdout).expect("a confirmation");
    let run = started["run"].to_string();
    let shown = place.until_completed(&run, urls["oncall"].as_str().unwrap());
    assert_eq!(shown["outcome"], "succeeded", "{shown:#}");
    assert_eq!(shown["counts"]["success"], 1, "{shown:#}");
    demo.signal(Signal::TERM);
    demo.wait();
}
