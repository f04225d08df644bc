//! Running other people's programs to their end, with a deadline and their last words kept.
//! Not here: the server itself, which outlives the call.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How a program that should have done something did not.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It is not installed or cannot be executed.
    #[error("`{program}` cannot be run: {source}")]
    Launch {
        /// Its name.
        program: String,
        /// The system's word.
        source: io::Error,
    },
    /// It ended with a failure.
    #[error("`{program}` failed ({status}): {words}")]
    Failed {
        /// Its name.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it printed.
        words: String,
    },
    /// It took too long and was ended.
    #[error("`{program}` was not done after {} s", .waited.as_secs())]
    Deadline {
        /// Its name.
        program: String,
        /// How long it was waited.
        waited: Duration,
    },
}

/// What is kept of a failed program's output, in bytes from its end.
const WORDS: usize = 2_000;
/// How often a running program is looked at.
const TICK: Duration = Duration::from_millis(5);

/// Runs `command` without standard input and returns what it printed on standard output.
///
/// # Errors
/// It cannot be launched, ends with a failure, or is not done within `deadline` (then it is killed).
pub(crate) fn run(command: &mut Command, deadline: Duration) -> Result<String, ProgramError> {
    let program = short_name(command.get_program());
    let launch = |source| ProgramError::Launch {
        program: program.clone(),
        source,
    };
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(launch)?;
    let out = collect(child.stdout.take());
    let err = collect(child.stderr.take());
    let Some(status) = wait(&mut child, deadline).map_err(launch)? else {
        return Err(ProgramError::Deadline {
            program,
            waited: deadline,
        });
    };
    let (out, err) = (
        out.join().unwrap_or_default(),
        err.join().unwrap_or_default(),
    );
    if status.success() {
        return Ok(out);
    }
    let words = if err.trim().is_empty() { &out } else { &err };
    Err(ProgramError::Failed {
        program,
        status,
        words: tail(words, WORDS).to_owned(),
    })
}

/// Waits for `child`; kills and reaps it when `deadline` has passed (then `None`).
pub(crate) fn wait(child: &mut Child, deadline: Duration) -> io::Result<Option<ExitStatus>> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            // It may just have ended; either way it is reaped below.
            let _ = child.kill();
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(TICK);
    }
}

/// The last `bytes` of `text`, trimmed, cut at a character.
pub(crate) fn tail(text: &str, bytes: usize) -> &str {
    let text = text.trim();
    let mut from = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    &text[from..]
}

fn short_name(program: &OsStr) -> String {
    std::path::Path::new(program)
        .file_name()
        .unwrap_or(program)
        .to_string_lossy()
        .into_owned()
}

/// Reads a pipe to its end beside the wait, so that a talkative program never blocks.
fn collect(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read until an error is still worth showing.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
