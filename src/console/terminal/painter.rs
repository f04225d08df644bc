//! Frames to the terminal: only the cells that changed are written, and where none did, nothing is,
//! not even a cursor sequence. Terminals do not agree on how wide every symbol is: after one they may
//! not agree on the cursor is placed anew, so that it can shift nothing.

use super::guard;
use crate::app::App;
use crate::screen;
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::layout::{Position, Rect};
use std::io::{self, BufWriter, Stdout, Write};
use unicode_width::UnicodeWidthChar;

/// Draws the application on a terminal.
pub struct Painter<W: Write = BufWriter<Stdout>> {
    backend: CrosstermBackend<W>,
    shown: Buffer,
    /// Kept from frame to frame: a new one would cost more than what is drawn on it.
    next: Buffer,
    cursor: Option<Option<Position>>,
    fresh: bool,
    onto: Onto,
}

/// Where frames go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Onto {
    /// The program's terminal, while it is held.
    Terminal,
    /// Something else, of which nobody has to hold anything.
    Elsewhere,
}

impl Painter {
    /// A painter on the standard output.
    #[must_use]
    pub fn on_stdout() -> Self {
        Self::new(BufWriter::with_capacity(32 * 1024, io::stdout()))
    }
}

impl<W: Write> Painter<W> {
    /// A painter on `out`, of which nothing is known yet.
    pub fn new(out: W) -> Self {
        Self {
            backend: CrosstermBackend::new(out),
            shown: Buffer::default(),
            next: Buffer::default(),
            cursor: None,
            fresh: true,
            onto: Onto::Terminal,
        }
    }

    /// A painter on what is not this program's terminal: a file, or the memory.
    pub fn elsewhere(out: W) -> Self {
        Self {
            onto: Onto::Elsewhere,
            ..Self::new(out)
        }
    }

    /// Forgets what the terminal shows: the next frame is drawn whole.
    pub fn forget(&mut self) {
        self.fresh = true;
    }

    /// Brings the terminal up to date.
    ///
    /// # Errors
    /// Where the terminal cannot be written to.
    pub fn paint(&mut self, app: &App) -> io::Result<()> {
        let area = Rect::new(0, 0, app.size.0, app.size.1);
        if self.next.area != area {
            self.next = Buffer::empty(area);
        }
        let cursor = screen::view(app, &mut self.next);
        match self.onto {
            Onto::Terminal => guard::while_held(|| self.write(cursor)),
            Onto::Elsewhere => self.write(cursor),
        }
    }

    fn write(&mut self, cursor: Option<Position>) -> io::Result<()> {
        let whole = self.fresh || self.shown.area != self.next.area;
        if whole {
            self.shown = Buffer::empty(self.next.area);
        }
        let changes = self.shown.diff(&self.next);
        if changes.is_empty() && !whole && self.cursor == Some(cursor) {
            return Ok(());
        }
        queue!(self.backend, BeginSynchronizedUpdate, Hide)?;
        if whole {
            queue!(self.backend, Clear(ClearType::All))?;
        }
        for run in changes.split_inclusive(|(_, _, cell)| !is_certain(cell.symbol())) {
            match run.split_last() {
                Some((last, others)) if !is_certain(last.2.symbol()) => {
                    self.backend.draw(others.iter().copied())?;
                    draw_alone(&mut self.backend, &self.next, *last)?;
                }
                _ => self.backend.draw(run.iter().copied())?,
            }
        }
        if let Some(at) = cursor {
            queue!(self.backend, MoveTo(at.x, at.y), Show)?;
        }
        queue!(self.backend, EndSynchronizedUpdate)?;
        io::Write::flush(&mut self.backend)?;
        std::mem::swap(&mut self.shown, &mut self.next);
        self.cursor = Some(cursor);
        self.fresh = false;
        Ok(())
    }

    /// Writes what is no frame, where the terminal is held.
    ///
    /// # Errors
    /// Where the terminal cannot be written to.
    pub fn send(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        guard::while_held(|| write(&mut self.backend))
    }
}

/// Draws a symbol of which a terminal may think that it is narrower or wider: on blanks, and what
/// stands behind it once more. Each call of the backend begins with the cursor's place.
fn draw_alone<W: Write>(
    backend: &mut CrosstermBackend<W>,
    frame: &Buffer,
    (x, y, cell): (u16, u16, &Cell),
) -> io::Result<()> {
    let end = x.saturating_add(columns(cell.symbol()));
    let mut blank = cell.clone();
    blank.set_symbol(" ");
    backend.draw((x..end.min(frame.area.right())).map(|x| (x, y, &blank)))?;
    backend.draw(std::iter::once((x, y, cell)))?;
    // As wide as it is where each of its characters is taken for a symbol.
    let apart: usize = cell
        .symbol()
        .chars()
        .filter_map(UnicodeWidthChar::width)
        .sum();
    let covered = x.saturating_add(u16::try_from(apart).unwrap_or(u16::MAX));
    let covered = covered.min(frame.area.right());
    let mut x = end;
    backend.draw(std::iter::from_fn(|| {
        let cell = (x < covered).then(|| (x, y, &frame[(x, y)]))?;
        x = x.saturating_add(columns(cell.2.symbol()));
        Some(cell)
    }))
}

fn columns(symbol: &str) -> u16 {
    symbol.cell_width().max(1)
}

/// True for symbols that every terminal takes for as wide as we do: Latin, our own signs, ideographs.
fn is_certain(symbol: &str) -> bool {
    let mut chars = symbol.chars();
    let (Some(c), None) = (chars.next(), chars.next()) else {
        return false;
    };
    matches!(c, '\0'..'\u{300}' | '\u{2010}'..='\u{27bf}' | '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}
