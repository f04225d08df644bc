//! The keys, from the table that drives them: in two columns where there is room.

use super::hints::named;
use crate::app::App;
use crate::keymap::{Group, TABLE};
use crate::theme::Role;
use crate::widget::popup::{frame, inside, popup};
use crate::widget::{Canvas, Line};
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

/// Columns of one column of the help.
const WIDE: u16 = 58;
/// Columns of the keys.
const KEYS: usize = 15;

/// One line: a heading, or a command by its place in the table.
#[derive(Clone, Copy)]
enum Item {
    Heading(Group),
    Command(usize),
    Blank,
}

fn items() -> Vec<Item> {
    let mut items = Vec::new();
    let mut group = None;
    for (at, command) in TABLE.iter().enumerate() {
        if command.does.is_empty() {
            continue;
        }
        if group != Some(command.group) {
            if group.is_some() {
                items.push(Item::Blank);
            }
            items.push(Item::Heading(command.group));
            group = Some(command.group);
        }
        items.push(Item::Command(at));
    }
    items
}

fn columns(size: (u16, u16)) -> usize {
    if size.0 >= 2 * WIDE + 6 { 2 } else { 1 }
}

/// Rows that are shown at a time on a screen of `size`, and rows there are.
pub(crate) fn extent(size: (u16, u16)) -> (usize, usize) {
    let lines = items().len().div_ceil(columns(size));
    let shown = usize::from(size.1.saturating_sub(4)).max(1).min(lines);
    (shown, lines)
}

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, top: usize) {
    let (shown, lines) = extent(app.size);
    let columns = columns(app.size);
    let wide = WIDE * u16::try_from(columns).unwrap_or(1);
    let area = popup(
        app.size,
        (wide, u16::try_from(shown).unwrap_or(u16::MAX)),
        None,
    );
    let foot = if lines > shown {
        "j k more, Esc closes"
    } else {
        "Esc closes"
    };
    frame(canvas, area, "keys", foot);
    let inner = inside(area);
    let items = items();
    for column in 0..columns {
        let begin = column * lines + top;
        let end = (begin + shown).min((column + 1) * lines).min(items.len());
        let x = inner.x + WIDE * u16::try_from(column).unwrap_or(0);
        let width = WIDE
            .min(inner.right().saturating_sub(x))
            .saturating_sub(u16::from(columns > 1));
        for (y, item) in (inner.y..inner.bottom()).zip(items.get(begin..end).unwrap_or_default()) {
            line(app, *item).draw(
                canvas,
                Rect {
                    x,
                    y,
                    width,
                    height: 1,
                },
            );
        }
    }
}

fn line(app: &App, item: Item) -> Line {
    match item {
        Item::Blank => Line::blank(),
        Item::Heading(group) => Line::of(group.title(), Role::Strong),
        Item::Command(at) => {
            let keys = named_all(app, &app.settings.keymap.shown(at));
            let pad = " ".repeat(KEYS.saturating_sub(keys.width()));
            Line::of(keys, Role::Accent)
                .and(pad, Role::Screen)
                .and(TABLE[at].does, Role::Screen)
        }
    }
}

fn named_all(app: &App, keys: &str) -> String {
    let keys = keys.split("  ").map(|key| named(app, key.to_owned()));
    keys.collect::<Vec<_>>().join(" ")
}
