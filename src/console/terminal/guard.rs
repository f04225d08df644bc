//! Taking the terminal and giving it back. It is given back once, by whoever comes first: the end of
//! the program, a panic, or the thread that watches for signals; after that nothing more is drawn.

use crossterm::cursor::Show;
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange,
};
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
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
        EnableFocusChange,
        EnableBracketedPaste
    )
}

fn leave(hold: &mut Hold, then: Hold) {
    if *hold == Hold::Taken {
        // Each is tried whatever became of the others: a terminal half restored is worse than an
        // error nobody can see.
        let _ = execute!(
            io::stdout(),
            DisableBracketedPaste,
            DisableFocusChange,
            LeaveAlternateScreen,
            Show
        );
        let _ = disable_raw_mode();
    }
    *hold = then;
}

/// Runs `draw` where the terminal is held, and not otherwise.
pub(super) fn while_held(draw: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let hold = hold();
    if *hold == Hold::Taken { draw() } else { Ok(()) }
}

/// Gives the terminal back for good. A frame being written is waited for, but not for long: a
/// terminal that takes nothing any more must not keep the program.
pub(super) fn give_back_for_good() {
    let patience = Instant::now() + Duration::from_millis(300);
    loop {
        if let Ok(mut hold) = HOLD.try_lock() {
            leave(&mut hold, Hold::Over);
            // Kept locked until the process is gone: nothing may be drawn now.
            std::mem::forget(hold);
            return;
        }
        if Instant::now() > patience {
            let _ = disable_raw_mode();
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
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
pub(crate) fn end_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        give_back_for_good();
        report(panic);
        std::process::exit(1);
    }));
}
