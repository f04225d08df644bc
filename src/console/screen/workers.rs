//! The workers: who lives, since when it was heard of, what it takes and what it has in hand. The
//! pattern of a list screen: columns with their drop order, one cell function, one notice.

use super::board;
use crate::app::{App, Areas, WorkerRow};
use crate::lapse;
use crate::theme::Role;
use crate::widget::table::{self, Align, Order, column};
use crate::widget::{Canvas, Line};
use chrono::TimeDelta;
use opsroom_read::Worker;
use ratatui::layout::Rect;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    State,
    Name,
    Beat,
    Up,
    Busy,
    Runs,
    Types,
}

const COLUMNS: &[table::Column<Column>] = &[
    column(Column::State, "STATE", Align::Left, (10, 10), 0),
    column(Column::Name, "WORKER", Align::Left, (10, 32), 0),
    column(Column::Beat, "HEARD", Align::Right, (6, 6), 1),
    column(Column::Busy, "BUSY", Align::Right, (7, 7), 2),
    column(Column::Up, "UP", Align::Right, (6, 6), 4),
    column(Column::Runs, "RUNS", Align::Left, (20, 64), 3),
    column(Column::Types, "TAKES", Align::Left, (20, 80), 5),
];

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, areas: &Areas) {
    headline(app, canvas, areas.headline);
    let rows = &app.workers.listing.rows;
    let columns = table::place(COLUMNS, areas.list.width);
    let table = board::table(
        areas,
        &columns,
        &app.workers,
        Some((Column::Name, Order::Ascending)),
    );
    let cell = |canvas: &mut Canvas<'_>, area: Rect, column, at: usize| {
        draw_cell(app, canvas, area, column, &rows[at]);
    };
    table.draw(canvas, |_| None, cell);
    let empty = (
        "no worker lives, and none left within the hour",
        "start one: opsroom-worker work",
    );
    super::notice::below_all(app, canvas, areas.list, &app.workers, empty);
}

fn headline(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    if app.workers.facts.is_none() {
        return;
    }
    let rows = &app.workers.listing.rows;
    let count = |of: fn(&WorkerRow) -> bool| rows.iter().filter(|row| of(row)).count() as u64;
    let live = count(|row| row.worker.alive && !row.worker.stopping);
    let stopping = count(|row| row.worker.alive && row.worker.stopping);
    let stopped = count(|row| row.worker.stopped);
    let dead = count(|row| !row.worker.alive && !row.worker.stopped);
    let alive = rows.iter().filter(|row| row.worker.alive);
    let slots: u64 = alive
        .map(|row| u64::try_from(row.worker.slots).unwrap_or(0))
        .sum();
    let busy: u64 = rows.iter().map(|row| busy(row) as u64).sum();
    let kinds = [
        (live, app.glyphs.running, "live", Role::Running),
        (stopping, app.glyphs.partial, "stopping", Role::Partial),
        (dead, app.glyphs.failed, "dead", Role::Failed),
        (stopped, app.glyphs.skipped, "stopped", Role::Muted),
    ];
    let line = board::kinds(&kinds, area.width);
    line.and(
        format!(
            "{} of {} slots busy",
            lapse::grouped(busy),
            lapse::grouped(slots)
        ),
        Role::Muted,
    )
    .draw(canvas, area);
}

/// A worker holds jobs that are over until their ending is written: they take no slot.
fn busy(row: &WorkerRow) -> usize {
    let slots = usize::try_from(row.worker.slots).unwrap_or_default();
    row.runs.len().min(slots)
}

fn draw_cell(app: &App, canvas: &mut Canvas<'_>, area: Rect, column: Column, row: &WorkerRow) {
    let worker = &row.worker;
    let text = if worker.alive {
        Role::Screen
    } else {
        Role::Muted
    };
    match column {
        Column::State => {
            let (sign, word, role) = match worker {
                Worker { stopped: true, .. } => (app.glyphs.skipped, "stopped", Role::Muted),
                Worker { alive: false, .. } => (app.glyphs.failed, "dead", Role::Failed),
                Worker { stopping: true, .. } => (app.glyphs.partial, "stopping", Role::Partial),
                _ => (app.glyphs.running, "live", Role::Running),
            };
            Line::of(sign, role)
                .and(" ", role)
                .and(word, role)
                .draw(canvas, area);
        }
        Column::Name => {
            canvas.text(area, &worker.name, text);
        }
        Column::Beat => canvas.text_right(area, heard(app, row), text),
        Column::Up => {
            canvas.text_right(area, lapse::age(up(app, worker)), Role::Muted);
        }
        Column::Busy => {
            let busy = format!("{}/{}", busy(row), worker.slots);
            canvas.text_right(
                area,
                busy,
                if row.runs.is_empty() {
                    Role::Muted
                } else {
                    text
                },
            );
        }
        Column::Runs => in_hand(canvas, area, row),
        Column::Types => {
            canvas.text(area, worker.types.join(" "), Role::Muted);
        }
    }
}

/// How long ago it was heard of. A live one beats every few seconds: its age would change with each
/// poll and say nothing, so that only what is worth a look is counted in seconds.
fn heard(app: &App, row: &WorkerRow) -> String {
    let since = app.clock.since(row.worker.beat_at);
    if row.worker.alive && since.num_seconds() < 15 {
        return "now".to_owned();
    }
    lapse::age(since)
}

/// The first of its runs, and how many more.
fn in_hand(canvas: &mut Canvas<'_>, area: Rect, row: &WorkerRow) {
    let Some(run) = row.runs.first() else {
        return;
    };
    let line = Line::of(&run.run_type, Role::Screen)
        .and("  ", Role::Screen)
        .and(&run.tenant, Role::Muted);
    if row.runs.len() < 2 {
        return line.draw(canvas, area);
    }
    let more = format!(" +{}", row.runs.len() - 1);
    let wide = u16::try_from(more.len()).unwrap_or(0);
    let rest = Rect {
        width: area.width.saturating_sub(wide),
        ..area
    };
    if line.width() <= usize::from(rest.width) {
        line.and(more, Role::Muted).draw(canvas, area);
    } else {
        canvas.text_right(area, more, Role::Muted);
        line.draw(canvas, rest);
    }
}

/// How long a worker has been there; of one that is gone, how long it was heard of.
fn up(app: &App, worker: &Worker) -> TimeDelta {
    match worker.alive {
        true => app.clock.since(worker.started_at),
        false => worker.beat_at - worker.started_at,
    }
}
