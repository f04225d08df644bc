//! A line made of pieces, each of a role, with a part that stands at the right.

use super::canvas::Canvas;
use crate::theme::Role;
use opsroom_model::Clean;
use ratatui::layout::Rect;

/// Text of one role.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    text: Clean,
    role: Role,
}

/// One line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line {
    left: Vec<Piece>,
    right: Vec<Piece>,
}

impl Line {
    /// A line without anything on it.
    #[must_use]
    pub fn blank() -> Self {
        Self::default()
    }

    /// A line of one piece.
    #[must_use]
    pub fn of(text: impl Into<Text>, role: Role) -> Self {
        Self::blank().and(text, role)
    }

    /// The line with another piece behind the others.
    #[must_use]
    pub fn and(mut self, text: impl Into<Text>, role: Role) -> Self {
        self.left.push(Piece {
            text: text.into().0,
            role,
        });
        self
    }

    /// The line with another piece at its right end.
    #[must_use]
    pub fn and_right(mut self, text: impl Into<Text>, role: Role) -> Self {
        self.right.push(Piece {
            text: text.into().0,
            role,
        });
        self
    }

    /// The line with the left pieces of `other` behind its own.
    #[must_use]
    pub fn joined(mut self, other: Self) -> Self {
        self.left.extend(other.left);
        self
    }

    /// The line with the pieces of `other` at its right end.
    #[must_use]
    pub fn with_right(mut self, other: Self) -> Self {
        self.right.extend(other.left);
        self
    }

    /// Columns of all its pieces.
    #[must_use]
    pub fn width(&self) -> usize {
        self.left
            .iter()
            .chain(&self.right)
            .map(|piece| piece.text.width())
            .sum()
    }

    /// Draws it on the first row of `area`. The right part goes first where both do not fit.
    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let right: usize = self.right.iter().map(|piece| piece.text.width()).sum();
        let right = u16::try_from(right).unwrap_or(u16::MAX);
        let fits = self.width() < usize::from(area.width);
        let mut rest = area;
        if right > 0 && fits {
            let mut at = Rect {
                x: area.x + area.width - right,
                width: right,
                ..area
            };
            for piece in &self.right {
                let taken = canvas.text(at, &piece.text, piece.role);
                at = shifted(at, taken);
            }
            rest.width -= right + 1;
        }
        for piece in &self.left {
            let taken = canvas.text(rest, &piece.text, piece.role);
            rest = shifted(rest, taken);
        }
    }

    /// The line as plain text of at most `width` columns, or of any where that is `None`.
    #[must_use]
    pub fn plain(&self) -> String {
        let left: String = self.left.iter().map(|piece| piece.text.as_str()).collect();
        let right: String = self.right.iter().map(|piece| piece.text.as_str()).collect();
        match right.is_empty() {
            true => left,
            false => format!("{left}  {right}"),
        }
    }
}

fn shifted(area: Rect, by: u16) -> Rect {
    let by = by.min(area.width);
    Rect {
        x: area.x + by,
        width: area.width - by,
        ..area
    }
}

/// What a piece can be made of.
pub struct Text(Clean);

impl From<&'static str> for Text {
    fn from(own: &'static str) -> Self {
        Self(Clean::new(own))
    }
}

impl From<String> for Text {
    fn from(composed: String) -> Self {
        Self(Clean::new(&composed))
    }
}

impl From<&Clean> for Text {
    fn from(text: &Clean) -> Self {
        Self(text.clone())
    }
}

impl From<Clean> for Text {
    fn from(text: Clean) -> Self {
        Self(text)
    }
}
