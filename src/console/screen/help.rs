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
const WIDE: u16 = 56;
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

/// The items in columns: in two where there is room, as even as groups that stay whole allow.
fn columns(size: (u16, u16)) -> Vec<Vec<Item>> {
    let items = items();
    if size.0 < 2 * WIDE + 6 {
        return vec![items];
    }
    let blanks = items.iter().enumerate();
    let blanks = blanks.filter(|(_, item)| matches!(item, Item::Blank));
    let even = blanks
        .map(|(at, _)| at)
        .min_by_key(|at| (*at).max(items.len() - at - 1));
    match even {
        Some(at) => vec![items[..at].to_vec(), items[at + 1..].to_vec()],
        None => vec![items],
    }
}

/// Rows that are shown at a time on a screen of `size`, and rows there are.
pub(crate) fn extent(size: (u16, u16)) -> (usize, usize) {
    let lines = columns(size).iter().map(Vec::len).max().unwrap_or(0);
    let shown = usize::from(size.1.saturating_sub(4)).max(1).min(lines);
    (shown, lines)
}

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, top: usize) {
    let (shown, lines) = extent(app.size);
    let columns = columns(app.size);
    let wide = WIDE * u16::try_from(columns.len()).unwrap_or(1);
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
    for (column, items) in columns.iter().enumerate() {
        let seen = items.iter().skip(top).take(shown);
        let x = inner.x + WIDE * u16::try_from(column).unwrap_or(0);
        let width = WIDE
            .min(inner.right().saturating_sub(x))
            .saturating_sub(u16::from(columns.len() > 1));
        for (y, item) in (inner.y..inner.bottom()).zip(seen) {
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
