//! The detail of a run as lines: what it is, when it was what, what it counted, what went wrong and
//! what that means, its items, its attempts, its context.

mod history;
mod record;

use super::{context, wrapped};
use crate::app::tree::Tree;
use crate::app::{App, Clock, Shown};
use crate::glyphs::{Glyphs, role_of};
use crate::lapse;
use crate::theme::Role;
use crate::widget::{Canvas, Line};
use opsroom_model::{Bucket, RunState};
use opsroom_read::{Lookup, Stuck};
use ratatui::layout::Rect;

/// Draws the lines that are on the screen; of a large context no other row is even made.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let width = usize::from(area.width);
    let head = head(app, width);
    let all = head.len() + app.detail.tree.rows();
    let height = usize::from(area.height);
    let top = app.detail.top.min(all.saturating_sub(height));
    let mut lines: Vec<Line> = head.into_iter().skip(top).take(height).collect();
    let from = top.saturating_sub(all - app.detail.tree.rows());
    lines.extend(context::lines(app, from, height - lines.len()));
    let current = app.detail_takes_keys().then_some(app.detail.at);
    for (y, (at, line)) in (area.y..area.bottom()).zip(lines.iter().enumerate()) {
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        if current == Some(top + at) && area.x > 0 {
            let margin = Rect {
                x: area.x - 1,
                width: 1,
                ..row
            };
            canvas.text(margin, app.glyphs.marker, Role::Marker);
        }
        line.draw(canvas, row);
        canvas.highlight(row, &app.detail.search.needle, Role::Found);
    }
    let below = all.saturating_sub(top + height);
    if below > 0 && height > 1 {
        let last = Rect {
            y: area.bottom() - 1,
            height: 1,
            ..area
        };
        canvas.text_right(
            last,
            // What it lies over is cut, and says so.
            format!(
                "{} {} more lines ",
                app.glyphs.ellipsis,
                lapse::grouped(below as u64)
            ),
            Role::Muted,
        );
    }
}

/// Lines that the detail has at `width` columns.
#[must_use]
pub fn height(app: &App, width: usize) -> usize {
    head(app, width).len() + app.detail.tree.rows()
}

/// Rows of a context in plain text.
const PLAIN_CONTEXT: usize = 500;

/// Whether sections stand apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spacing {
    Tight,
    Roomy,
}

/// Whether a line ends somewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Surface {
    /// What does not fit is cut.
    Screen,
    /// Nothing is cut.
    Paper,
}

impl Spacing {
    fn for_height(height: u16) -> Self {
        if height >= 20 {
            Self::Roomy
        } else {
            Self::Tight
        }
    }
}

/// The lines before those of the context.
pub(crate) fn head(app: &App, width: usize) -> Vec<Line> {
    let answer = match &app.detail.shown {
        Shown::Nothing => return vec![Line::of("no run is selected", Role::Muted)],
        Shown::Loading(_) => return vec![Line::of("loading …", Role::Muted)],
        Shown::Failed(trouble) => {
            let mut lines = wrapped(&trouble.what, width, "", Role::Problem);
            lines.extend(wrapped(&trouble.remedy, width, "", Role::Muted));
            return lines;
        }
        Shown::Answer(answer) => answer,
    };
    match &answer.lookup {
        Lookup::NotFound => {
            vec![Line::of(
                format!("run #{} does not exist", answer.id),
                Role::Muted,
            )]
        }
        Lookup::Forbidden { capability } => {
            let why = forbidden(capability.as_str());
            let mut lines = vec![Line::of(format!("run #{}", answer.id), Role::Strong)];
            lines.extend(wrapped(&why, width, "", Role::Partial));
            lines
        }
        Lookup::Found(run) => {
            let stuck = app.runs.stuck.get(&run.id).copied();
            let height = app.areas().detail.map_or(0, |area| area.height);
            let sheet = record::Sheet {
                run,
                stuck,
                clock: &app.clock,
                glyphs: app.glyphs,
                width,
                spacing: Spacing::for_height(height),
                surface: Surface::Screen,
                known: app.detail.history.as_ref(),
            };
            sheet.lines(&answer.attempts, &answer.items)
        }
    }
}

/// What is said where a capability is lacking.
#[must_use]
pub(crate) fn forbidden(capability: &str) -> String {
    format!("its details ask for the capability '{capability}', which your role does not hold")
}

/// A found run as plain text, one line each.
#[must_use]
pub fn plain(
    answer: &crate::app::DetailAnswer,
    clock: &Clock,
    glyphs: &'static Glyphs,
    stuck: Option<Stuck>,
) -> Vec<String> {
    let Lookup::Found(run) = &answer.lookup else {
        return Vec::new();
    };
    let sheet = record::Sheet {
        run,
        stuck,
        clock,
        glyphs,
        width: 100,
        spacing: Spacing::Roomy,
        surface: Surface::Paper,
        known: None,
    };
    let mut lines = sheet.lines(&answer.attempts, &answer.items);
    if let Some(value) = &run.context {
        let tree = Tree::unfolded(value);
        lines.extend(context::rows(&tree, value, 0, PLAIN_CONTEXT, glyphs));
        if tree.rows() > PLAIN_CONTEXT {
            let more = lapse::grouped((tree.rows() - PLAIN_CONTEXT) as u64);
            lines.push(Line::of(
                format!("  … and {more} more: -o json has all"),
                Role::Muted,
            ));
        }
    }
    lines
        .iter()
        .map(|line| line.plain().trim_end().to_owned())
        .collect()
}

/// The label of a state in a detail, and its role.
#[must_use]
pub fn state_words(state: RunState) -> (&'static str, Role) {
    let role = role_of(state.bucket());
    match state.bucket() {
        Bucket::Queued => ("Queued", role),
        Bucket::Running => ("Running", role),
        _ => (state.outcome().label(), role),
    }
}
