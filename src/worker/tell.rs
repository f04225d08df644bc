//! Words for standard output and standard error. A reader that has gone away (`| head -1`) is no fault:
//! what a command did is done, and the rest of its words are nobody's.

use std::fmt;
use std::io::{self, ErrorKind, Write as _};

/// As `println!`, but it never panics.
macro_rules! tell {
    ($($words:tt)*) => {
        $crate::tell::line(format_args!($($words)*))
    };
}

/// As `eprintln!`, but it never panics.
macro_rules! note {
    ($($words:tt)*) => {
        $crate::tell::aside(format_args!($($words)*))
    };
}

pub(crate) use {note, tell};

pub(crate) fn line(words: fmt::Arguments<'_>) {
    let mut out = io::stdout().lock();
    match writeln!(out, "{words}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            tracing::warn!(%error, "standard output takes no more");
        }
        _ => {}
    }
}

pub(crate) fn aside(words: fmt::Arguments<'_>) {
    // Where standard error takes nothing, there is nobody left to tell.
    let _ = writeln!(io::stderr().lock(), "{words}");
}
