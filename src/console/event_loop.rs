//! The one loop: keys, answers, time. Everything that happened is taken in before one frame is
//! painted; nothing here ever waits for the database.

use crate::app::{App, Data, Effect, Message, Wants};
use crate::config::Memory;
use crate::terminal::{Late, Painter, Watch, capture_mouse, copy, events, ring};
use crate::theme::Shelf;
use chrono::{DateTime, Utc};
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

/// The way to one database. Dropping it ends what feeds it.
pub struct Line {
    /// What should be asked of it.
    pub wants: watch::Sender<Wants>,
    /// What it answered.
    pub answers: mpsc::Receiver<Data>,
    /// What is remembered of it from one start to the next.
    pub memory: Memory,
}

/// Turns the console to the database of a profile; an error is a word to the person.
pub type Turn<'a> = &'a dyn Fn(&mut App, &str) -> Result<Line, String>;

/// What the loop lives among.
pub struct World<'a> {
    /// The database.
    pub line: Line,
    /// How to turn to another.
    pub turn: Turn<'a>,
    /// Theme files that were saved.
    pub themes: mpsc::Receiver<Result<Shelf, String>>,
    /// Signals.
    pub signals: &'a Watch,
    /// What swallows an answer of the terminal that may still come.
    pub late: Option<Late>,
}

/// Runs the console until it ends.
///
/// # Errors
/// Where the terminal cannot be written to or read.
pub async fn run(mut app: App, mut world: World<'_>) -> io::Result<End> {
    let mut painter = Painter::on_stdout();
    let mut events = events(world.late.take())?;
    painter.send(|out| capture_mouse(out, app.mouse))?;
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
            () = world.signals.resumed() => {
                painter.forget();
                painter.send(|out| capture_mouse(out, app.mouse))?;
                crossterm::terminal::size().ok().map(|(columns, rows)| Message::Resize(columns, rows))
            }
            answer = world.line.answers.recv() => match answer {
                Some(data) => Some(Message::Data(data)),
                None => return Ok(End::FeedGone),
            },
            Some(shelf) = world.themes.recv() => Some(Message::Themes(shelf)),
            _ = ticks.tick() => None,
        };
        let ticked = app.update(Message::Tick(Utc::now()));
        perform(ticked, &mut painter, &world)?;
        let mut next = message;
        loop {
            let flow = match next {
                Some(message) => take(&mut app, message, &mut painter, &world)?,
                None => Flow::On,
            };
            if flow != Flow::On {
                look_ended(&world.line.memory, app.clock.db_time());
            }
            match flow {
                Flow::On => {}
                Flow::End => return Ok(End::Quit),
                Flow::Turn(name) => match (world.turn)(&mut app, &name) {
                    Ok(line) => world.line = line,
                    Err(word) => app.say(word),
                },
            }
            // Keys typed faster than frames are taken in together.
            next = match events.try_recv() {
                Ok(event) => message_of(event),
                Err(_) => break,
            };
        }
        let wanted = app.wants();
        world.line.wants.send_if_modified(|known| {
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
    Turn(String),
}

fn take(
    app: &mut App,
    message: Message,
    painter: &mut Painter,
    world: &World<'_>,
) -> io::Result<Flow> {
    if matches!(message, Message::Resize(..)) {
        painter.forget();
    }
    let effects = app.update(message);
    perform(effects, painter, world)
}

fn perform(effects: Vec<Effect>, painter: &mut Painter, world: &World<'_>) -> io::Result<Flow> {
    for effect in effects {
        match effect {
            Effect::Quit => return Ok(Flow::End),
            Effect::Profile(name) => return Ok(Flow::Turn(name)),
            Effect::Suspend => world.signals.suspend(),
            Effect::Redraw => painter.forget(),
            Effect::Copy(text) => painter.send(|out| copy(out, &text))?,
            Effect::Bell(word) => painter.send(|out| ring(out, &word))?,
            Effect::Mouse(capture) => painter.send(|out| capture_mouse(out, capture))?,
            Effect::Looked(at) => look_ended(&world.line.memory, at),
            Effect::Read(ids) => remember(&world.line.memory, move |memory| memory.keep_read(ids)),
        }
    }
    Ok(Flow::On)
}

fn look_ended(memory: &Memory, at: DateTime<Utc>) {
    remember(memory, move |memory| memory.keep(at));
}

/// Remembers something on a thread of its own: a slow disk must not hold a key up. What cannot be
/// remembered is no reason to say anything.
fn remember(memory: &Memory, keep: impl FnOnce(Memory) -> io::Result<()> + Send + 'static) {
    let memory = memory.clone();
    let kept = std::thread::Builder::new().spawn(move || keep(memory));
    // At the end of the program there is time, but not for ever.
    if let Ok(thread) = kept {
        let until = std::time::Instant::now() + Duration::from_millis(100);
        while !thread.is_finished() && std::time::Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn message_of(event: Event) -> Option<Message> {
    match event {
        Event::Key(key) => Some(Message::Key(key)),
        Event::Paste(text) => Some(Message::Paste(text)),
        Event::Resize(columns, rows) => Some(Message::Resize(columns, rows)),
        Event::FocusGained => Some(Message::Focus(true)),
        Event::FocusLost => Some(Message::Focus(false)),
        Event::Mouse(event) => Some(Message::Mouse(event)),
    }
}
