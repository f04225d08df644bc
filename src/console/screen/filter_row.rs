//! The third row: what the filter says, or what is being typed and what is wrong with it.

use crate::app::{App, Place};
use crate::lapse;
use crate::theme::Role;
use crate::widget::{Canvas, Line};
use opsroom_model::Clean;
use opsroom_model::query::QueryError;
use ratatui::layout::{Position, Rect};
use tui_input::Input;

/// Stands where the selection goes to each new run.
const FOLLOWING: &str = "following   ";

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
    for chip in app.filter.query().chips() {
        line = line
            .and(format!(" {chip} "), Role::Chip)
            .and(" ", Role::Screen);
    }
    if app.place() == Place::Runs {
        let extent = extent(app);
        let taken = line.width() + FOLLOWING.len() + extent.chars().count();
        // Not in the past: what comes is not shown there.
        if app.runs.follow
            && !app.runs.loading
            && app.travel.shown().is_none()
            && taken < usize::from(area.width)
        {
            line = line.and_right(FOLLOWING, Role::Accent);
        }
        line = line.and_right(extent, Role::Muted);
    }
    line.draw(canvas, area);
    None
}

fn extent(app: &App) -> String {
    let runs = &app.runs;
    if runs.loading {
        return String::new();
    }
    let count = lapse::grouped(runs.rows.len() as u64);
    if let Some(covers) = runs.covers {
        let covered = lapse::grouped(covers.runs as u64);
        return match covers.since.filter(|_| covers.leaves_out) {
            Some(since) => format!(
                "sorted: newest {covered}, since {} ",
                app.clock.stamp(since)
            ),
            None => format!("sorted: all {covered} runs "),
        };
    }
    if let Some(to) = runs.searching() {
        let to = app.clock.stamp(to.created_at());
        return format!(
            "searching older{} to {to} · {count} runs ",
            app.glyphs.ellipsis
        );
    }
    let many = if runs.more {
        format!("newest {count} runs ")
    } else {
        format!("{count} runs ")
    };
    if let Some(to) = runs.next {
        let to = app.clock.stamp(to.created_at());
        return format!("searched to {to} · {count} runs ");
    }
    if runs.within_budget && runs.more {
        return format!("only the newest were searched · {many}");
    }
    many
}

/// What is typed, with the character an error stands at in the role of a problem.
fn typing(app: &App, canvas: &mut Canvas<'_>, area: Rect, input: &Input) -> Position {
    let prompt = canvas.text(area, PROMPT, Role::Accent);
    let scroll = scroll(input, area.width);
    let at = app.filter.error().map_or(usize::MAX, |error| error.at);
    let mut x = area.x + prompt;
    let mut skipped = 0;
    for (index, c) in input.value().chars().enumerate() {
        let text = Clean::new(c.encode_utf8(&mut [0; 4]));
        if skipped < scroll {
            skipped += text.width();
            continue;
        }
        if x >= area.right() {
            break;
        }
        let role = if index >= at {
            Role::Problem
        } else {
            Role::Strong
        };
        let rest = Rect {
            x,
            width: area.right() - x,
            ..area
        };
        x += canvas.text(rest, &text, role);
    }
    Position {
        x: column(input, input.cursor(), area),
        y: area.y,
    }
}

const PROMPT: &str = " / ";

/// Columns of the typed text that are out of sight on the left.
fn scroll(input: &Input, width: u16) -> usize {
    let room = usize::from(width).saturating_sub(PROMPT.len() + 1).max(1);
    input.visual_scroll(room)
}

/// Where the character `at` stands on the screen.
fn column(input: &Input, at: usize, area: Rect) -> u16 {
    let before: String = input.value().chars().take(at).collect();
    let shown =
        (Clean::new(&before).width() + PROMPT.len()).saturating_sub(scroll(input, area.width));
    let shown = u16::try_from(shown).unwrap_or(u16::MAX);
    area.x
        .saturating_add(shown)
        .min(area.right().saturating_sub(1))
}

/// What lies below the row while one types: an error under the character it stands at, and how the
/// text could go on.
pub(super) fn below(app: &App, canvas: &mut Canvas<'_>, row: Rect) {
    let Some(input) = app.filter.input() else {
        return;
    };
    let mut area = Rect {
        y: row.bottom(),
        height: canvas.area().bottom().saturating_sub(row.bottom() + 1),
        ..row
    };
    if let Some(error) = app.filter.error()
        && area.height > 0
    {
        problem(canvas, Rect { height: 1, ..area }, error, input);
        area.y += 1;
        area.height -= 1;
    }
    offers(app, canvas, area, input);
}

/// The caret and the message: behind the caret, or before it where there is more room.
fn problem(canvas: &mut Canvas<'_>, area: Rect, error: &QueryError, input: &Input) {
    canvas.wipe(area);
    let message = Clean::new(&error.message);
    let at = column(input, error.at, area);
    let caret = Rect {
        x: at,
        width: 1,
        ..area
    };
    canvas.text(caret, "^", Role::Problem);
    let after = area.right().saturating_sub(at + 2);
    if message.width() > usize::from(after) && at > after {
        let before = Rect {
            width: at.saturating_sub(1),
            ..area
        };
        canvas.text_right(before, format!(" {}", message.as_str()), Role::Problem);
    } else {
        let behind = Rect {
            x: (at + 2).min(area.right()),
            width: after,
            ..area
        };
        canvas.text(behind, &message, Role::Problem);
    }
}

/// The lower edge of the box that `rows` offers stand in.
fn foot(app: &App, canvas: &mut Canvas<'_>, area: Rect, rows: usize) {
    let y = area
        .y
        .saturating_add(u16::try_from(rows).unwrap_or(u16::MAX));
    if rows == 0 || y >= area.bottom() || area.width < 2 {
        return;
    }
    let [left, right] = app.glyphs.corners_bottom;
    let edge = Rect {
        y,
        height: 1,
        ..area
    };
    let end = |x: u16| Rect {
        x,
        width: 1,
        ..edge
    };
    canvas.wipe(edge);
    canvas.repeat(edge, app.glyphs.rule, Role::Faint);
    canvas.text(end(edge.x), left, Role::Faint);
    canvas.text(end(edge.right() - 1), right, Role::Faint);
}

/// One row an offer, under the place it would stand at, as far left as all of it fits.
fn offers(app: &App, canvas: &mut Canvas<'_>, area: Rect, input: &Input) {
    let (offers, from, chosen) = app.filter.offers();
    let texts: Vec<Clean> = offers.iter().map(|offer| Clean::new(&offer.text)).collect();
    let wide = texts.iter().map(Clean::width).max().unwrap_or(0);
    let about = offers.iter().map(|offer| Clean::new(&offer.about).width());
    let about = about.max().unwrap_or(0);
    let room = usize::from(area.width);
    let about = if wide + about + 6 <= room { about } else { 0 };
    let gap = if about > 0 { 2 } else { 0 };
    let width = u16::try_from((wide + gap + about + 4).min(room)).unwrap_or(area.width);
    let x = column(input, from, area).saturating_sub(2);
    let x = x.min(area.right().saturating_sub(width));
    foot(app, canvas, Rect { x, width, ..area }, offers.len());
    for (at, (offer, text)) in offers.iter().zip(&texts).enumerate() {
        let y = area.y.saturating_add(u16::try_from(at).unwrap_or(u16::MAX));
        if y >= area.bottom() {
            return;
        }
        let row = Rect {
            x,
            y,
            width,
            height: 1,
        };
        canvas.wipe(row);
        for x in [row.x, row.right().saturating_sub(1)] {
            let side = Rect { x, width: 1, ..row };
            canvas.text(side, app.glyphs.upright, Role::Faint);
        }
        let row = Rect {
            x: row.x + 1,
            width: row.width.saturating_sub(2),
            ..row
        };
        let is_chosen = chosen == Some(at);
        if is_chosen {
            canvas.set_ground(row, Role::Selected);
        }
        let mut line = Line::of(" ", Role::Screen).and(text, Role::Strong);
        if about > 0 {
            let pad = " ".repeat(wide - text.width() + gap);
            line = line
                .and(pad, Role::Screen)
                .and(offer.about.clone(), Role::Muted);
        }
        line.draw(canvas, row);
        if is_chosen {
            canvas.clear_ground();
        }
    }
}
