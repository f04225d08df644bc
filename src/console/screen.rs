//! The screen as a function of the state: [`view`] borrows the application and writes a buffer.
//! Nothing here knows of the database, the terminal or the clock.

mod banner;
mod columns;
mod detail;
mod filter_row;
mod headline;
mod help;
mod list;

pub use columns::{Column, columns};
pub(crate) use detail::forbidden;
pub use detail::{plain as detail_plain, state_words};

use crate::app::{App, Focus, Health, Overlay, Pane, TimeMode};
use crate::keymap::BINDINGS;
use crate::theme::Role;
use crate::widget::{Canvas, Line};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// Below this, a word instead of a screen.
const LEAST: (u16, u16) = (20, 4);

/// Draws the whole screen; returns where the cursor stands, where it is to be seen.
pub fn view(app: &App, buffer: &mut Buffer) -> Option<Position> {
    let mut canvas = Canvas::new(buffer, &app.theme, app.glyphs);
    if app.size.0 < LEAST.0 || app.size.1 < LEAST.1 {
        let area = canvas.area();
        canvas.text(area, "too small", Role::Muted);
        return None;
    }
    let areas = app.areas();
    banner::title(app, &mut canvas, areas.title);
    let stale = matches!(app.health, Health::Lost { .. });
    canvas.set_dimmed(stale);
    if app.detail.pane != Pane::Full {
        headline::draw(app, &mut canvas, areas.headline);
        list::draw(app, &mut canvas, &areas);
    }
    if let Some(area) = areas.detail {
        rule(app, &mut canvas, areas.rule);
        detail::draw(app, &mut canvas, area);
    }
    canvas.set_dimmed(false);
    let mut cursor = None;
    if app.detail.pane != Pane::Full {
        cursor = filter_row::draw(app, &mut canvas, areas.filter);
    }
    hints(app, &mut canvas, areas.hints);
    if let Some(Overlay::Help { top }) = app.overlay {
        help::draw(&mut canvas, top);
    }
    cursor
}

/// Lines that the detail has at `width` columns.
#[must_use]
pub fn detail_height(app: &App, width: usize) -> usize {
    detail::lines(app, width).len()
}

fn rule(app: &App, canvas: &mut Canvas<'_>, area: Option<Rect>) {
    let Some(area) = area else {
        return;
    };
    let role = match app.focus {
        Focus::Detail => Role::Accent,
        Focus::List => Role::Faint,
    };
    if area.width == 1 && area.height > 1 {
        for y in area.top()..area.bottom() {
            canvas.text(
                Rect {
                    y,
                    height: 1,
                    ..area
                },
                app.glyphs.upright,
                Role::Faint,
            );
        }
    } else {
        canvas.repeat(area, app.glyphs.rule, role);
    }
}

fn hints(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    if let Some((word, _)) = &app.toast {
        Line::of(" ", Role::Screen)
            .and(word.clone(), Role::Strong)
            .draw(canvas, area);
        return;
    }
    let mut line = Line::of(" ", Role::Screen);
    if app.filter.is_open() {
        line = line
            .and(app.glyphs.enter, Role::Accent)
            .and(" apply   ", Role::Muted)
            .and("Esc", Role::Accent)
            .and(" leave", Role::Muted);
    } else {
        for (key, word) in BINDINGS.iter().filter_map(|binding| binding.hint) {
            let key = if key == "⏎" { app.glyphs.enter } else { key };
            let wider = line.width() + key.len() + word.len() + 4;
            if wider > usize::from(area.width) {
                break;
            }
            line = line
                .and(key, Role::Accent)
                .and(" ", Role::Muted)
                .and(word, Role::Muted)
                .and("   ", Role::Muted);
        }
        line = match app.clock.mode {
            TimeMode::Relative => line,
            TimeMode::Local => line.and_right("local times ", Role::Muted),
            TimeMode::Utc => line.and_right("UTC ", Role::Muted),
        };
    }
    line.draw(canvas, area);
}
