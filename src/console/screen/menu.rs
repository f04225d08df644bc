//! A menu over the screen: what is typed, and what fits it.

use super::hints::named;
use crate::app::{App, Choice, Entry, Menu};
use crate::theme::Role;
use crate::widget::popup::{frame, inside, popup};
use crate::widget::{Canvas, Line};
use opsroom_model::Clean;
use ratatui::layout::{Position, Rect};

/// Columns of a menu, and rows of it, at most.
const EXTENT: (u16, u16) = (72, 14);
/// Rows from the upper edge.
const TOP: u16 = 4;

/// As high as all its entries need: narrowing them moves nothing.
fn area(size: (u16, u16), menu: &Menu) -> Rect {
    let rows = u16::try_from(menu.len() + 1).unwrap_or(u16::MAX);
    popup(size, (EXTENT.0, rows.min(EXTENT.1)), Some(TOP))
}

/// Where the entries stand, and the first of them that is shown.
fn list(size: (u16, u16), menu: &Menu) -> (Rect, usize) {
    let inner = inside(area(size, menu));
    let list = Rect {
        y: inner.y.saturating_add(1),
        height: inner.height.saturating_sub(1),
        ..inner
    };
    let top = (menu.at + 1).saturating_sub(usize::from(list.height).max(1));
    (list, top)
}

/// The entry at `at`, where there is one.
pub(crate) fn line_at(size: (u16, u16), menu: &Menu, at: Position) -> Option<usize> {
    let (list, top) = list(size, menu);
    let line = top + usize::from(at.y.checked_sub(list.y)?);
    (list.contains(at) && line < menu.shown().len()).then_some(line)
}

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, menu: &Menu) -> Option<Position> {
    let area = area(app.size, menu);
    frame(
        canvas,
        area,
        menu.kind.title(),
        "type to narrow, Esc closes",
    );
    let inner = inside(area);
    let row = |rect: Rect, y: u16| Rect {
        y,
        height: u16::from(y < rect.bottom()),
        ..rect
    };
    let prompt = canvas.text(row(inner, inner.y), ": ", Role::Accent);
    let typed = Rect {
        x: inner.x + prompt,
        width: inner.width.saturating_sub(prompt),
        ..row(inner, inner.y)
    };
    let room = usize::from(typed.width.saturating_sub(1)).max(1);
    let scroll = menu.input.visual_scroll(room);
    let text: String = menu.input.value().chars().skip(scroll).collect();
    canvas.text(typed, &Clean::new(&text), Role::Strong);
    let (list, top) = list(app.size, menu);
    if let (Some(_), Some(entry)) = (menu.number(), menu.chosen()) {
        entry_line(app, canvas, row(list, list.y), &entry, true);
    } else if menu.shown().len() == 0 {
        canvas.text(row(list, list.y), "nothing fits", Role::Muted);
    } else {
        let shown = menu.shown().enumerate().skip(top);
        for (y, (at, entry)) in (list.y..list.bottom()).zip(shown) {
            entry_line(app, canvas, row(list, y), entry, at == menu.at);
        }
    }
    let cursor = u16::try_from(menu.input.visual_cursor().max(scroll) - scroll).unwrap_or(0);
    let x = (typed.x + cursor).min(typed.right().saturating_sub(1));
    Some(Position { x, y: inner.y })
}

fn entry_line(app: &App, canvas: &mut Canvas<'_>, area: Rect, entry: &Entry, selected: bool) {
    if selected {
        canvas.set_ground(area, Role::Selected);
        canvas.text(
            Rect {
                width: 1.min(area.width),
                ..area
            },
            app.glyphs.marker,
            Role::Marker,
        );
    }
    let inner = Rect {
        x: area.x + 2.min(area.width),
        width: area.width.saturating_sub(2),
        ..area
    };
    let role = match entry.choice {
        Choice::Act(_) => Role::Screen,
        _ => Role::Strong,
    };
    // Where there is little room, the key is worth more than the name in a configuration.
    let key = Clean::new(&named(app, entry.key.clone()));
    let wide = u16::try_from(key.width()).unwrap_or(u16::MAX);
    canvas.text_right(inner, &key, Role::Accent);
    let left = Rect {
        width: inner.width.saturating_sub(wide + u16::from(wide > 0)),
        ..inner
    };
    let line = Line::of(entry.label.clone(), role);
    let whole = line
        .clone()
        .and("  ", Role::Screen)
        .and(entry.note.clone(), Role::Muted);
    match whole.width() <= usize::from(left.width) {
        true => whole.draw(canvas, left),
        false => line.draw(canvas, left),
    }
    canvas.clear_ground();
}
