//! The terminal's events, read on a thread of their own. (crossterm's stream keeps only the waker of
//! its first poll, so that it can neither be drained nor be polled from two places.)

use super::Late;
use crossterm::event::{Event, read};
use std::io;
use tokio::sync::mpsc;

/// Events as they come; ends where the terminal gives no more. The thread lives until then or until
/// the end of the program: reading cannot be interrupted. What `late` swallows is not among them.
///
/// # Errors
/// Where no thread can be had.
pub fn events(mut late: Option<Late>) -> io::Result<mpsc::Receiver<Event>> {
    let (sender, receiver) = mpsc::channel(256);
    let pump = move || {
        while let Ok(event) = read() {
            if late.as_mut().is_some_and(|late| late.swallows(&event)) {
                continue;
            }
            if sender.blocking_send(event).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new()
        .name("events".to_owned())
        .spawn(pump)?;
    Ok(receiver)
}
