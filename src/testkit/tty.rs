//! The line discipline of a pty, for asserting that a program left it as it found it.

use crate::error::TestkitError;
use rustix::fs::{Mode, OFlags};
use rustix::termios::{LocalModes, OutputModes, Termios, tcgetattr};
use std::os::fd::OwnedFd;
use std::path::Path;

/// What a program may change about its terminal's line and has to restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineMode {
    /// Input comes by lines (off in raw mode).
    pub canonical: bool,
    /// Keys are echoed.
    pub echo: bool,
    /// Ctrl-C and its like are signals.
    pub signals: bool,
    /// Newlines are translated on output.
    pub newlines: bool,
}

impl From<&Termios> for LineMode {
    fn from(termios: &Termios) -> Self {
        Self {
            canonical: termios.local_modes.contains(LocalModes::ICANON),
            echo: termios.local_modes.contains(LocalModes::ECHO),
            signals: termios.local_modes.contains(LocalModes::ISIG),
            newlines: termios.output_modes.contains(OutputModes::OPOST),
        }
    }
}

/// The program's side of a pty, held open so that it can be asked after the program's end.
#[derive(Debug)]
pub(crate) struct Tty(OwnedFd);

impl Tty {
    pub(crate) fn open(path: &Path) -> Result<Self, TestkitError> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let opened = rustix::fs::open(path, flags, Mode::empty());
        opened.map(Self).map_err(failed("opening the pty"))
    }

    pub(crate) fn line_mode(&self) -> Result<LineMode, TestkitError> {
        let termios = tcgetattr(&self.0).map_err(failed("asking for the pty's line mode"))?;
        Ok(LineMode::from(&termios))
    }
}

fn failed(what: &'static str) -> impl Fn(rustix::io::Errno) -> TestkitError {
    move |fault| TestkitError::Io {
        what,
        source: fault.into(),
    }
}
