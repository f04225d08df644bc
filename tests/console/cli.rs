//! The command line: exit codes, and one line for what goes wrong.

use std::process::{Command, Output, Stdio};

pub(crate) fn opsroom(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_opsroom"));
    for name in [
        "DATABASE_URL",
        "PGHOST",
        "PGPORT",
        "PGUSER",
        "PGDATABASE",
        "PGPASSWORD",
    ] {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Exit code and standard error of a call that must print nothing on the standard output.
fn refusal(arguments: &[&str]) -> (Option<i32>, String) {
    let output = opsroom(arguments);
    assert!(output.stdout.is_empty(), "{arguments:?} printed data");
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn help_has_examples_and_exit_codes() {
    let output = opsroom(&["--help"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    for part in ["Examples:", "opsroom runs -q", "Exit codes:"] {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
}

#[test]
fn examples_keep_their_lines_on_a_narrow_terminal() {
    for command in [&["--help"][..], &["runs", "--help"]] {
        let examples = |columns: &str| {
            let mut asked = Command::new(env!("CARGO_BIN_EXE_opsroom"));
            let asked = asked.args(command).env("COLUMNS", columns);
            let output = asked.stdin(Stdio::null()).output().unwrap();
            let help = String::from_utf8(output.stdout).unwrap();
            help.split_once("Examples:").unwrap().1.to_owned()
        };
        for columns in ["80", "60"] {
            assert_eq!(examples(columns), examples("200"), "{columns}");
        }
    }
}

#[test]
fn without_a_terminal_one_line_names_the_way_out() {
    let (code, said) = refusal(&[]);
    assert_eq!(code, Some(2));
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("opsroom runs"), "{said}");
}

#[test]
fn the_exit_code_is_told_where_nobody_reads_the_reason() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_opsroom"));
    command.args(["runs", "--url", "postgres://me@127.0.0.1:1/ops"]);
    let status = command.stdin(Stdio::null()).stderr(writer).status();
    assert_eq!(status.unwrap().code(), Some(9));
}

#[test]
fn an_unreachable_database_is_one_line_and_nine() {
    let (code, said) = refusal(&["runs", "--url", "postgres://me:hunter2@127.0.0.1:1/ops"]);
    assert_eq!(code, Some(9));
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains("connection refused") && !said.contains("hunter2"),
        "{said}"
    );
}

#[test]
fn a_bad_address_is_one_line_and_two() {
    let (code, said) = refusal(&["runs", "--url", "mysql://me:hunter2@h/ops"]);
    assert_eq!(code, Some(2));
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains("postgres://") && !said.contains("hunter2"),
        "{said}"
    );
}

#[test]
fn a_bad_query_points_at_the_character() {
    let (code, said) = refusal(&["runs", "-q", "tenant:x is:faild"]);
    assert_eq!(code, Some(2));
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[1], "  tenant:x is:faild");
    assert_eq!(lines[2].find('^'), Some(14), "{said}");
}

#[test]
fn a_query_may_begin_with_what_it_leaves_out() {
    let nowhere = "postgres://me@127.0.0.1:1/ops";
    let (code, said) = refusal(&["runs", "-q", "-is:succeeded", "--url", nowhere]);
    assert_eq!(code, Some(9), "{said}");
    let (code, said) = refusal(&["runs", "--query", "-is:succeded", "--url", nowhere]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("did you mean succeeded"), "{said}");
    let (code, said) = refusal(&["runs", "-L", "-1", "--url", nowhere]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("-1 is not in 1..=1000000"), "{said}");
}

#[test]
fn codes_are_explained_without_a_database() {
    let output = opsroom(&["code", "graph.throttled"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("Usual remedy")
    );
    assert_eq!(refusal(&["code", "no.such"]).0, Some(7));
}

#[test]
fn a_run_id_is_a_number() {
    assert_eq!(refusal(&["run", "abc"]).0, Some(2));
}

#[test]
fn an_unknown_theme_names_those_there_are() {
    let output = opsroom(&["--snapshot", "--theme", "neon"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("dark, light")
    );
}
