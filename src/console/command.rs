//! What the program does, one file a command. Data goes to the standard output, words about it to the
//! standard error.

pub mod code;
pub mod console;
pub mod doctor;
mod document;
pub mod keys;
pub mod linear;
mod rows;
pub mod run;
pub mod runs;
pub mod snapshot;

use crate::exit::Failure;
use opsroom_model::query::{Query, parse};
use std::io::{self, Write};

/// Reads a query of the command line; an error shows the place under the text.
pub(crate) fn query(text: &str) -> Result<Query, Failure> {
    parse(text).map_err(|error| {
        let shown = opsroom_model::Clean::new(text);
        let before: String = text.chars().take(error.at).collect();
        let column = opsroom_model::Clean::new(&before).width();
        Failure::usage(format!(
            "{}\n  {shown}\n  {}^",
            error.message,
            " ".repeat(column)
        ))
    })
}

/// Writes to the standard output; a reader that went away is no error.
fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
