//! The context of a run, as rows of a tree.

use crate::app::App;
use crate::app::tree::{Row, Tree, What};
use crate::glyphs::Glyphs;
use crate::theme::Role;
use crate::widget::Line;
use serde_json::Value;

/// How deep rows are indented, at most.
const MAX_DEPTH: usize = 20;

/// The rows from `from` on, `count` at most, of what is shown.
pub(super) fn lines(app: &App, from: usize, count: usize) -> Vec<Line> {
    match app.detail.context() {
        Some(value) => rows(&app.detail.tree, value, from, count, app.glyphs),
        None => Vec::new(),
    }
}

pub(super) fn rows(
    tree: &Tree,
    value: &Value,
    from: usize,
    count: usize,
    glyphs: &Glyphs,
) -> Vec<Line> {
    let rows = tree.window(value, from, count);
    rows.iter().map(|row| line(row, glyphs)).collect()
}

fn line(row: &Row, glyphs: &Glyphs) -> Line {
    let indent = " ".repeat(2 + 2 * row.depth.min(MAX_DEPTH));
    let line = Line::of(indent, Role::Muted);
    match &row.what {
        What::Leaf(text) => line
            .and("  ", Role::Muted)
            .and(&row.key, Role::Muted)
            .and("  ", Role::Muted)
            .and(text, Role::Screen),
        What::Branch { children, folded } => {
            let sign = if *folded {
                glyphs.folded
            } else {
                glyphs.unfolded
            };
            let line = line
                .and(sign, Role::Muted)
                .and(" ", Role::Muted)
                .and(&row.key, Role::Muted);
            match folded {
                true => line.and(format!("  {children}"), Role::Muted),
                false => line,
            }
        }
    }
}
