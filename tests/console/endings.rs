//! Ways a terminal treats a program: many sizes in a row, signals while nothing answers, and an end
//! without a word; and what it can show.

use crate::session::{SOON, assert_given_back, console, seeded};
use opsroom_testkit::{Mode, Proxy, Signal, Terminal};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long an end may take.
const END: Duration = Duration::from_secs(1);
const URL: &str = "OPSROOM_TEST_URL";

#[tokio::test(flavor = "multi_thread")]
async fn four_hundred_sizes_in_a_row_leave_a_whole_screen() {
    let (database, login) = seeded().await;
    let mut terminal = console(&database.url(&login), 120, 40);
    terminal.wait_for("identity", SOON).unwrap();
    for n in 0..400_u16 {
        terminal.resize(1 + n * 37 % 250, 1 + n * 13 % 90).unwrap();
        if n % 10 == 0 {
            terminal
                .send(["j", "?", "q", "k"][usize::from(n / 10 % 4)])
                .unwrap();
        }
    }
    terminal.resize(100, 30).unwrap();
    terminal
        .wait_until("the screen is whole", SOON, |screen| {
            let rows: Vec<_> = screen.rows(0, 100).collect();
            rows[0].contains("opsroom  Runs")
                && rows[3].contains("STATE")
                && rows[29].contains("? keys")
                && screen.contents().contains("identity")
        })
        .unwrap();
    terminal.send("q").unwrap();
    assert_eq!(terminal.wait_exit(SOON).unwrap().exit_code(), 0);
    assert_given_back(&terminal);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_the_console_while_the_database_is_frozen() {
    let (database, login) = seeded().await;
    let proxy = Proxy::to_postgres(database.server().connection())
        .await
        .unwrap();
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        proxy.set(Mode::Pass);
        let mut terminal = console(&proxy.url(database.name(), &login), 80, 24);
        terminal.wait_for("inventory.sync", SOON).unwrap();
        proxy.set(Mode::Stall);
        // A question is under way that gets no answer.
        terminal.send("R").unwrap();
        terminal.signal(signal).unwrap();
        assert_eq!(terminal.wait_exit(END).unwrap().exit_code(), code);
        assert_given_back(&terminal);
    }
}

#[test]
#[ignore = "run by another here, as the terminal that is killed"]
fn a_terminal() {
    let Ok(url) = std::env::var(URL) else {
        return;
    };
    let terminal = console(&url, 80, 24);
    terminal.wait_for("inventory.sync", SOON).unwrap();
    println!("\nshown by {}", terminal.pid().unwrap());
    loop {
        std::thread::park();
    }
}

/// True while a process does anything: neither gone nor only waiting to be noticed.
fn lives(pid: &str) -> bool {
    let stat = PathBuf::from("/proc").join(pid).join("stat");
    std::fs::read_to_string(stat).is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_is_gone_ends_the_console() {
    let (database, login) = seeded().await;
    let proxy = Proxy::to_postgres(database.server().connection())
        .await
        .unwrap();
    for mode in [Mode::Pass, Mode::Stall] {
        proxy.set(Mode::Pass);
        let mut emulator = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "endings::a_terminal", "--ignored", "--nocapture"])
            .env(URL, proxy.url(database.name(), &login))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(emulator.stdout.take().unwrap()).lines();
        let pid = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("shown by ").map(str::to_owned))
            .unwrap();
        assert!(lives(&pid));
        proxy.set(mode);
        emulator.kill().unwrap();
        emulator.wait().unwrap();
        let gone = Instant::now();
        while lives(&pid) {
            assert!(gone.elapsed() < END, "{mode:?}: it outlives its terminal");
            std::thread::yield_now();
        }
    }
}

/// What the console writes until its rows are shown, with these settings of the environment.
async fn written(arguments: &[&str], settings: &[(&str, &str)]) -> String {
    let (database, login) = seeded().await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_opsroom"));
    command
        .args(["--url", &database.url(&login)])
        .args(arguments)
        .env_remove("COLORTERM")
        .env_remove("NO_COLOR")
        .envs(settings.iter().copied());
    let mut terminal = Terminal::spawn(&command, 120, 40).unwrap();
    terminal.wait_for("inventory.sync", SOON).unwrap();
    terminal.wait_for("identity", SOON).unwrap();
    terminal.send("q").unwrap();
    assert_eq!(terminal.wait_exit(SOON).unwrap().exit_code(), 0);
    String::from_utf8(terminal.bytes()).unwrap()
}

/// The parameters of every SGR sequence but resets.
fn colours(written: &str) -> Vec<String> {
    let sequences = written.split("\x1b[").skip(1);
    let of = |sequence: &str| {
        let end = sequence.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
        (sequence[end..].starts_with('m')).then(|| sequence[..end].to_owned())
    };
    sequences.filter_map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_are_those_the_terminal_has() {
    let all = colours(&written(&[], &[("COLORTERM", "truecolor")]).await);
    assert!(all.iter().any(|colour| colour.contains("38;2;")), "{all:?}");
    let some = colours(&written(&[], &[("TERM", "xterm")]).await);
    assert!(
        some.iter().all(|colour| !colour.contains("8;2;")),
        "{some:?}"
    );
    // crossterm writes the sixteen as indexes of the 256.
    let index = |colour: &String| {
        let (_, index) = colour.split_once("8;5;")?;
        index.split(';').next()?.parse().ok()
    };
    let indexes: Vec<u8> = some.iter().filter_map(index).collect();
    assert!(
        !indexes.is_empty() && indexes.iter().all(|index| *index < 16),
        "{some:?}"
    );
    let none = colours(&written(&[], &[("NO_COLOR", "1")]).await);
    let plain = |colour: &String| {
        let parts = colour.split(';').map(|part| part.parse().unwrap_or(0));
        parts
            .into_iter()
            .all(|part: u8| part < 30 || part == 39 || part == 49)
    };
    assert!(none.iter().all(plain), "{none:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locale_without_utf8_gets_ascii() {
    for (arguments, settings) in [(&["--ascii"][..], &[][..]), (&[], &[("LC_ALL", "C")])] {
        let text = written(arguments, settings).await;
        assert!(text.is_ascii(), "{text}");
    }
}
