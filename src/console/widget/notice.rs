//! What stands where rows would: still asking, nothing there, not permitted, an error. Each says what
//! a person can do, where anything can be done.

use super::canvas::Canvas;
use super::table::MARGIN;
use super::wrap::wrap;
use crate::theme::Role;
use ratatui::layout::Rect;

/// Why there are no rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice<'a> {
    /// The question was not answered yet.
    Loading,
    /// There is nothing.
    Empty {
        /// Of what there is nothing.
        what: &'a str,
        /// What a person can do; empty: nothing.
        remedy: &'a str,
    },
    /// The login may not see it.
    Forbidden {
        /// What it lacks.
        what: &'a str,
        /// What a person can do; empty: nothing.
        remedy: &'a str,
    },
    /// The question could not be answered.
    Error {
        /// What happened.
        what: &'a str,
        /// What a person can do.
        remedy: &'a str,
    },
}

impl Notice<'_> {
    /// Draws it at the top of `area`.
    pub fn draw(self, canvas: &mut Canvas<'_>, area: Rect) {
        let (what, role, remedy) = match self {
            Self::Loading => ("loading …", Role::Muted, ""),
            Self::Empty { what, remedy } => (what, Role::Muted, remedy),
            Self::Forbidden { what, remedy } => (what, Role::Partial, remedy),
            Self::Error { what, remedy } => (what, Role::Problem, remedy),
        };
        let row = |y: u16| Rect {
            x: area.x.saturating_add(MARGIN),
            y: area.y.saturating_add(y),
            width: area.width.saturating_sub(MARGIN),
            height: u16::from(y < area.height),
        };
        let room = usize::from(area.width.saturating_sub(MARGIN + 1));
        let mut y = 0;
        for (text, role) in [(what, role), (remedy, Role::Muted)] {
            if text.is_empty() {
                continue;
            }
            for text in wrap(text, room) {
                canvas.text(row(y), text, role);
                y = y.saturating_add(1);
            }
        }
    }
}
