//! Schedules: what fires when, how the last one ended, what was missed, what is wrong.

use super::{board, notice};
use crate::app::{App, Areas};
use crate::glyphs::role_of;
use crate::lapse;
use crate::theme::Role;
use crate::widget::table::{self, Align, Order, column};
use crate::widget::{Canvas, Line};
use chrono::TimeDelta;
use opsroom_read::ScheduleRow;
use ratatui::layout::Rect;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    State,
    Name,
    Tenant,
    Type,
    Cron,
    Zone,
    Next,
    Last,
    Missed,
}

const COLUMNS: &[table::Column<Column>] = &[
    column(Column::State, "STATE", Align::Left, (9, 9), 0),
    column(Column::Name, "SCHEDULE", Align::Left, (17, 32), 0),
    column(Column::Tenant, "TENANT", Align::Left, (12, 28), 2),
    column(Column::Type, "STARTS", Align::Left, (14, 30), 7),
    column(Column::Cron, "CRON", Align::Left, (12, 18), 4),
    column(Column::Zone, "ZONE", Align::Left, (13, 20), 6),
    column(Column::Next, "NEXT", Align::Right, (9, 11), 0),
    column(Column::Last, "LAST", Align::Left, (21, 21), 3),
    column(Column::Missed, "MISSED", Align::Right, (6, 6), 5),
];

/// A fire time so long ago that no worker honours it.
const OVERDUE: TimeDelta = TimeDelta::minutes(2);

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Broken,
    Paused,
    Overdue,
    Fires,
}

fn state(app: &App, row: &ScheduleRow) -> State {
    let overdue = |at| app.db_now() - at > OVERDUE;
    match () {
        () if row.paused_at.is_some() => State::Paused,
        () if row.error.is_some() => State::Broken,
        () if row.next_fire_at.is_some_and(overdue) => State::Overdue,
        () => State::Fires,
    }
}

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, areas: &Areas) {
    headline(app, canvas, areas.headline);
    let rows = &app.schedules.listing.rows;
    let columns = table::place(COLUMNS, areas.list.width);
    let table = board::table(
        areas,
        &columns,
        &app.schedules,
        Some((Column::Next, Order::Ascending)),
    );
    let cell = |canvas: &mut Canvas<'_>, area: Rect, column, at: usize| {
        draw_cell(app, canvas, area, column, &rows[at]);
    };
    table.draw(canvas, |_| None, cell);
    let empty = (
        "no schedule in the tenants of this login",
        "add one: opsroom-worker schedule add",
    );
    notice::below(app, canvas, areas.list, &app.schedules, empty);
}

fn headline(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(more) = app.schedules.facts else {
        return;
    };
    let rows = &app.schedules.listing.rows;
    let count = |of| rows.iter().filter(|row| state(app, row) == of).count() as u64;
    let kinds = [
        (count(State::Fires), app.glyphs.live, "live", Role::Running),
        (
            count(State::Paused),
            app.glyphs.paused,
            "paused",
            Role::Partial,
        ),
        (
            count(State::Overdue),
            app.glyphs.stuck,
            "overdue",
            Role::Stuck,
        ),
        (
            count(State::Broken),
            app.glyphs.failed,
            "cannot fire",
            Role::Failed,
        ),
    ];
    let mut line = board::kinds(&kinds, area.width);
    if more {
        line = line.and(format!("the first {}", rows.len()), Role::Partial);
    }
    line.draw(canvas, area);
}

fn draw_cell(app: &App, canvas: &mut Canvas<'_>, area: Rect, column: Column, row: &ScheduleRow) {
    let state = state(app, row);
    let text = match state {
        State::Paused => Role::Muted,
        _ => Role::Screen,
    };
    match column {
        Column::State => badge(app, state).draw(canvas, area),
        Column::Name => {
            canvas.text(area, &row.name, text);
        }
        Column::Tenant => {
            canvas.text(area, &row.tenant, text);
        }
        Column::Type => {
            canvas.text(area, &row.run_type, Role::Muted);
        }
        Column::Cron => {
            canvas.text(area, &row.cron, Role::Muted);
        }
        Column::Zone => {
            canvas.text(area, &row.zone, Role::Muted);
        }
        Column::Next => next(app, canvas, area, row, state),
        Column::Last => last(app, row).draw(canvas, area),
        Column::Missed => {
            let (n, role) = match row.missed_fires {
                0 => ("0".to_owned(), Role::Muted),
                n => (lapse::grouped(n.unsigned_abs()), Role::Partial),
            };
            canvas.text_right(area, n, role);
        }
    }
}

fn badge(app: &App, state: State) -> Line {
    let (sign, role) = match state {
        State::Broken => (app.glyphs.failed, Role::Failed),
        State::Paused => (app.glyphs.paused, Role::Partial),
        State::Overdue => (app.glyphs.stuck, Role::Stuck),
        State::Fires => (app.glyphs.live, Role::Running),
    };
    let line = Line::of(sign, role).and(" ", role);
    match state {
        State::Broken => line.and("broken", role),
        State::Paused => line.and("paused", Role::Muted),
        State::Overdue => line.and("overdue", role),
        State::Fires => line.and("live", Role::Muted),
    }
}

fn next(app: &App, canvas: &mut Canvas<'_>, area: Rect, row: &ScheduleRow, state: State) {
    let Some(at) = row.next_fire_at else {
        return;
    };
    let (words, role) = match state {
        State::Overdue => (
            format!("{} ago", lapse::age(app.clock.since(at))),
            Role::Stuck,
        ),
        _ if app.clock.shows_ages() => {
            let wait = app.clock.until(at);
            let words = if wait < TimeDelta::minutes(1) {
                "now".to_owned()
            } else {
                format!("in {}", lapse::age(wait))
            };
            (words, Role::Screen)
        }
        _ => (app.clock.moment(at), Role::Screen),
    };
    canvas.text_right(area, words, role);
}

/// How the last run ended, and when it was due; why there is no next one, where there is none.
fn last(app: &App, row: &ScheduleRow) -> Line {
    if let Some(code) = &row.error {
        return Line::of(code, Role::Failed);
    }
    let Some(at) = row.last_fire_at else {
        return Line::of("not yet", Role::Muted);
    };
    let when = app.clock.moment(at);
    match row.last_run {
        Some((_, Some(run))) => {
            let bucket = run.bucket();
            let quiet = matches!(role_of(bucket), Role::Succeeded);
            let word = if quiet { Role::Muted } else { role_of(bucket) };
            Line::of(app.glyphs.of(bucket), role_of(bucket))
                .and(format!(" {:<9} ", bucket.as_str()), word)
                .and(format!("{when:>8}"), Role::Muted)
        }
        _ => Line::of(format!("  pruned    {when:>8}"), Role::Muted),
    }
}
