//! The surface: text of a role at a place, cut where it does not fit. Nothing outside the area it
//! was made for can be written.

use crate::glyphs::Glyphs;
use crate::theme::{Role, Theme};
use opsroom_model::Clean;
use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use std::borrow::Cow;
use unicode_segmentation::UnicodeSegmentation;

/// Text that may be drawn: our own words, or what was cleaned.
pub struct Ink<'a>(Cow<'a, str>);

impl From<&'static str> for Ink<'static> {
    fn from(own: &'static str) -> Self {
        Self(Cow::Borrowed(own))
    }
}

impl<'a> From<&'a Clean> for Ink<'a> {
    fn from(text: &'a Clean) -> Self {
        Self(Cow::Borrowed(text.as_str()))
    }
}

impl From<String> for Ink<'static> {
    /// Composed text is cleaned once more: what it was composed of may have come from anywhere.
    fn from(composed: String) -> Self {
        Self(Cow::Owned(Clean::new(&composed).as_str().to_owned()))
    }
}

/// Whether everything is drawn as if far away: the data is old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    /// As the theme says.
    Full,
    /// All in the colour of what is faint.
    Dimmed,
}

/// A surface to draw on.
pub struct Canvas<'a> {
    buffer: &'a mut Buffer,
    theme: &'a Theme,
    glyphs: &'static Glyphs,
    tone: Tone,
    ground: Option<Role>,
}

impl<'a> Canvas<'a> {
    /// A surface over the whole of `buffer`, whatever it held, filled with the theme's ground.
    pub fn new(buffer: &'a mut Buffer, theme: &'a Theme, glyphs: &'static Glyphs) -> Self {
        let mut blank = Cell::EMPTY;
        blank.set_style(theme.style(Role::Screen));
        buffer.content.fill(blank);
        Self {
            buffer,
            theme,
            glyphs,
            tone: Tone::Full,
            ground: None,
        }
    }

    /// The signs to draw with.
    #[must_use]
    pub fn glyphs(&self) -> &'static Glyphs {
        self.glyphs
    }

    /// The whole surface.
    #[must_use]
    pub fn area(&self) -> Rect {
        self.buffer.area
    }

    /// Everything drawn from here on is in that tone.
    pub fn set_dimmed(&mut self, dimmed: bool) {
        self.tone = if dimmed { Tone::Dimmed } else { Tone::Full };
    }

    /// Fills `area` with the ground of `role`, on which what follows is drawn until
    /// [`Canvas::clear_ground`].
    pub fn set_ground(&mut self, area: Rect, role: Role) {
        let style = self.theme.style(role);
        let area = area.intersection(self.buffer.area);
        let ground = Style {
            bg: style.bg,
            // Where there are no colours, a ground is shown by what the theme has instead.
            add_modifier: style.add_modifier & Modifier::REVERSED,
            ..Style::default()
        };
        self.buffer.set_style(area, ground);
        self.ground = Some(role);
    }

    /// Ends [`Canvas::set_ground`].
    pub fn clear_ground(&mut self) {
        self.ground = None;
    }

    /// Wipes `area`, for something to lie over what was drawn there.
    pub fn wipe(&mut self, area: Rect) {
        let style = self.theme.style(Role::Screen);
        let area = area.intersection(self.buffer.area);
        for y in area.top()..area.bottom() {
            // A symbol of two columns of which the second goes.
            if let Some(cell) = self.buffer.cell_mut((area.left().wrapping_sub(1), y))
                && cell.symbol().cell_width() > 1
            {
                cell.set_symbol(" ");
            }
            for x in area.left()..area.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                    cell.set_style(style);
                }
            }
        }
    }

    /// Draws `ink` at the left of `area`'s first row; returns the columns it took.
    pub fn text<'t>(&mut self, area: Rect, ink: impl Into<Ink<'t>>, role: Role) -> u16 {
        let area = area.intersection(self.buffer.area);
        if area.width == 0 || area.height == 0 {
            return 0;
        }
        let ink = ink.into();
        let style = self.style(role);
        if ink.0.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return self.plain(area, &ink.0, style);
        }
        let text = self.fit(&ink.0, usize::from(area.width));
        let width = usize::from(area.width);
        let (end, _) = self.buffer.set_stringn(area.x, area.y, &text, width, style);
        end.saturating_sub(area.x)
    }

    /// As [`Canvas::text`] where each byte is a column: most texts are such.
    fn plain(&mut self, area: Rect, text: &str, style: Style) -> u16 {
        let room = usize::from(area.width);
        let shown = if text.len() > room {
            room - 1
        } else {
            text.len()
        };
        let mut x = area.x;
        let mut put = |symbol: &str| {
            if let Some(cell) = self.buffer.cell_mut((x, area.y)) {
                cell.set_symbol(symbol).set_style(style);
            }
            x += 1;
        };
        for at in 0..shown {
            put(&text[at..=at]);
        }
        if shown < text.len() {
            put(self.glyphs.ellipsis);
        }
        x - area.x
    }

    /// Draws `ink` at the right of `area`'s first row.
    pub fn text_right<'t>(&mut self, area: Rect, ink: impl Into<Ink<'t>>, role: Role) {
        let ink = ink.into();
        let text = self.fit(&ink.0, usize::from(area.width)).into_owned();
        let width = text.cell_width().min(area.width);
        let from = Rect {
            x: area.x + area.width - width,
            width,
            ..area
        };
        self.text(from, text, role);
    }

    /// A row of `area.width` times the one-column `sign`.
    pub fn repeat(&mut self, area: Rect, sign: &'static str, role: Role) {
        self.text(area, sign.repeat(usize::from(area.width)), role);
    }

    /// Gives every occurrence of `needle`, which is in lower case, in `area`'s first row the look of
    /// `role`. What is drawn already is searched: an occurrence that was cut off is none.
    pub fn highlight(&mut self, area: Rect, needle: &str, role: Role) {
        let area = area.intersection(self.buffer.area);
        if needle.is_empty() || area.height == 0 {
            return;
        }
        let mut text = String::new();
        let mut places = Vec::new();
        for x in area.left()..area.right() {
            let symbol = self
                .buffer
                .cell((x, area.y))
                .map_or("", |cell| cell.symbol());
            let lower = symbol.to_lowercase();
            places.extend(std::iter::repeat_n(x, lower.len()));
            text.push_str(&lower);
        }
        let style = self.theme.style(role);
        for (at, found) in text.match_indices(needle) {
            for x in &places[at..at + found.len()] {
                if let Some(cell) = self.buffer.cell_mut((*x, area.y)) {
                    cell.set_style(style);
                }
            }
        }
    }

    fn style(&self, role: Role) -> Style {
        let mut style = self.theme.style(role);
        if self.tone == Tone::Dimmed && role != Role::Stale {
            style = self.theme.style(Role::Dimmed);
            if style.fg.is_none() {
                style = style.add_modifier(Modifier::DIM);
            }
        }
        if let Some(ground) = self.ground {
            style.bg = self.theme.style(ground).bg.or(style.bg);
            if ground == Role::Selected {
                style = style.add_modifier(Modifier::BOLD);
            }
        }
        style
    }

    fn fit<'t>(&self, text: &'t str, width: usize) -> Cow<'t, str> {
        fit(text, width, self.glyphs)
    }
}

/// `text` in at most `width` columns; what is cut says so.
pub(crate) fn fit<'t>(text: &'t str, width: usize, glyphs: &Glyphs) -> Cow<'t, str> {
    let text = if glyphs.ascii {
        ascii(text)
    } else {
        Cow::Borrowed(text)
    };
    if usize::from(text.cell_width()) <= width {
        return text;
    }
    let mut cut = String::new();
    let mut taken = 0;
    for grapheme in text.graphemes(true) {
        let wide = usize::from(grapheme.cell_width());
        if taken + wide + 1 > width {
            break;
        }
        cut.push_str(grapheme);
        taken += wide;
    }
    cut.push_str(glyphs.ellipsis);
    Cow::Owned(cut)
}

/// What is left of a text on a terminal that shows ASCII alone, of the same width.
fn ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let parts = text.graphemes(true).map(|grapheme| {
        if grapheme.is_ascii() {
            grapheme.to_owned()
        } else {
            match grapheme {
                "…" => "~".to_owned(),
                "·" | "—" | "–" => "-".to_owned(),
                "×" => "x".to_owned(),
                "≥" => ">".to_owned(),
                "→" => ">".to_owned(),
                "←" => "<".to_owned(),
                other => "?".repeat(other.cell_width().into()),
            }
        }
    });
    Cow::Owned(parts.collect())
}
