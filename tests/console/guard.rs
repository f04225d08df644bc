//! The terminal is given back even where a frame is cut in its middle: by a panic of whoever draws it,
//! or by a signal while a write does not come back.

use crate::session::{SOON, assert_given_back};
use crate::stage::live;
use opsroom_console::terminal::{Guard, Painter, Watch};
use opsroom_testkit::{Signal, Terminal};
use std::io::{self, Write};
use std::process::Command;

const PART: &str = "OPSROOM_TEST_PART";

/// Writes some of a frame and `half a frame`, begins a sequence, and does `then`.
struct Cut {
    writes: usize,
    then: fn(),
}

impl Write for Cut {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.writes == 0 {
            io::stdout().write_all(b"half a frame\x1b[31")?;
            (self.then)();
        }
        self.writes -= 1;
        io::stdout().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

fn alone(part: &str) -> Terminal {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "guard::a_frame_is_cut",
            "--ignored",
            "--nocapture",
        ])
        .env(PART, part)
        // A backtrace would push what is looked for off the screen.
        .env("RUST_BACKTRACE", "0");
    Terminal::spawn(&command, 80, 24).unwrap()
}

#[test]
#[ignore = "run by the others here, in a terminal of its own"]
fn a_frame_is_cut() {
    let then = match std::env::var(PART).as_deref() {
        Ok("panic") => || panic!("cut in the middle"),
        Ok("stall") => || {
            let mut stuck = io::stdout().lock();
            stuck.flush().unwrap();
            loop {
                std::thread::park();
            }
        },
        _ => return,
    };
    // Whatever command makes the program report its panics.
    opsroom_console::main_from(["opsroom", "code", "graph.throttled"].map(Into::into));
    let _watch = Watch::begin().unwrap();
    let _guard = Guard::take().unwrap();
    let mut painter = Painter::new(Cut { writes: 200, then });
    painter.paint(&live(80, 24)).unwrap();
}

#[test]
fn a_panic_while_a_frame_is_written_gives_the_terminal_back() {
    let mut terminal = alone("panic");
    assert_eq!(terminal.wait_exit(SOON).unwrap().exit_code(), 1);
    assert_given_back(&terminal);
    let screen = terminal.screen();
    assert!(screen.contains("cut in the middle"), "{screen}");
    assert!(!screen.contains("half a frame"), "{screen}");
}

#[test]
fn a_signal_while_a_write_does_not_come_back_gives_the_terminal_back() {
    let mut terminal = alone("stall");
    terminal
        .wait_until("half a frame is drawn", SOON, |screen| {
            screen.alternate_screen() && screen.contents().contains("half a frame")
        })
        .unwrap();
    terminal.signal(Signal::TERM).unwrap();
    assert_eq!(terminal.wait_exit(SOON).unwrap().exit_code(), 143);
    assert_given_back(&terminal);
}
