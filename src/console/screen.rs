//! The screen as a function of the state: [`view`] borrows the application and writes a buffer.
//! Nothing here knows of the database, the terminal or the clock.

mod banner;
mod board;
mod columns;
mod comparison;
mod context;
mod detail;
mod failures;
mod fares;
mod filter_row;
mod headline;
mod help;
mod hints;
mod list;
mod menu;
mod notice;
mod notifications;
mod schedules;
mod workers;

pub use columns::{Column, columns};
pub(crate) use comparison::height as comparison_height;
pub(crate) use detail::{forbidden, head as detail_head};
pub use detail::{height as detail_height, plain as detail_plain, state_words};
pub(crate) use help::extent as help_extent;
pub(crate) use list::stuck_words;
pub(crate) use menu::line_at as menu_line;

use crate::app::{App, Areas, Focus, Health, Overlay, Place, Sort};
use crate::glyphs::Glyphs;
use crate::lapse;
use crate::theme::Role;
use crate::widget::{Canvas, Line, table, wrap};
use opsroom_read::Capped;
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
    body(app, &mut canvas, &areas);
    canvas.set_dimmed(false);
    let mut cursor = None;
    if app.place().is_filtered() {
        cursor = filter_row::draw(app, &mut canvas, areas.filter);
        filter_row::below(app, &mut canvas, areas.filter);
    }
    cursor = hints::draw(app, &mut canvas, areas.hints).or(cursor);
    match &app.overlay {
        Some(Overlay::Help { top }) => help::draw(app, &mut canvas, *top),
        Some(Overlay::Menu(menu)) => cursor = menu::draw(app, &mut canvas, menu),
        None => {}
    }
    cursor
}

/// What each screen is made of.
fn body(app: &App, canvas: &mut Canvas<'_>, areas: &Areas) {
    match app.place() {
        Place::Runs => {
            headline::draw(app, canvas, areas.headline);
            list::draw(app, canvas, areas);
            if let Some(area) = areas.detail {
                rule(app, canvas, areas.rule);
                detail::draw(app, canvas, area);
            }
        }
        Place::Run => {
            if let Some(area) = areas.detail {
                detail::draw(app, canvas, area);
            }
        }
        Place::Comparison => {
            if let Some(area) = areas.detail {
                comparison::draw(app, canvas, area);
            }
        }
        Place::Failures => {
            failures::draw(app, canvas, areas);
            if let Some(area) = areas.detail {
                rule(app, canvas, areas.rule);
                failures::meaning(app, canvas, area);
            }
        }
        Place::Tenants => fares::draw(app, canvas, areas, &app.tenants, fares::TENANTS),
        Place::Types => fares::draw(app, canvas, areas, &app.types, fares::TYPES),
        Place::Workers => workers::draw(app, canvas, areas),
        Place::Schedules => schedules::draw(app, canvas, areas),
        Place::Notifications => notifications::draw(app, canvas, areas),
    }
}

/// A count, and whether there are more.
fn at_least(glyphs: &Glyphs, count: Capped) -> String {
    let digits = lapse::grouped(count.n);
    match count.more {
        true => format!("{} {digits}", glyphs.at_least),
        false => digits,
    }
}

/// A sentence, broken at blanks, behind `indent`.
fn wrapped(text: &str, width: usize, indent: &str, role: Role) -> Vec<Line> {
    let room = width.saturating_sub(indent.len() + 2).max(16);
    let rows = wrap(text, room).into_iter();
    rows.map(|row| Line::of(format!("{indent}{row}"), role))
        .collect()
}

/// What the runs are sorted by when the header is clicked at `at`.
pub(crate) fn sort_at(app: &App, at: Position) -> Option<Sort> {
    let areas = app.areas();
    let columns = columns(areas.list.width);
    table::column_at(&columns, areas.header, at).and_then(list::sort_of)
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
                role,
            );
        }
    } else {
        canvas.repeat(area, app.glyphs.rule, role);
    }
}
