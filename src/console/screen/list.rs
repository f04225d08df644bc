//! The rows of the list. What is wrong is seen first: states have colours, all else is grey.

use super::columns::{Column, columns};
use super::notice::{loading, nothing};
use crate::app::{App, Areas, Sort, TimeMode};
use crate::glyphs::role_of;
use crate::lapse;
use crate::theme::Role;
use crate::widget::table::{Order, Table};
use crate::widget::{Canvas, Line, Notice, bar};
use chrono::TimeDelta;
use opsroom_model::{Bucket, Status};
use opsroom_read::stuck::Waits;
use opsroom_read::{Direction, RunRow, SortBy, Stuck};
use ratatui::layout::Rect;

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, areas: &Areas) {
    let columns = columns(areas.list.width);
    let table = Table {
        columns: &columns,
        header: areas.header,
        body: areas.list,
        top: app.runs.top(),
        at: app.runs.at(),
        len: app.runs.rows.len(),
        sort: Some(sorted(app.runs.sort)),
    };
    table.draw(
        canvas,
        |at| sign(app, &app.runs.rows[at]),
        |canvas, area, column, at| draw_cell(app, canvas, area, column, &app.runs.rows[at]),
    );
    if app.runs.rows.is_empty() && areas.list.height > 0 {
        notice(app).draw(canvas, areas.list);
    }
}

/// The column the rows are sorted by, and which way they run.
fn sorted(sort: Sort) -> (Column, Order) {
    let order = |direction| match direction {
        Direction::Ascending => Order::Ascending,
        Direction::Descending => Order::Descending,
    };
    match sort {
        // Of ages the smallest, since the newest run comes first.
        Sort::Created => (Column::Age, Order::Ascending),
        Sort::By(SortBy::State, direction) => (Column::State, order(direction)),
        Sort::By(SortBy::Type, direction) => (Column::Type, order(direction)),
        Sort::By(SortBy::Tenant, direction) => (Column::Tenant, order(direction)),
        Sort::By(SortBy::Initiator, direction) => (Column::By, order(direction)),
        Sort::By(SortBy::Took, direction) => (Column::Took, order(direction)),
        Sort::By(SortBy::Failed, direction) => (Column::Progress, order(direction)),
    }
}

/// What the runs are sorted by when the name of `column` is clicked.
pub(super) fn sort_of(column: Column) -> Option<Sort> {
    Sort::ALL
        .iter()
        .copied()
        .find(|sort| sorted(*sort).0 == column)
}

/// What stands before a row: a bell, a mark, or that it changed since the last look.
fn sign(app: &App, row: &RunRow) -> Option<(&'static str, Role)> {
    if app.runs.marked == Some(row.id) {
        Some((app.glyphs.marked, Role::Accent))
    } else if app.watched.contains(&row.id) {
        Some((app.glyphs.bell, Role::Accent))
    } else if app.looks.is_changed(row) {
        Some((app.glyphs.changed, Role::Accent))
    } else {
        None
    }
}

fn notice(app: &App) -> Notice<'static> {
    if app.runs.loading {
        loading(app)
    } else if app.filter.query().is_empty() {
        nothing(app, ("no runs in the last 30 days, and none active", ""))
    } else {
        nothing(app, ("no run fits the filter; Esc drops its last term", ""))
    }
}

fn draw_cell(app: &App, canvas: &mut Canvas<'_>, cell: Rect, column: Column, row: &RunRow) {
    let stuck = app.runs.stuck.get(&row.id);
    let (bucket, text) = (row.state.bucket(), Role::Screen);
    match column {
        Column::State => {
            let (sign, word, role) = match stuck {
                Some(_) => (app.glyphs.stuck, "stuck", Role::Stuck),
                None => (app.glyphs.of(bucket), bucket.as_str(), role_of(bucket)),
            };
            // What is normal is grey; its sign alone keeps the colour.
            let quiet = bucket == Bucket::Succeeded;
            Line::of(sign, role)
                .and(" ", role)
                .and(word, if quiet { Role::Muted } else { role })
                .draw(canvas, cell);
        }
        Column::Type => {
            canvas.text(cell, &row.run_type, text);
        }
        Column::Tenant => {
            canvas.text(cell, &row.tenant, text);
        }
        Column::By => {
            let role = if row.user_id.is_some() {
                text
            } else {
                Role::Muted
            };
            canvas.text(cell, &row.initiator, role);
        }
        Column::Age => canvas.text_right(cell, age(app, row), Role::Muted),
        Column::Took => canvas.text_right(cell, took(app, row), Role::Muted),
        Column::Progress => progress(app, row, usize::from(cell.width)).draw(canvas, cell),
        Column::Code => code(app, row).draw(canvas, cell),
        Column::What => what(app, row, usize::from(cell.width)).draw(canvas, cell),
    }
}

fn age(app: &App, row: &RunRow) -> String {
    match app.clock.mode {
        TimeMode::Relative => lapse::age(app.clock.since(row.created_at)),
        _ => {
            let stamp = app.clock.stamp(row.created_at);
            // A column of six: the time of day without its seconds, else the day.
            stamp.chars().take(5).collect()
        }
    }
}

fn took(app: &App, row: &RunRow) -> String {
    match (row.started_at, row.completed_at) {
        (Some(from), Some(till)) => lapse::took(till - from),
        (Some(from), None) => lapse::age(app.clock.since(from)),
        _ => String::new(),
    }
}

/// The words of a run that waits for a moment rather than for a worker.
fn waiting(app: &App, row: &RunRow) -> Option<String> {
    if !row.state.is_active() || row.worker_id.is_some() {
        return None;
    }
    match (row.waits, row.state.status()) {
        (Waits::ForConfirmation, _) => Some("to be confirmed".to_owned()),
        (Waits::Until(due), Status::Running) if app.clock.until(due) < TimeDelta::seconds(1) => {
            Some(format!("attempt {} is due", row.attempt + 1))
        }
        (Waits::Until(due), Status::Running) => {
            let wait = lapse::words(app.clock.until(due));
            Some(format!("attempt {} in {wait}", row.attempt + 1))
        }
        (Waits::Until(due), _) => Some(format!("in {}", lapse::words(app.clock.until(due)))),
        (Waits::ForWorker, Status::Running) => Some(format!("attempt {} is due", row.attempt + 1)),
        _ => None,
    }
}

/// The share of the run that is behind it: `31/104`, or what is known of that.
fn fraction(row: &RunRow) -> String {
    let done = row.counts.done();
    match row.counts.total {
        Some(0) if row.state.bucket() == Bucket::Failed => String::new(),
        Some(total) => format!("{done}/{total}"),
        None if row.counts.is_empty() => String::new(),
        None => done.to_string(),
    }
}

/// Bar, fraction, failed: three places of their own. A bar stands where it says something: while a
/// run is under way, and where it ended between.
fn progress(app: &App, row: &RunRow, width: usize) -> Line {
    if let Some(words) = waiting(app, row) {
        return Line::of(words, Role::Muted);
    }
    let (number, failed_width) = (9, 5);
    let bar_width = width.saturating_sub(number + failed_width + 2).min(14);
    let bucket = row.state.bucket();
    let mut line = Line::blank();
    if bar_width >= 4 {
        line = match bucket {
            Bucket::Running | Bucket::Partial if row.counts.total.is_some() => {
                bar(line, &row.counts, bar_width, bar_role(bucket), app.glyphs)
            }
            _ => line.and(" ".repeat(bar_width), Role::Screen),
        };
        line = line.and(" ", Role::Screen);
    }
    line = line.and(format!("{:>number$}", fraction(row)), Role::Muted);
    match row.counts.failed {
        Some(failed) if failed > 0 => {
            line.and(format!(" {}{failed}", app.glyphs.failed), Role::Failed)
        }
        _ => line,
    }
}

/// What is done is worth a colour only while more is coming.
fn bar_role(bucket: Bucket) -> Role {
    if bucket == Bucket::Running {
        Role::Running
    } else {
        Role::Muted
    }
}

fn code(app: &App, row: &RunRow) -> Line {
    if let Some(stuck) = app.runs.stuck.get(&row.id) {
        return Line::of(stuck_words(stuck), Role::Stuck);
    }
    match &row.code {
        Some((code, _)) => {
            let role = match row.state.bucket() {
                Bucket::Failed => Role::Failed,
                Bucket::Partial => Role::Partial,
                _ => Role::Muted,
            };
            Line::of(code, role)
        }
        None => Line::blank(),
    }
}

/// Why a run does not move, in a few words.
pub(crate) fn stuck_words(stuck: &Stuck) -> String {
    match stuck {
        Stuck::LeaseRunOut => "lease ran out".to_owned(),
        Stuck::NoWorker => "no live worker".to_owned(),
        Stuck::Slow { p95 } => format!("p95 is {}", lapse::took(*p95)),
    }
}

fn what(app: &App, row: &RunRow, width: usize) -> Line {
    if app.runs.stuck.contains_key(&row.id) {
        return code(app, row);
    }
    if let Some(words) = waiting(app, row) {
        return Line::of(words, Role::Muted);
    }
    match (row.state.bucket(), &row.code) {
        (Bucket::Partial | Bucket::Failed, Some((code, n))) => {
            let role = role_of(row.state.bucket());
            let failed = row.counts.failed.filter(|failed| *failed > 0);
            let n = failed.unwrap_or_else(|| u64::try_from(*n).unwrap_or(1));
            match row.state.bucket() {
                Bucket::Partial if code.width() + 6 <= width => {
                    Line::of(format!("{}{n} ", app.glyphs.failed), Role::Failed).and(code, role)
                }
                _ => Line::of(code, role),
            }
        }
        (Bucket::Running, _) if row.counts.total.is_some() && width >= 18 => {
            let text = format!(" {}", fraction(row));
            let room = width.saturating_sub(text.len()).min(10);
            bar(Line::blank(), &row.counts, room, Role::Running, app.glyphs).and(text, Role::Muted)
        }
        _ => Line::of(fraction(row), Role::Muted),
    }
}
