//! What `--help` gives as examples can be copied and is taken.

use crate::program::{program, run, start};
use opsroom_testkit::World;

/// The commands that a help text gives as examples, as a shell reads them.
fn examples(help: &str) -> Vec<String> {
    let (_, examples) = help.split_once("Example").unwrap();
    let (_, examples) = examples.split_once(":\n").unwrap();
    let indented = examples.lines().take_while(|line| line.starts_with("  "));
    let mut commands: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in indented {
        let (text, more) = match line.strip_suffix('\\') {
            Some(text) => (text, true),
            None => (line, false),
        };
        match commands.last_mut().filter(|_| goes_on) {
            Some(command) => command.push_str(text.trim_start()),
            None => commands.push(text.trim_start().to_owned()),
        }
        goes_on = more;
    }
    assert!(!goes_on, "a backslash leads nowhere: {help}");
    commands
}

#[test]
fn examples_are_whole_commands_on_a_terminal_of_any_width() {
    for command in [
        &[][..],
        &["migrate"],
        &["work"],
        &["start"],
        &["settings"],
        &["schedule", "add"],
        &["schedule", "list"],
        &["schedule", "pause"],
        &["schedule", "next"],
        &["access", "login", "add"],
        &["access", "member", "add"],
    ] {
        let help = |columns: &str| {
            let mut asked = program("postgres://nobody@127.0.0.1:1/none");
            asked.args(command).arg("--help").env("COLUMNS", columns);
            let output = asked.output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let wide = help("200");
        let commands = examples(&wide);
        assert!(!commands.is_empty(), "{wide}");
        for one in &commands {
            assert!(one.contains("opsroom-worker "), "{one}: {wide}");
        }
        for columns in ["80", "60", "40"] {
            let narrow = help(columns);
            assert_eq!(examples(&narrow), commands, "{columns}: {narrow}");
            assert!(!narrow.contains('\u{a0}'), "{narrow}");
        }
        let (_, shown) = wide.split_once("Example").unwrap();
        let indented = shown.lines().filter(|line| line.starts_with("  "));
        let widest = indented.map(|line| line.chars().count()).max();
        assert!(widest < Some(80), "{command:?}: {wide}");
    }
}

#[tokio::test]
async fn what_the_help_gives_as_examples_is_taken() {
    let world = World::new().await.unwrap();
    let url = world.database().url(&world.starter);
    let help = run(&url, &["start", "--help"]).out;
    let (_, input) = help.split_once("--input '").unwrap();
    let (input, _) = input.split_once('\'').unwrap();
    let said = start(&url, &["--input", input]);
    assert_eq!(said.code, Some(0), "{input}: {said:?}");
}
