//! Help whose examples stand as they were written. clap wraps every text at the terminal's width; an
//! example that is cut in two is another command, or two.

use crate::cli::Cli;
use clap::error::ErrorKind;
use clap::{Command, CommandFactory as _, Error, FromArgMatches as _};
use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};

/// Stands for the spaces of an example while clap looks for places to break a line.
const UNBROKEN: char = '\u{a0}';

/// Parses `args`, the program's name first.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, Error> {
    let mut matches = unbroken(Cli::command()).try_get_matches_from(args)?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut Cli::command()))
}

/// Prints help, the version or a usage error where it belongs. A closed pipe is no fault.
pub(crate) fn print(error: &Error) {
    let helps = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    if !helps {
        let _ = error.print();
        return;
    }
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let coloured = |terminal: bool| {
        let text = error.render();
        let text = if terminal && !plain {
            text.ansi().to_string()
        } else {
            text.to_string()
        };
        text.replace(UNBROKEN, " ")
    };
    let _ = if error.use_stderr() {
        let mut out = io::stderr().lock();
        let text = coloured(out.is_terminal());
        out.write_all(text.as_bytes())
    } else {
        let mut out = io::stdout().lock();
        let text = coloured(out.is_terminal());
        out.write_all(text.as_bytes())
    };
}

/// The command and all below it, their examples in one piece.
fn unbroken(command: Command) -> Command {
    let help = command.get_after_help().map(ToString::to_string);
    let command = match help {
        Some(help) => command.after_help(lines(&help)),
        None => command,
    };
    command.mut_subcommands(unbroken)
}

/// Examples are indented; other lines are prose, and may be wrapped.
fn lines(help: &str) -> String {
    let line = |line: &str| match line.strip_prefix("  ") {
        Some(example) => format!("  {}", example.replace(' ', &UNBROKEN.to_string())),
        None => line.to_owned(),
    };
    help.lines().map(line).collect::<Vec<_>>().join("\n")
}
