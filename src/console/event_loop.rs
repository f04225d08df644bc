//! The one loop: keys, answers, time. Everything that happened is taken in before one frame is
//! painted; nothing here ever waits for the database.

use crate::app::{App, Data, Effect, Message, Wants};
use crate::terminal::{Painter, Watch, copy, events};
use chrono::Utc;
use crossterm::event::Event;
use std::io;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;

/// How the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By a key.
    Quit,
    /// The terminal gave no more events.
    Closed,
    /// The database side ended, which it never does by itself.
    FeedGone,
}

/// Runs the console until it ends.
///
/// # Errors
/// Where the terminal cannot be written to or read.
pub async fn run(
    mut app: App,
    wants: watch::Sender<Wants>,
    mut answers: mpsc::Receiver<Data>,
    signals: &Watch,
) -> io::Result<End> {
    let mut painter = Painter::on_stdout();
    let mut events = events()?;
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        painter.paint(&app)?;
        let message = tokio::select! {
            biased;
            event = events.recv() => match event {
                Some(event) => message_of(event),
                None => return Ok(End::Closed),
            },
            () = signals.resumed() => {
                painter.forget();
                crossterm::terminal::size().ok().map(|(columns, rows)| Message::Resize(columns, rows))
            }
            answer = answers.recv() => match answer {
                Some(data) => Some(Message::Data(data)),
                None => return Ok(End::FeedGone),
            },
            _ = ticks.tick() => None,
        };
        app.update(Message::Tick(Utc::now()));
        let mut next = message;
        loop {
            if let Some(message) = next
                && take(&mut app, message, &mut painter, signals)? == Flow::End
            {
                return Ok(End::Quit);
            }
            // Keys typed faster than frames are taken in together.
            next = match events.try_recv() {
                Ok(event) => message_of(event),
                Err(_) => break,
            };
        }
        let wanted = app.wants();
        wants.send_if_modified(|known| {
            let differs = *known != wanted;
            if differs {
                *known = wanted;
            }
            differs
        });
    }
}

#[derive(PartialEq, Eq)]
enum Flow {
    On,
    End,
}

fn take(
    app: &mut App,
    message: Message,
    painter: &mut Painter,
    signals: &Watch,
) -> io::Result<Flow> {
    if matches!(message, Message::Resize(..)) {
        painter.forget();
    }
    for effect in app.update(message) {
        match effect {
            Effect::Quit => return Ok(Flow::End),
            Effect::Suspend => signals.suspend(),
            Effect::Redraw => painter.forget(),
            Effect::Copy(text) => copy(painter.out(), &text)?,
        }
    }
    Ok(Flow::On)
}

fn message_of(event: Event) -> Option<Message> {
    match event {
        Event::Key(key) => Some(Message::Key(key)),
        Event::Paste(text) => Some(Message::Paste(text)),
        Event::Resize(columns, rows) => Some(Message::Resize(columns, rows)),
        Event::FocusGained => Some(Message::Focus(true)),
        Event::FocusLost => Some(Message::Focus(false)),
        Event::Mouse(_) => None,
    }
}
