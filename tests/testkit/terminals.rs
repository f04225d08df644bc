//! A program in a pty: keys in, screen out, size, signals, and whether it tidied up.

use opsroom_testkit::{Signal, Terminal};
use std::process::Command;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(10);

fn shell(script: &str) -> Terminal {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]).env("GREETING", "hello");
    Terminal::spawn(&command, 40, 10).unwrap()
}

#[test]
fn keys_go_in_text_comes_out_and_the_exit_code_is_told() {
    let mut terminal = shell("echo $GREETING; read name; echo \"you are $name\"; exit 3");
    terminal.wait_for("hello", DEADLINE).unwrap();
    terminal.send("Ada\r").unwrap();
    let status = terminal.wait_exit(DEADLINE).unwrap();
    assert_eq!(status.exit_code(), 3);
    assert_eq!(terminal.screen(), "hello\nAda\nyou are Ada");
    assert!(terminal.bytes_written() >= "hello\r\nAda\r\nyou are Ada\r\n".len());
}

#[test]
fn a_program_that_restores_its_terminal_is_told_from_one_that_does_not() {
    let enter = "stty raw -echo; printf '\\033[?1049h\\033[?25lfull'; read key;";
    let leave = "printf '\\033[?25h\\033[?1049l'; stty sane";
    for (script, restores) in [
        (format!("{enter} {leave}"), true),
        (enter.to_owned(), false),
    ] {
        let mut terminal = shell(&script);
        let before = terminal.line_mode().unwrap();
        terminal.wait_for("full", DEADLINE).unwrap();
        assert!(terminal.alternate_screen() && !terminal.cursor_shown());
        assert!(!terminal.line_mode().unwrap().canonical);
        terminal.send("\n").unwrap();
        terminal.wait_exit(DEADLINE).unwrap();
        assert_eq!(terminal.line_mode().unwrap() == before, restores);
        assert_eq!(
            !terminal.alternate_screen() && terminal.cursor_shown(),
            restores
        );
    }
}

#[test]
fn a_resize_and_a_signal_reach_the_program() {
    let script = "trap 'stty size' WINCH; trap 'echo bye; exit 7' TERM; echo up; \
                  while :; do sleep 0.05; done";
    let mut terminal = shell(script);
    terminal.wait_for("up", DEADLINE).unwrap();
    terminal.resize(100, 30).unwrap();
    terminal.wait_for("30 100", DEADLINE).unwrap();
    terminal.signal(Signal::TERM).unwrap();
    assert_eq!(terminal.wait_exit(DEADLINE).unwrap().exit_code(), 7);
    assert!(terminal.screen().contains("bye"));
}

#[test]
fn what_does_not_come_is_told_with_the_screen() {
    let terminal = shell("echo something else; sleep 60");
    terminal.wait_for("something", DEADLINE).unwrap();
    let fault = terminal
        .wait_for("expected", Duration::from_millis(100))
        .unwrap_err();
    assert!(fault.to_string().contains("something else"), "{fault}");
}
