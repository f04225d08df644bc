//! Notifications: what the login's user was told of, newest first; what was not read yet is marked.

use super::{board, notice};
use crate::app::{App, Areas};
use crate::glyphs::role_of;
use crate::theme::Role;
use crate::widget::table::{self, Align, Order, column};
use crate::widget::{Canvas, Line, Notice};
use opsroom_model::Bucket;
use opsroom_read::Notification;
use ratatui::layout::Rect;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    What,
    Type,
    Tenant,
    Run,
    Code,
    When,
}

const COLUMNS: &[table::Column<Column>] = &[
    column(Column::What, "YOUR RUN", Align::Left, (11, 11), 0),
    column(Column::Type, "TYPE", Align::Left, (14, 31), 0),
    column(Column::Tenant, "TENANT", Align::Left, (10, 28), 2),
    column(Column::Run, "RUN", Align::Right, (10, 12), 4),
    column(Column::When, "WHEN", Align::Right, (6, 11), 1),
    column(Column::Code, "CODE", Align::Left, (18, 44), 3),
];

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, areas: &Areas) {
    headline(app, canvas, areas.headline);
    let board = &app.notifications.board;
    let rows = &board.listing.rows;
    let columns = table::place(COLUMNS, areas.list.width);
    let table = board::table(
        areas,
        &columns,
        board,
        Some((Column::When, Order::Ascending)),
    );
    let sign = |at: usize| {
        let read = app.notifications.is_read(rows[at].id);
        (!read).then_some((app.glyphs.unread, Role::Accent))
    };
    let cell = |canvas: &mut Canvas<'_>, area: Rect, column, at: usize| {
        draw_cell(app, canvas, area, column, &rows[at]);
    };
    table.draw(canvas, sign, cell);
    if board.facts.is_some_and(|told| !told.has_user) {
        let nobody = Notice::Forbidden {
            what: "this login is nobody's: no run is started in its name",
            remedy: "notifications go to who started a run",
        };
        return nobody.draw(canvas, areas.list);
    }
    let empty = ("nothing yet: you are told of the runs you start", "");
    notice::below(app, canvas, areas.list, board, empty);
}

fn headline(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let board = &app.notifications.board;
    let Some(told) = board.facts else {
        return;
    };
    let unread = app.notifications.unread();
    let (role, word) = match unread {
        0 => (Role::Muted, "all read".to_owned()),
        n => (Role::Strong, format!("{n} not read")),
    };
    let line = Line::of(" ", Role::Screen).and(word, role);
    let line = match told.more {
        true => line.and(
            format!("   the newest {}", board.listing.rows.len()),
            Role::Muted,
        ),
        false => line.and(
            format!("   {} in all", board.listing.rows.len()),
            Role::Muted,
        ),
    };
    line.draw(canvas, area);
}

fn draw_cell(app: &App, canvas: &mut Canvas<'_>, area: Rect, column: Column, row: &Notification) {
    let read = app.notifications.is_read(row.id);
    let text = if read { Role::Muted } else { Role::Screen };
    match column {
        Column::What => what(app, row).draw(canvas, area),
        Column::Type => {
            canvas.text(area, &row.run_type, text);
        }
        Column::Tenant => {
            canvas.text(area, &row.tenant, text);
        }
        Column::Run => canvas.text_right(area, format!("#{}", row.run), Role::Muted),
        Column::When => canvas.text_right(area, app.clock.moment(row.created_at), Role::Muted),
        Column::Code => {
            if let Some(code) = &row.code {
                let role = bucket(row).map_or(Role::Failed, role_of);
                canvas.text(area, code, if read { Role::Muted } else { role });
            }
        }
    }
}

/// What became of the run; `None` for a kind of a later version.
fn bucket(row: &Notification) -> Option<Bucket> {
    Some(match row.kind.as_str() {
        "queued" => Bucket::Queued,
        "succeeded" => Bucket::Succeeded,
        "partially_succeeded" => Bucket::Partial,
        "failed" => Bucket::Failed,
        "cancelled" => Bucket::Cancelled,
        _ => return None,
    })
}

fn what(app: &App, row: &Notification) -> Line {
    let Some(bucket) = bucket(row) else {
        return Line::of(&row.kind, Role::Screen);
    };
    let quiet = matches!(bucket, Bucket::Queued | Bucket::Succeeded);
    let word = if quiet { Role::Muted } else { role_of(bucket) };
    Line::of(app.glyphs.of(bucket), role_of(bucket))
        .and(" ", word)
        .and(bucket.as_str(), word)
}
