//! A hundred thousand hostile strings through each screen, as the bytes that a terminal gets: only the
//! console's own sequences come out, and nothing changes but the cells of the widget that shows them.

mod screens;
mod strings;
mod wire;

use crate::stage::{buffer, press};
use opsroom_console::app::{App, Message, Place};
use opsroom_console::terminal::Painter;
use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use screens::{fill, trouble};
use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use strings::{Text, Words};
use wire::{assert_own_sequences, assert_shows};

/// Strings through each screen.
const STRINGS: usize = 100_000;

/// Narrow, since what is cut is not drawn, and high, for many strings in each frame.
fn size(place: Place) -> (u16, u16) {
    match place {
        Place::Runs | Place::Run | Place::Comparison => (78, 300),
        _ => (46, 300),
    }
}

/// A painter, and the terminal that gets what it paints.
struct Wire {
    painter: Painter<Shared>,
    bytes: Shared,
    terminal: vt100::Parser,
}

#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Wire {
    fn new((columns, rows): (u16, u16)) -> Self {
        let bytes = Shared::default();
        let nonzero = |count| std::num::NonZeroU16::new(count).unwrap();
        Self {
            painter: Painter::elsewhere(bytes.clone()),
            bytes,
            // The emulator wraps lines though it was told not to: what is too wide has room.
            terminal: vt100::Parser::new(nonzero(rows), nonzero(columns + 2), 0),
        }
    }

    /// Paints, and holds what comes out against the frame.
    fn show(&mut self, app: &App) -> Buffer {
        self.painter.paint(app).unwrap();
        let bytes = self.bytes.0.take();
        let text = assert_own_sequences(&bytes);
        // The emulator leaves U+FFFD out, as if it took no column.
        self.terminal
            .process(text.replace('\u{fffd}', "?").as_bytes());
        let frame = buffer(app);
        assert_shows(self.terminal.screen(), &frame);
        frame
    }
}

/// Cells that a text of the database may change: where frames of texts of different lengths differ,
/// in a row of a table; the whole of a pane that flows.
fn may_change(place: Place, at: Position, calm: &[Buffer], app: &App) -> bool {
    let areas = app.areas();
    let flows = matches!(place, Place::Run | Place::Comparison);
    let pane = areas.detail.is_some_and(|area| area.contains(at));
    if pane && (flows || areas.list.height > 0) {
        return true;
    }
    let differ = |y: u16| {
        let symbol = |frame: &Buffer| frame[(at.x, y)].symbol().to_owned();
        calm.iter().any(|frame| symbol(frame) != symbol(&calm[0]))
    };
    // What one row of the table may change, every other may.
    areas.list.contains(at) && areas.list.rows().any(|row| differ(row.y))
}

fn through(place: Place) {
    let mut wire = Wire::new(size(place));
    let mut frame_of = |text: Text| {
        let mut words = Words::of(text);
        let app = fill(place, size(place), &mut words);
        let frame = wire.show(&app);
        (words.given(), app, frame)
    };
    let calm: Vec<Buffer> = [Text::None, Text::Filled('a'), Text::Filled('b')]
        .map(|text| frame_of(text).2)
        .into();
    let mut given = 0;
    let mut mask = None;
    while given < STRINGS {
        let (count, app, frame) = frame_of(Text::Hostile(given as u64));
        assert_eq!(app.place(), place);
        assert!(count > 100, "{count} strings in a frame of {place:?}");
        given += count;
        let mask = mask.get_or_insert_with(|| {
            let cells = frame.area.positions();
            let fixed = cells.filter(|at| !may_change(place, *at, &calm, &app));
            fixed.collect::<Vec<_>>()
        });
        for at in mask {
            assert_eq!(frame[*at], calm[0][*at], "{place:?} at {at}");
        }
    }
}

/// What lies over a screen, and what it says of troubles.
#[test]
fn overlays_lie_over_wide_texts_and_troubles_are_told() {
    for columns in 60..76 {
        let size = (columns, 40);
        let mut wire = Wire::new(size);
        for text in [Text::Filled('東'), Text::Hostile(columns.into())] {
            let mut words = Words::of(text);
            let mut app = fill(Place::Runs, size, &mut words);
            wire.show(&app);
            for keys in ["?", "<Esc>:", "<Esc>y", "<Esc>Y", "<Esc>T", "<Esc>/"] {
                press(&mut app, keys);
                wire.show(&app);
            }
            app.update(Message::Paste(words.raw()));
            wire.show(&app);
            press(&mut app, "<Enter>");
            wire.show(&app);
            press(&mut app, "<Esc>");
            trouble(&mut app, &mut words);
            wire.show(&app);
        }
    }
}

#[test]
fn runs() {
    through(Place::Runs);
}

#[test]
fn one_run() {
    through(Place::Run);
}

#[test]
fn comparison() {
    through(Place::Comparison);
}

#[test]
fn failures() {
    through(Place::Failures);
}

#[test]
fn tenants() {
    through(Place::Tenants);
}

#[test]
fn types() {
    through(Place::Types);
}

#[test]
fn workers() {
    through(Place::Workers);
}

#[test]
fn schedules() {
    through(Place::Schedules);
}

#[test]
fn notifications() {
    through(Place::Notifications);
}
