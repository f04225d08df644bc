//! The third row: what the filter says, or what is being typed and what is wrong with it.

use crate::app::App;
use crate::lapse;
use crate::theme::Role;
use crate::widget::{Canvas, Line};
use opsroom_model::Clean;
use ratatui::layout::{Position, Rect};
use tui_input::Input;

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect) -> Option<Position> {
    if area.height == 0 {
        return None;
    }
    if let Some(input) = app.filter.input() {
        canvas.wipe(area);
        return Some(typing(app, canvas, area, input));
    }
    let mut line = Line::of(" / ", Role::Accent);
    if app.filter.query().is_empty() {
        line = line.and("no filter", Role::Muted);
    }
    for term in &app.filter.query().terms {
        line = line
            .and(format!(" {term} "), Role::Chip)
            .and(" ", Role::Screen);
    }
    line = line.and_right(extent(app), Role::Muted);
    line.draw(canvas, area);
    None
}

fn extent(app: &App) -> String {
    let runs = &app.runs;
    if runs.loading {
        return String::new();
    }
    let count = lapse::grouped(runs.rows.len() as u64);
    let many = if runs.more {
        format!("newest {count} runs ")
    } else {
        format!("{count} runs ")
    };
    if runs.within_budget {
        return format!("text searched in the newest 20,000 · {many}");
    }
    many
}

/// What is typed, with the character an error stands at in the role of a problem, and the error
/// behind it.
fn typing(app: &App, canvas: &mut Canvas<'_>, area: Rect, input: &Input) -> Position {
    let prompt = canvas.text(area, " / ", Role::Accent);
    let error = app.filter.error();
    let message = error.map(|error| error.message.clone()).unwrap_or_default();
    let wanted = Clean::new(&message).width() + 2;
    let room = usize::from(area.width.saturating_sub(prompt));
    let for_error = if message.is_empty() {
        0
    } else {
        wanted.min(room / 2)
    };
    let width = room.saturating_sub(for_error).max(1);
    let scroll = input.visual_scroll(width.saturating_sub(1).max(1));
    let at = error.map_or(usize::MAX, |error| error.at);
    let mut x = area.x + prompt;
    let mut skipped = 0;
    let end = area.x
        + prompt
        + u16::try_from(width)
            .unwrap_or(u16::MAX)
            .min(area.width - prompt);
    for (index, c) in input.value().chars().enumerate() {
        let text = Clean::new(c.encode_utf8(&mut [0; 4]));
        if skipped < scroll {
            skipped += text.width();
            continue;
        }
        if x >= end {
            break;
        }
        let role = if index >= at {
            Role::Problem
        } else {
            Role::Strong
        };
        x += canvas.text(
            Rect {
                x,
                width: end - x,
                ..area
            },
            &text,
            role,
        );
    }
    if for_error > 0 {
        let width = u16::try_from(for_error).unwrap_or(0);
        let place = Rect {
            x: area.right().saturating_sub(width),
            width,
            ..area
        };
        canvas.text_right(place, format!("{message} "), Role::Problem);
    }
    let cursor = input.visual_cursor().max(scroll) - scroll;
    let cursor = u16::try_from(cursor).unwrap_or(u16::MAX);
    let x = (area.x + prompt)
        .saturating_add(cursor)
        .min(area.right().saturating_sub(1));
    Position { x, y: area.y }
}
