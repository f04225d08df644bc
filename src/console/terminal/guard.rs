//! Taking the terminal and giving it back. It is given back once, by whoever comes first: the end of
//! the program, a panic, or the thread that watches for signals; after that nothing more is drawn.
//! Where a frame is cut in its middle, by a panic of whoever draws it or because its write does not
//! come back, the terminal is given back all the same.

use color_eyre::config::PanicHook;
use crossterm::cursor::Show;
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
    EnableFocusChange,
};
use crossterm::style::ResetColor;
use crossterm::terminal::{
    DisableLineWrap, EnableLineWrap, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::cell::Cell;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
    Given,
    Taken,
    Over,
}

/// Who holds the terminal. Whoever writes to it holds this lock, so that no frame can follow the
/// sequence that gives it back.
static HOLD: Mutex<Hold> = Mutex::new(Hold::Given);

fn hold() -> MutexGuard<'static, Hold> {
    HOLD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Holds the terminal in raw mode on its alternate screen until it is dropped.
#[derive(Debug)]
pub struct Guard(());

impl Guard {
    /// Takes the terminal. From here on a panic gives it back before it is reported.
    ///
    /// # Errors
    /// Where the terminal refuses; it is then as before.
    pub fn take() -> io::Result<Self> {
        let guard = Self(());
        enter(&mut hold())?;
        Ok(guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        leave(&mut hold(), Hold::Given);
    }
}

fn enter(hold: &mut Hold) -> io::Result<()> {
    enable_raw_mode()?;
    *hold = Hold::Taken;
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        // What a terminal takes for wider than it is must not go on in the next line.
        DisableLineWrap,
        EnableFocusChange,
        EnableBracketedPaste
    )
}

fn leave(hold: &mut Hold, then: Hold) {
    if *hold == Hold::Taken {
        // Each is tried whatever became of the others: a terminal half restored is worse than an
        // error nobody can see.
        let mut out = io::stdout();
        let _ = out.write_all(&leaving()).and_then(|()| out.flush());
        let _ = disable_raw_mode();
    }
    *hold = then;
}

/// What undoes [`enter`], and what a frame that failed may have left behind.
fn leaving() -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to memory cannot fail.
    let _ = queue!(
        bytes,
        EndSynchronizedUpdate,
        ResetColor,
        DisableMouseCapture,
        DisableBracketedPaste,
        DisableFocusChange,
        EnableLineWrap,
        LeaveAlternateScreen,
        Show
    );
    bytes
}

thread_local! {
    /// True on a thread that holds [`HOLD`] for a frame.
    static DRAWS: Cell<bool> = const { Cell::new(false) };
}

/// Runs `draw` where the terminal is held, and not otherwise.
pub(super) fn while_held(draw: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let hold = hold();
    if *hold != Hold::Taken {
        return Ok(());
    }
    DRAWS.set(true);
    let drawn = draw();
    DRAWS.set(false);
    drawn
}

/// Gives the terminal back for good. A frame being written is waited for, but not for long: a
/// terminal that takes nothing any more must not keep the program. One that this very thread was
/// writing, in a panic, ends here.
pub(super) fn give_back_for_good() {
    let patience = Instant::now() + Duration::from_millis(300);
    loop {
        if let Ok(mut hold) = HOLD.try_lock() {
            leave(&mut hold, Hold::Over);
            // Kept locked until the process is gone: nothing may be drawn now.
            std::mem::forget(hold);
            return;
        }
        if DRAWS.get() {
            // The rest of the frame must not follow at the exit.
            let _ = io::stdout().flush();
            return leave_in_the_middle();
        }
        if Instant::now() > patience {
            return leave_in_the_middle();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Gives the terminal back though a frame was cut. Past the standard output's own lock, which whoever
/// draws may hold for ever; and only where the terminal takes something.
fn leave_in_the_middle() {
    let out = io::stdout();
    let mut watched = [PollFd::new(&out, PollFlags::OUT)];
    let soon = Timespec {
        tv_sec: 0,
        tv_nsec: 100_000_000,
    };
    if poll(&mut watched, Some(&soon)).is_ok() && watched[0].revents().contains(PollFlags::OUT) {
        // First CAN, which ends a sequence that was cut.
        let bytes = [&b"\x18"[..], &leaving()].concat();
        let _ = rustix::io::write(&out, &bytes);
    }
    let _ = disable_raw_mode();
}

/// Gives the terminal back, lets `pause` happen, and takes it again.
pub(super) fn lend(pause: impl FnOnce()) -> io::Result<()> {
    let mut hold = hold();
    if *hold != Hold::Taken {
        return Ok(());
    }
    leave(&mut hold, Hold::Given);
    let _ = io::stdout().flush();
    pause();
    enter(&mut hold)
}

/// Makes panics give the terminal back before they are reported, and end the program: a console that
/// draws on beside a dead part of itself would show lies.
pub(crate) fn end_on_panic(report: PanicHook) {
    std::panic::set_hook(Box::new(move |panic| {
        give_back_for_good();
        // To standard error that is gone, a hook that panics would abort.
        let _ = writeln!(std::io::stderr(), "{}", report.panic_report(panic));
        std::process::exit(1);
    }));
}
