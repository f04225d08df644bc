//! Two runs beside each other. What both say is grey; what differs is seen.

use crate::app::comparison::{Differences, Pair};
use crate::app::{App, Compared};
use crate::theme::Role;
use crate::widget::{Canvas, Line, Notice};
use opsroom_read::RunDetail;
use ratatui::layout::Rect;

/// One row of the screen.
enum Item<'a> {
    Heading(Line),
    Pair(&'a Pair),
}

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(compared) = &app.comparison.shown else {
        return super::notice::loading(app).draw(canvas, area);
    };
    match compared {
        Compared::Both { this, other } => both(app, canvas, area, (this, other)),
        Compared::NoSuccess => Notice::Empty {
            what: "no earlier run of this tenant and type succeeded in the last 30 days",
            remedy: "mark another run with Space, then compare with =",
        }
        .draw(canvas, area),
        Compared::Failed(trouble) => Notice::Error {
            what: &trouble.what,
            remedy: &trouble.remedy,
        }
        .draw(canvas, area),
        Compared::NotFound(id) => Notice::Empty {
            what: &format!("run #{id} does not exist"),
            remedy: "",
        }
        .draw(canvas, area),
        Compared::Forbidden(capability) => Notice::Forbidden {
            what: &super::forbidden(capability.as_str()),
            remedy: "",
        }
        .draw(canvas, area),
    }
}

/// Rows that it has.
pub(crate) fn height(app: &App) -> usize {
    match &app.comparison.shown {
        Some(Compared::Both { .. }) => items(&app.comparison.differences).len(),
        _ => 1,
    }
}

fn items(differences: &Differences) -> Vec<Item<'_>> {
    let pairs = &differences.contexts;
    let mut items: Vec<_> = differences.records.iter().map(Item::Pair).collect();
    items.push(Item::Heading(Line::blank()));
    let words = match (pairs.is_empty(), differences.whole) {
        (true, true) => "context: the same in both".to_owned(),
        (_, true) => format!("context: {} differences", pairs.len()),
        (_, false) => format!("context: the first {} differences", pairs.len()),
    };
    let words = words.replace(": 1 differences", ": 1 difference");
    items.push(Item::Heading(Line::of(words, Role::Accent)));
    items.extend(pairs.iter().map(Item::Pair));
    items
}

/// Columns of the first run's values, at least, where there is room.
const LEAST: usize = 30;

fn both(app: &App, canvas: &mut Canvas<'_>, area: Rect, (this, other): (&RunDetail, &RunDetail)) {
    let items = items(&app.comparison.differences);
    let names = items.iter().filter_map(|item| match item {
        Item::Pair(pair) => Some(pair.name.width()),
        Item::Heading(_) => None,
    });
    let most = usize::from(area.width) / 3;
    let name = u16::try_from(names.max().unwrap_or(8).clamp(8, most.max(8))).unwrap_or(8);
    let half = area.width.saturating_sub(name + 4) / 2;
    // The other run stands near by, however wide the screen.
    let values = items.iter().filter_map(|item| match item {
        Item::Pair(pair) => Some(pair.this.width()),
        Item::Heading(_) => None,
    });
    let widest = values.max().unwrap_or(0).max(LEAST) + 2;
    let first = half.min(u16::try_from(widest).unwrap_or(half));
    let second = area.width.saturating_sub(name + 4 + first);
    let cells = |y: u16| {
        let cell = |x: u16, width: u16| Rect {
            x: area.x + x.min(area.width),
            y,
            width: width.min(area.width.saturating_sub(x)),
            height: 1,
        };
        (
            cell(0, name),
            cell(name + 2, first),
            cell(name + 4 + first, second),
        )
    };
    let (_, left, right) = cells(area.y);
    for (place, run) in [(left, this), (right, other)] {
        Line::of(format!("#{}", run.id), Role::Strong)
            .and("  ", Role::Screen)
            .and(app.clock.stamp(run.created_at), Role::Muted)
            .draw(canvas, place);
    }
    let rows = (area.y + 1..area.bottom()).zip(items.iter().skip(app.comparison.top));
    for (y, item) in rows {
        let (first, left, right) = cells(y);
        match item {
            Item::Heading(line) => line.draw(
                canvas,
                Rect {
                    y,
                    height: 1,
                    ..area
                },
            ),
            Item::Pair(pair) => {
                let role = if pair.is_same() {
                    Role::Muted
                } else {
                    Role::Strong
                };
                canvas.text(first, &pair.name, Role::Muted);
                canvas.text(left, &pair.this, role);
                canvas.text(
                    right,
                    &pair.other,
                    if pair.is_same() {
                        Role::Muted
                    } else {
                        Role::Screen
                    },
                );
            }
        }
    }
}
