//! Tenants and types: what is under way, how much fails, how long it takes and waits, when it last
//! went well. The worst first.

use super::{board, notice};
use crate::app::{App, Areas, Fares, fares};
use crate::lapse;
use crate::theme::Role;
use crate::widget::table::{self, Align, column};
use crate::widget::{Canvas, Line};
use opsroom_read::{Health, Percentiles};
use ratatui::layout::Rect;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    Running,
    Queued,
    Ended,
    Failed,
    Rate,
    Took,
    TookLong,
    Waited,
    WaitedLong,
    Success,
}

/// What tells the two screens apart.
#[derive(Clone, Copy)]
pub(super) struct Words {
    title: &'static str,
    /// Columns the names need.
    least: u16,
    one: &'static str,
    many: &'static str,
    empty: &'static str,
    filter: &'static str,
}

pub(super) const TENANTS: Words = Words {
    title: "TENANT",
    least: 14,
    one: "tenant",
    many: "tenants",
    empty: "no tenant had a run in the last 30 days",
    filter: "only tenant:, workspace: and type: narrow this",
};
pub(super) const TYPES: Words = Words {
    title: "TYPE",
    least: 26,
    one: "type",
    many: "types",
    empty: "no type had a run in the last 30 days",
    ..TENANTS
};

const fn columns(words: Words) -> [table::Column<Column>; 11] {
    [
        column(Column::Name, words.title, Align::Left, (words.least, 40), 0),
        column(Column::Rate, "RATE", Align::Right, (7, 7), 0),
        column(Column::Failed, "FAILED", Align::Right, (7, 7), 5),
        column(Column::Ended, "OF", Align::Right, (9, 9), 6),
        column(Column::Running, "RUNNING", Align::Right, (7, 7), 2),
        column(Column::Queued, "QUEUED", Align::Right, (7, 7), 3),
        column(Column::Took, "TOOK P50", Align::Right, (8, 8), 8),
        column(Column::TookLong, "TOOK P95", Align::Right, (8, 8), 4),
        column(Column::Waited, "WAIT P50", Align::Right, (8, 8), 9),
        column(Column::WaitedLong, "WAIT P95", Align::Right, (8, 8), 7),
        column(Column::Success, "LAST OK", Align::Right, (8, 11), 1),
    ]
}

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, areas: &Areas, fares: &Fares, words: Words) {
    headline(app, canvas, areas.headline, fares, words);
    let rows = &fares.listing.rows;
    let columns = table::place(&columns(words), areas.list.width);
    // By a rate that counts few runs for less: no column alone has that order.
    let table = board::table(areas, &columns, fares, None);
    let cell = |canvas: &mut Canvas<'_>, area: Rect, column, at: usize| {
        draw_cell(app, canvas, area, column, &rows[at]);
    };
    table.draw(canvas, |_| None, cell);
    let empty = match app.filter.query().is_empty() {
        true => (words.empty, ""),
        false => ("none fits the filter; Esc drops its last term", ""),
    };
    notice::below(app, canvas, areas.list, fares, empty);
}

/// From so many columns there is room to say what is worst.
const BY_FROM: u16 = 60;

fn headline(app: &App, canvas: &mut Canvas<'_>, area: Rect, board: &Fares, words: Words) {
    let Some(covered) = &board.facts else {
        return;
    };
    let rows = &board.listing.rows;
    let noun = if rows.len() == 1 && !covered.more {
        words.one
    } else {
        words.many
    };
    let many = match covered.more {
        true => format!(" {} {noun} of more", rows.len()),
        false => format!(" {} {noun}", rows.len()),
    };
    let by = match area.width {
        ..BY_FROM => ", worst first   ",
        _ => ", worst first: failed/(ended+10)   ",
    };
    let line = Line::of(many, Role::Strong).and(by, Role::Muted);
    // What was left out comes before what matters less: the line may be cut.
    let line = match fares::narrows(app.filter.query()) {
        true => line,
        false => line.and(
            format!("filter not applied: {}   ", words.filter),
            Role::Partial,
        ),
    };
    let since = covered.from.format("%Y-%m-%d");
    line.and(format!("counted since {since} UTC"), Role::Muted)
        .draw(canvas, area);
}

fn draw_cell(app: &App, canvas: &mut Canvas<'_>, area: Rect, column: Column, row: &Health) {
    let number = |canvas: &mut Canvas<'_>, n: u64, role| {
        let role = if n == 0 { Role::Muted } else { role };
        canvas.text_right(area, lapse::grouped(n), role);
    };
    let length = |canvas: &mut Canvas<'_>,
                  of: Option<Percentiles>,
                  which: fn(Percentiles) -> chrono::TimeDelta| {
        if let Some(of) = of {
            canvas.text_right(area, lapse::took(which(of)), Role::Muted);
        }
    };
    match column {
        Column::Name => {
            canvas.text(area, &row.name, Role::Screen);
        }
        Column::Rate => {
            if let Some(rate) = row.failure_rate() {
                canvas.text_right(area, percent(rate), rate_role(rate));
            }
        }
        Column::Failed => number(canvas, row.failed, Role::Screen),
        Column::Ended => {
            let ended = row.succeeded + row.partial + row.failed + row.cancelled;
            number(canvas, ended, Role::Muted);
        }
        Column::Running => number(canvas, row.running, Role::Running),
        Column::Queued => number(canvas, row.queued, Role::Queued),
        Column::Took => length(canvas, row.duration, |of| of.p50),
        Column::TookLong => length(canvas, row.duration, |of| of.p95),
        Column::Waited => length(canvas, row.wait, |of| of.p50),
        Column::WaitedLong => length(canvas, row.wait, |of| of.p95),
        Column::Success => match row.last_success {
            Some(at) => canvas.text_right(area, app.clock.moment(at), Role::Muted),
            None => canvas.text_right(area, "never", Role::Partial),
        },
    }
}

/// One digit behind the point, so that a single failure of many is not none.
fn percent(rate: f64) -> String {
    if rate > 0.0 && rate < 0.001 {
        "<0.1 %".to_owned()
    } else {
        format!("{:.1} %", rate * 100.0)
    }
}

fn rate_role(rate: f64) -> Role {
    if rate >= 0.1 {
        Role::Failed
    } else if rate >= 0.02 {
        Role::Partial
    } else {
        Role::Muted
    }
}
