//! Failures by code: how many runs, of how many tenants, since when, and which way it goes. Below or
//! beside them what the selected code means and what usually helps.

use super::{at_least, board, notice};
use crate::app::{App, Areas};
use crate::lapse;
use crate::theme::Role;
use crate::widget::spark::spark;
use crate::widget::table::{self, Align, Order, column};
use crate::widget::{Canvas, Line};
use chrono::{DateTime, TimeDelta, Utc};
use opsroom_model::catalogue;
use opsroom_read::CodeGroup;
use ratatui::layout::Rect;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Code,
    Runs,
    Tenants,
    Items,
    First,
    Last,
    Trend,
}

const COLUMNS: &[table::Column<Column>] = &[
    column(Column::Code, "CODE", Align::Left, (18, 30), 0),
    column(Column::Runs, "RUNS", Align::Right, (8, 8), 0),
    column(Column::Tenants, "TENANTS", Align::Right, (8, 8), 2),
    column(Column::Items, "ITEMS", Align::Right, (9, 9), 4),
    column(Column::First, "FIRST", Align::Right, (7, 11), 3),
    column(Column::Last, "LAST", Align::Right, (7, 11), 1),
    column(Column::Trend, "TREND", Align::Left, (12, 49), 5),
];

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, areas: &Areas) {
    headline(app, canvas, areas.headline);
    let rows = &app.failures.listing.rows;
    let columns = table::place(COLUMNS, areas.list.width);
    let table = board::table(
        areas,
        &columns,
        &app.failures,
        Some((Column::Runs, Order::Descending)),
    );
    let cell = |canvas: &mut Canvas<'_>, area: Rect, column, at: usize| {
        draw_cell(app, canvas, area, column, &rows[at]);
    };
    table.draw(canvas, |_| None, cell);
    let empty = match app.filter.query().is_empty() {
        true => ("no run failed in the last 30 days", ""),
        false => ("no failure fits the filter; Esc drops its last term", ""),
    };
    notice::below(app, canvas, areas.list, &app.failures, empty);
}

/// How many codes, and what was counted: the filter's tenants, types and time, in whole hours or days.
fn headline(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(counted) = &app.failures.facts else {
        return;
    };
    let rows = &app.failures.listing.rows;
    let codes = match rows.len() {
        1 => "1 code".to_owned(),
        n => format!("{} codes", lapse::grouped(n as u64)),
    };
    let line = Line::of(" ", Role::Screen)
        .and(
            app.glyphs.failed,
            if rows.is_empty() {
                Role::Muted
            } else {
                Role::Failed
            },
        )
        .and(format!(" {codes}   "), Role::Strong);
    // What was left out comes before what matters less: the line may be cut.
    let line = match counted.narrowed {
        true => line,
        false => line.and(
            "filter not applied: only tenants, types and since: narrow this   ",
            Role::Partial,
        ),
    };
    let since = covers(counted.from, counted.step);
    line.and(format!("since {since} UTC"), Role::Muted)
        .draw(canvas, area);
}

/// Whole hours or days of UTC were counted: they are said as such, in whatever zone times are shown.
fn covers(from: DateTime<Utc>, step: TimeDelta) -> String {
    if step < TimeDelta::days(1) {
        from.format("%m-%d %H:%M").to_string()
    } else {
        from.format("%Y-%m-%d").to_string()
    }
}

fn draw_cell(app: &App, canvas: &mut Canvas<'_>, area: Rect, column: Column, row: &CodeGroup) {
    let number = |n: u64| lapse::grouped(n);
    match column {
        Column::Code => {
            canvas.text(area, &row.code, Role::Failed);
        }
        Column::Runs => canvas.text_right(area, number(row.runs), Role::Screen),
        Column::Tenants => canvas.text_right(area, at_least(app.glyphs, row.tenants), Role::Screen),
        Column::Items => canvas.text_right(area, number(row.items), Role::Muted),
        Column::First => canvas.text_right(area, app.clock.moment(row.first_seen), Role::Muted),
        Column::Last => canvas.text_right(area, app.clock.moment(row.last_seen), Role::Screen),
        Column::Trend => {
            let trend = spark(&row.trend, usize::from(area.width), app.glyphs);
            canvas.text(area, trend, Role::Failed);
        }
    }
}

/// The selected code: what it means and what usually helps.
pub(super) fn meaning(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(row) = app.failures.selected() else {
        return;
    };
    let mut lines = vec![Line::of(&row.code, Role::Strong)];
    let (runs, tenants) = (lapse::grouped(row.runs), at_least(app.glyphs, row.tenants));
    let many = |n: u64, one: &str| {
        if n == 1 {
            one.to_owned()
        } else {
            format!("{one}s")
        }
    };
    lines.push(Line::of(
        format!(
            "{runs} {} {dot} {tenants} {} {dot} since {}",
            many(row.runs, "run"),
            many(row.tenants.n, "tenant"),
            app.clock.stamp(row.first_seen),
            dot = app.glyphs.dot,
        ),
        Role::Muted,
    ));
    lines.push(Line::blank());
    let width = usize::from(area.width);
    match catalogue::entry(row.code.as_str()) {
        Some(entry) => {
            lines.extend(super::wrapped(entry.meaning, width, "", Role::Screen));
            lines.extend(super::wrapped(entry.remedy, width, "", Role::Muted));
        }
        None => lines.push(Line::of(
            "not in the catalogue: another application's, or of a newer worker",
            Role::Muted,
        )),
    }
    if let Some(address) = &app.settings.runbook {
        lines.push(Line::blank());
        lines.push(Line::of(
            address.replace("{code}", row.code.as_str()),
            Role::Accent,
        ));
    }
    for (y, line) in (area.y..area.bottom()).zip(&lines) {
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        line.draw(canvas, row);
    }
}
