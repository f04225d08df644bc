//! Frames to the terminal: only the cells that changed are written, and where none did, nothing is,
//! not even a cursor sequence.

use super::guard;
use crate::app::App;
use crate::screen;
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::io::{self, BufWriter, Stdout, Write};

/// Draws the application on a terminal.
pub struct Painter<W: Write = BufWriter<Stdout>> {
    backend: CrosstermBackend<W>,
    shown: Buffer,
    cursor: Option<Option<Position>>,
    fresh: bool,
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
            cursor: None,
            fresh: true,
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
        let mut next = Buffer::empty(area);
        let cursor = screen::view(app, &mut next);
        guard::while_held(|| self.write(next, cursor))
    }

    fn write(&mut self, next: Buffer, cursor: Option<Position>) -> io::Result<()> {
        let whole = self.fresh || self.shown.area != next.area;
        if whole {
            self.shown = Buffer::empty(next.area);
        }
        let changes = self.shown.diff(&next);
        if changes.is_empty() && !whole && self.cursor == Some(cursor) {
            return Ok(());
        }
        queue!(self.backend, BeginSynchronizedUpdate, Hide)?;
        if whole {
            queue!(self.backend, Clear(ClearType::All))?;
        }
        self.backend.draw(changes.into_iter())?;
        if let Some(at) = cursor {
            queue!(self.backend, MoveTo(at.x, at.y), Show)?;
        }
        queue!(self.backend, EndSynchronizedUpdate)?;
        io::Write::flush(&mut self.backend)?;
        self.shown = next;
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
