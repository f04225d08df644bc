//! A program in a real pty, with a terminal emulator at the other end.
//! Not here: the line discipline (`tty`). Waiting blocks the thread and wakes on output.

use crate::error::TestkitError;
use crate::tty::{LineMode, Tty};
use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a program's last output may take to come through after its end.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A running program and its screen. Dropping it kills the program.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    tty: Tty,
    output: Arc<Output>,
}

struct Output {
    seen: Mutex<Seen>,
    news: Condvar,
}

struct Seen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    ended: bool,
}

impl Terminal {
    /// Runs `command` (program, arguments, environment, folder) in a terminal of this size. `TERM`
    /// is `xterm-256color` and the locale UTF-8 unless the command says otherwise.
    ///
    /// # Errors
    /// No pty, or the program cannot be run.
    pub fn spawn(command: &Command, columns: u16, rows: u16) -> Result<Self, TestkitError> {
        let pair = native_pty_system()
            .openpty(size(columns, rows))
            .map_err(failed)?;
        let path = pair.master.tty_name().unwrap_or_default();
        let tty = Tty::open(&path)?;
        let child = pair.slave.spawn_command(builder(command)).map_err(failed)?;
        let reader = pair.master.try_clone_reader().map_err(failed)?;
        let keys = pair.master.take_writer().map_err(failed)?;
        let parser = vt100::Parser::new(nonzero(rows), nonzero(columns), 0);
        let seen = Mutex::new(Seen {
            parser,
            bytes: Vec::new(),
            ended: false,
        });
        let output = Arc::new(Output {
            seen,
            news: Condvar::new(),
        });
        let pump = Arc::clone(&output);
        std::thread::spawn(move || pump.read(reader));
        Ok(Self {
            child,
            master: pair.master,
            keys,
            tty,
            output,
        })
    }

    /// Sends keys as a terminal does: `\r` is Enter, `\x1b` Escape, `\x1b[A` the up arrow.
    ///
    /// # Errors
    /// The pty is gone.
    pub fn send(&mut self, keys: &str) -> Result<(), TestkitError> {
        let sent = self
            .keys
            .write_all(keys.as_bytes())
            .and_then(|()| self.keys.flush());
        sent.map_err(|source| TestkitError::Io {
            what: "sending keys",
            source,
        })
    }

    /// The screen's text, a line per row, blanks at the right cut off.
    #[must_use]
    pub fn screen(&self) -> String {
        self.look(|seen| seen.parser.screen().contents())
    }

    /// Asks anything of the emulated screen: cells, colours, cursor, modes.
    pub fn look_at_screen<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        self.look(|seen| look(seen.parser.screen()))
    }

    /// Whether the alternate screen is shown.
    #[must_use]
    pub fn alternate_screen(&self) -> bool {
        self.look_at_screen(vt100::Screen::alternate_screen)
    }

    /// Whether the cursor is shown.
    #[must_use]
    pub fn cursor_shown(&self) -> bool {
        !self.look_at_screen(vt100::Screen::hide_cursor)
    }

    /// The pty's line mode now, also after the program's end.
    ///
    /// # Errors
    /// The pty is gone.
    pub fn line_mode(&self) -> Result<LineMode, TestkitError> {
        self.tty.line_mode()
    }

    /// How many bytes the program has written to the terminal.
    #[must_use]
    pub fn bytes_written(&self) -> usize {
        self.look(|seen| seen.bytes.len())
    }

    /// Every byte the program has written.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.look(|seen| seen.bytes.clone())
    }

    /// Waits until the screen shows `text`.
    ///
    /// # Errors
    /// It did not until `deadline`; the error shows the screen.
    pub fn wait_for(&self, text: &str, deadline: Duration) -> Result<(), TestkitError> {
        let what = format!("the screen shows `{text}`");
        self.wait_until(&what, deadline, |screen| screen.contents().contains(text))
    }

    /// Waits until the screen is as asked.
    ///
    /// # Errors
    /// It was not until `deadline`; the error names `what` and shows the screen.
    pub fn wait_until(
        &self,
        what: &str,
        deadline: Duration,
        mut condition: impl FnMut(&vt100::Screen) -> bool,
    ) -> Result<(), TestkitError> {
        let waiting = |seen: &mut Seen| !condition(seen.parser.screen());
        let (seen, timeout) = self
            .output
            .news
            .wait_timeout_while(self.output.lock(), deadline, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        if !timeout.timed_out() {
            return Ok(());
        }
        Err(too_late(what, deadline, seen.parser.screen()))
    }

    /// Changes the terminal's size; the program is told by a signal.
    ///
    /// # Errors
    /// The pty is gone.
    pub fn resize(&self, columns: u16, rows: u16) -> Result<(), TestkitError> {
        self.output
            .lock()
            .parser
            .screen_mut()
            .set_size(nonzero(rows), nonzero(columns));
        self.master.resize(size(columns, rows)).map_err(failed)
    }

    /// The program's process.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.process_id()
    }

    /// Sends a signal to the program.
    ///
    /// # Errors
    /// It has ended.
    pub fn signal(&self, signal: Signal) -> Result<(), TestkitError> {
        let pid = self.pid().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let sent = pid.map_or(Err(rustix::io::Errno::SRCH), |pid| {
            kill_process(pid, signal)
        });
        sent.map_err(|fault| TestkitError::Io {
            what: "signalling",
            source: fault.into(),
        })
    }

    /// Waits for the program's end; all it wrote has arrived by then.
    ///
    /// # Errors
    /// It did not end until `deadline`; the error shows the screen.
    pub fn wait_exit(&mut self, deadline: Duration) -> Result<ExitStatus, TestkitError> {
        let failed = |source| TestkitError::Io {
            what: "waiting for the program",
            source,
        };
        let end = Instant::now() + deadline;
        loop {
            if let Some(status) = self.child.try_wait().map_err(failed)? {
                self.drain();
                return Ok(status);
            }
            if Instant::now() >= end {
                return Err(self.look_at_screen(|s| too_late("the program ends", deadline, s)));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// We hold the pty open ourselves, so there is no end of file: what was written is complete when
    /// nothing more comes for a moment.
    fn drain(&self) {
        let mut before = self.bytes_written();
        loop {
            let waiting = |seen: &mut Seen| seen.bytes.len() == before && !seen.ended;
            let (seen, timeout) = self
                .output
                .news
                .wait_timeout_while(self.output.lock(), LAST_WORDS, waiting)
                .unwrap_or_else(PoisonError::into_inner);
            if timeout.timed_out() || seen.ended {
                return;
            }
            before = seen.bytes.len();
        }
    }

    fn look<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.output.lock())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended; either way it is reaped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Output {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, mut reader: Box<dyn Read + Send>) {
        let mut buffer = vec![0; 1 << 14];
        loop {
            let read = reader.read(&mut buffer).unwrap_or(0);
            let mut seen = self.lock();
            seen.ended = read == 0;
            seen.bytes.extend_from_slice(&buffer[..read]);
            seen.parser.process(&buffer[..read]);
            drop(seen);
            self.news.notify_all();
            if read == 0 {
                return;
            }
        }
    }
}

fn too_late(what: &str, deadline: Duration, screen: &vt100::Screen) -> TestkitError {
    TestkitError::Deadline {
        what: what.to_owned(),
        seconds: deadline.as_secs_f64(),
        seen: format!("; the screen was:\n{}", screen.contents()),
    }
}

fn builder(command: &Command) -> CommandBuilder {
    let mut built = CommandBuilder::new(command.get_program());
    built.args(command.get_args());
    built.env("TERM", "xterm-256color");
    built.env("LC_ALL", "C.UTF-8");
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => built.env(name, value),
            None => built.env_remove(name),
        }
    }
    let here = std::env::current_dir().unwrap_or_else(|_| "/".into());
    built.cwd(command.get_current_dir().unwrap_or(&here));
    built
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

/// A terminal without rows or columns is taken for one of a single one.
fn nonzero(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap_or(NonZeroU16::MIN)
}

fn failed(fault: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> TestkitError {
    TestkitError::Terminal(fault.into())
}
