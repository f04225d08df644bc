//! The program in a real terminal, on a real database: start, keys, a database that goes away, every
//! way out.

use crate::cli::opsroom;
use opsroom_testkit::{Mode, Proxy, Signal, Terminal, TestDatabase, unique_name};
use serde_json::Value;
use std::process::Command;
use std::time::{Duration, Instant};

pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A database with 40 old runs of two tenants, and a login that reads them.
pub(crate) async fn seeded() -> (TestDatabase, String) {
    seed(TestDatabase::new().await.unwrap()).await
}

pub(crate) async fn seed(database: TestDatabase) -> (TestDatabase, String) {
    let login = unique_name("oncall");
    let script = format!(
        "create role {login} login in role opsroom_reader;
         insert into opsroom.workspaces (name) values ('w');
         insert into opsroom.tenants (workspace_id, name) select 1, t from unnest('{{contoso,fabrikam}}'::text[]) t;
         insert into opsroom.users (name) values ('Olive');
         insert into opsroom.logins (login_role, user_id, kind) values ('{login}', 1, 'reader');
         insert into opsroom.workspace_members values (1, 1, 'owner');
         insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, status,
             outcome, failure_summary, created_at, started_at, completed_at)
         select 1 + n % 2, 'System', 'inventory.sync', encode(sha256(n::text::bytea), 'hex'), 'completed',
             case when n % 10 = 0 then 'failed' else 'succeeded' end,
             case when n % 10 = 0 then '[{{\"code\":\"graph.throttled\",\"message\":\"Throttled\",\"count\":1}}]'::jsonb end,
             now() - make_interval(hours => n), now() - make_interval(hours => n), now() - make_interval(hours => n) + interval '3 s'
         from generate_series(1, 40) n;"
    );
    database.script(&script).await.unwrap();
    (database, login)
}

#[tokio::test]
async fn runs_that_could_not_all_be_judged_are_said_to_be_some() {
    let (database, login) = seeded().await;
    let script = "insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, available_at)
        select 1, 'System', 'nobody.takes', encode(sha256(('q' || n)::bytea), 'hex'), now() from generate_series(1, 1010) n";
    database.script(script).await.unwrap();
    let url = database.url(&login);
    for (query, found) in [("is:stuck", 1_001), ("-is:stuck type:nobody.takes", 9)] {
        let output = opsroom(&[
            "runs", "-q", query, "-L", "5000", "-o", "json", "--url", &url,
        ]);
        let runs: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(runs["runs"].as_array().unwrap().len(), found, "{query}");
        assert_eq!(runs["more"], true, "{query}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("narrow the query"), "{said}");
    }
    let few = opsroom(&["runs", "-q", "is:failed", "-o", "json", "--url", &url]);
    let few: Value = serde_json::from_slice(&few.stdout).unwrap();
    assert_eq!(few["more"], false);
}

pub(crate) fn console(url: &str, columns: u16, rows: u16) -> Terminal {
    let mut command = Command::new(env!("CARGO_BIN_EXE_opsroom"));
    command.args(["--url", url]);
    Terminal::spawn(&command, columns, rows).unwrap()
}

pub(crate) fn assert_given_back(terminal: &Terminal) {
    assert!(
        !terminal.alternate_screen(),
        "the alternate screen is still shown"
    );
    assert!(terminal.cursor_shown(), "the cursor is still hidden");
    let mode = terminal.line_mode().unwrap();
    assert!(mode.canonical && mode.echo && mode.signals, "{mode:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn opens_filters_shows_one_run_and_quits() {
    let (database, login) = seeded().await;
    let mut terminal = console(&database.url(&login), 120, 40);
    terminal.wait_for("36", SOON).unwrap();
    terminal.wait_for("inventory.sync", SOON).unwrap();
    terminal.send("/tenant:contoso is:failed\r").unwrap();
    terminal.wait_for("4 runs", SOON).unwrap();
    assert!(
        !terminal.screen().contains("fabrikam"),
        "{}",
        terminal.screen()
    );
    terminal.send("\r").unwrap();
    terminal.wait_for("Graph answered 429", SOON).unwrap();
    terminal.send("qq").unwrap();
    assert_eq!(terminal.wait_exit(SOON).unwrap().exit_code(), 0);
    assert_given_back(&terminal);
}

/// The list is empty for a moment, and then the same run is selected again.
#[tokio::test(flavor = "multi_thread")]
async fn the_detail_comes_back_with_its_run_when_the_filter_changes() {
    let (database, login) = seeded().await;
    let mut terminal = console(&database.url(&login), 160, 40);
    terminal.wait_for("identity", SOON).unwrap();
    let shown = |runs: &'static str| {
        move |screen: &vt100::Screen| {
            let text = screen.contents();
            text.contains(runs) && text.contains("#20") && text.contains("usually")
        }
    };
    terminal.send("!").unwrap();
    terminal.wait_for("4 runs", SOON).unwrap();
    terminal.send("j").unwrap();
    for (keys, runs) in [("", " 4 runs"), ("!", "40 runs"), ("!", " 4 runs")] {
        terminal.send(keys).unwrap();
        terminal
            .wait_until("the run is shown", SOON, shown(runs))
            .unwrap();
    }
    // So does a comparison that is made again.
    for _ in 0..2 {
        terminal.send("=").unwrap();
        let (compared, back) = (("waited", "STATE"), ("STATE", "waited"));
        for (key, (there, gone)) in [("", compared), ("\x1b", back)] {
            terminal.send(key).unwrap();
            let seen = |screen: &vt100::Screen| {
                let text = screen.contents();
                text.contains(there) && !text.contains(gone)
            };
            terminal.wait_until(there, SOON, seen).unwrap();
        }
    }
    terminal.send("\x03").unwrap();
    terminal.wait_exit(SOON).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_signal_gives_the_terminal_back() {
    let (database, login) = seeded().await;
    for (signal, code) in [
        (Signal::TERM, 143),
        (Signal::HUP, 129),
        (Signal::INT, 130),
        (Signal::QUIT, 131),
    ] {
        let mut terminal = console(&database.url(&login), 80, 24);
        terminal.wait_for("inventory.sync", SOON).unwrap();
        terminal.signal(signal).unwrap();
        let status = terminal.wait_exit(Duration::from_secs(1)).unwrap();
        assert_eq!(status.exit_code(), code, "{signal:?}");
        assert_given_back(&terminal);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_back() {
    let (database, login) = seeded().await;
    let mut shell = Command::new("sh");
    shell.args(["-i"]).env("PS1", "shell> ");
    let mut terminal = Terminal::spawn(&shell, 120, 40).unwrap();
    terminal.wait_for("shell>", SOON).unwrap();
    let program = env!("CARGO_BIN_EXE_opsroom");
    let line = format!("set -m; '{program}' --url '{}'\r", database.url(&login));
    terminal.send(&line).unwrap();
    terminal.wait_for("identity", SOON).unwrap();
    terminal.send("\x1a").unwrap();
    terminal
        .wait_until("the shell is back", SOON, |screen| {
            !screen.alternate_screen() && screen.contents().contains("Stopped")
        })
        .unwrap();
    assert_given_back(&terminal);
    terminal.send("fg\r").unwrap();
    terminal
        .wait_until("the console is back", SOON, |screen| {
            screen.alternate_screen() && screen.contents().contains("identity")
        })
        .unwrap();
    terminal.send("q").unwrap();
    terminal
        .wait_until("the console is left", SOON, |screen| {
            !screen.alternate_screen()
        })
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_z_does_nothing_where_no_shell_could_bring_the_console_back() {
    let (database, login) = seeded().await;
    let program = env!("CARGO_BIN_EXE_opsroom");
    let line = format!("'{program}' --url '{}'; true", database.url(&login));
    let mut script = Command::new("sh");
    script.args(["-c", &line]);
    let mut terminal = Terminal::spawn(&script, 120, 40).unwrap();
    terminal.wait_for("identity", SOON).unwrap();
    terminal.send("\x1a").unwrap();
    terminal.send("?").unwrap();
    terminal.wait_for(" keys ──", SOON).unwrap();
    terminal.send("\x03").unwrap();
    assert_eq!(terminal.wait_exit(SOON).unwrap().exit_code(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_database_is_said_keys_answer_and_it_recovers_alone() {
    let (database, login) = seeded().await;
    let proxy = Proxy::to_postgres(database.server().connection())
        .await
        .unwrap();
    let mut terminal = console(&proxy.url(database.name(), &login), 120, 40);
    terminal.wait_for("identity", SOON).unwrap();
    terminal.wait_for("all tenants (2)", SOON).unwrap();
    // The last that comes in by itself.
    terminal.wait_for("usually 3 s", SOON).unwrap();
    // Ages go on.
    let is_age = |word: &&str| {
        word.starts_with(|c: char| c.is_ascii_digit()) && word.ends_with(['m', 'h', 'd'])
    };
    let body = |terminal: &Terminal| -> Vec<String> {
        let without_ages = |row: String| {
            let words = row.split_whitespace().filter(|word| !is_age(word));
            words.collect::<Vec<_>>().join(" ")
        };
        let rows = |screen: &vt100::Screen| screen.rows(0, 120).skip(1).map(without_ages).collect();
        terminal.look_at_screen(rows)
    };
    let shown = body(&terminal);
    let cut = Instant::now();
    proxy.set(Mode::Cut);
    terminal.wait_for("STALE", SOON).unwrap();
    // Two polls, five seconds: the bench holds these, the machine that tests may be busy.
    assert!(
        cut.elapsed() < Duration::from_secs(8),
        "{:?}",
        cut.elapsed()
    );
    assert_eq!(body(&terminal), shown, "what was shown is gone");
    let eight = |screen: &vt100::Screen| {
        let text = screen.contents();
        let seconds = text
            .split("STALE ")
            .nth(1)
            .and_then(|rest| rest.split(' ').next());
        seconds
            .and_then(|text| text.parse().ok())
            .is_some_and(|seconds: u32| seconds >= 8)
    };
    terminal
        .wait_until("STALE 8 s or more", SOON, eight)
        .unwrap();
    let back = Instant::now();
    proxy.set(Mode::Pass);
    terminal.wait_for("● live", SOON).unwrap();
    assert!(
        back.elapsed() < Duration::from_secs(8),
        "{:?}",
        back.elapsed()
    );
    proxy.set(Mode::Stall);
    for keys in ["?", "\x1b", "?", "\x1b"] {
        let begun = Instant::now();
        terminal.send(keys).unwrap();
        let open = keys == "?";
        terminal
            .wait_until("the keys are shown", SOON, |screen| {
                screen.contents().contains(" keys ──") == open
            })
            .unwrap();
        // The promise is 100 ms; the machine that tests may be busy.
        assert!(
            begun.elapsed() < Duration::from_millis(500),
            "{:?}",
            begun.elapsed()
        );
    }
    terminal.wait_for("old", SOON).unwrap();
    terminal.send("q").unwrap();
    assert_eq!(terminal.wait_exit(SOON).unwrap().exit_code(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_console_writes_nothing() {
    let (database, login) = seeded().await;
    let terminal = console(&database.url(&login), 120, 40);
    terminal.wait_for("36", SOON).unwrap();
    terminal.wait_for("all tenants (2)", SOON).unwrap();
    terminal.wait_for("identity", SOON).unwrap();
    // Two spans longer than the interval of polling: a full minute, when ages change, is in one of
    // them at most.
    let span = || {
        let before = terminal.bytes_written();
        std::thread::sleep(Duration::from_millis(2500));
        terminal.bytes_written() - before
    };
    let (first, second) = (span(), span());
    assert!(
        first == 0 || second == 0,
        "wrote {first} and {second} bytes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_smaller_terminal_is_drawn_anew() {
    let (database, login) = seeded().await;
    let terminal = console(&database.url(&login), 120, 40);
    terminal.wait_for("identity", SOON).unwrap();
    terminal.resize(40, 10).unwrap();
    terminal
        .wait_until("the list alone is left", SOON, |screen| {
            let text = screen.contents();
            text.contains("STATE") && !text.contains("identity") && text.lines().count() <= 10
        })
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_one_line_each() {
    let (database, login) = seeded().await;
    let empty = TestDatabase::empty().await.unwrap();
    let outsider = unique_name("outsider");
    database
        .script(&format!("create role {outsider} login"))
        .await
        .unwrap();
    for (url, code, says) in [
        (database.superuser_url(), 9, "access login add"),
        (database.url(&outsider), 9, "may not read opsroom"),
        (empty.url(&login), 1, "never migrated"),
    ] {
        let mut terminal = console(&url, 160, 24);
        let status = terminal.wait_exit(SOON).unwrap();
        let said = terminal.screen();
        assert_eq!(status.exit_code(), code, "{said}");
        assert!(said.contains(says), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_and_runs_come_out_for_scripts() {
    let (database, login) = seeded().await;
    let url = database.url(&login);
    let opsroom = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_opsroom"))
            .args(arguments)
            .args(["--url", &url])
            .output()
            .unwrap()
    };
    let json = opsroom(&["runs", "-q", "is:failed", "-o", "json"]);
    let document: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(document["version"], 1);
    assert_eq!(document["runs"].as_array().map(Vec::len), Some(4));
    assert_eq!(document["runs"][0]["code"], "graph.throttled");
    let id = document["runs"][0]["id"].to_string();
    let csv = opsroom(&["runs", "-L", "7", "-o", "csv"]);
    assert_eq!(String::from_utf8(csv.stdout).unwrap().lines().count(), 8);
    let table = opsroom(&["runs", "-L", "7"]);
    assert_eq!(String::from_utf8(table.stdout).unwrap().lines().count(), 8);
    assert_eq!(
        String::from_utf8(table.stderr).unwrap(),
        "the newest 7 are shown, and there are more: -L 70 shows more of them\n"
    );
    let all = opsroom(&["runs", "-L", "100000"]);
    assert_eq!(String::from_utf8(all.stderr).unwrap(), "");
    let run = opsroom(&["run", &id]);
    assert!(
        String::from_utf8(run.stdout)
            .unwrap()
            .contains("graph.throttled")
    );
    assert_eq!(opsroom(&["run", "999999"]).status.code(), Some(7));
    let needy = "update opsroom.operation_types set capability = 'nobody.holds' where type = 'inventory.sync'";
    database.script(needy).await.unwrap();
    let forbidden = opsroom(&["run", &id]);
    assert_eq!(forbidden.status.code(), Some(8));
    assert!(
        String::from_utf8(forbidden.stderr)
            .unwrap()
            .contains("'nobody.holds'")
    );
    let doctor = opsroom(&["doctor"]);
    assert_eq!(
        doctor.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&doctor.stdout)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_application_wrote_cannot_steer_a_terminal() {
    let (database, login) = seeded().await;
    let script = r"insert into opsroom.operation_runs (id, tenant_id, initiator_name, type, run_identity_hash, context) values
        (900, 1, U&'Eve\202e', 'crm.sync', encode(sha256('900'), 'hex'), jsonb_build_object(
           U&'k\200b\009b', U&'a\009b31m\202e\200b\FEFF\00ad\007f\+0e0041z', 'plain', 'Zoë 東京 🙂'))";
    database.script(script).await.unwrap();
    let url = database.url(&login);
    let json = ["run", "900", "-o", "json"];
    for arguments in [
        &json[..],
        &["run", "900"],
        &["runs", "-q", "id:900", "-o", "json"],
        &["runs", "-q", "id:900", "-o", "jsonl"],
        &["runs", "-q", "id:900", "-o", "csv"],
        &["runs", "-q", "id:900"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opsroom"));
        let output = command.args(arguments).args(["--url", &url]).output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        assert!(text.contains("Eve"), "{arguments:?}: {text}");
        let steering = text.chars().find(|c| {
            (c.is_control() && *c != '\n') || "\u{ad}\u{200b}\u{202e}\u{feff}\u{e0041}".contains(*c)
        });
        assert_eq!(steering, None, "{arguments:?}: {text:?}");
        if arguments == json {
            let document: serde_json::Value = serde_json::from_str(&text).unwrap();
            let value = "a\u{9b}31m\u{202e}\u{200b}\u{feff}\u{ad}\u{7f}\u{e0041}z";
            assert_eq!(document["context"]["k\u{200b}\u{9b}"], value);
            assert!(text.contains("Zoë 東京 🙂"), "{text}");
        }
    }
}
