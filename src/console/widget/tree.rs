//! A JSON value as an indented tree of lines. Its texts come from the database: every one is
//! cleaned here.

use super::line::Line;
use crate::theme::Role;
use opsroom_model::Clean;
use serde_json::Value;

/// Lines of a tree, at most: what lies beyond is counted, not drawn.
const MAX_LINES: usize = 500;
/// Characters of one value.
const MAX_TEXT: usize = 300;

/// The lines of `value`, each behind `indent` blanks.
#[must_use]
pub fn tree(value: &Value, indent: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut hidden = 0;
    match value {
        Value::Object(_) | Value::Array(_) => children(value, indent, &mut lines, &mut hidden),
        scalar => {
            lines.push(Line::of(" ".repeat(indent), Role::Muted).and(leaf(scalar), Role::Screen))
        }
    }
    if hidden > 0 {
        lines.push(Line::of(
            format!("{}… and {hidden} more", " ".repeat(indent)),
            Role::Muted,
        ));
    }
    lines
}

fn children(value: &Value, indent: usize, lines: &mut Vec<Line>, hidden: &mut usize) {
    match value {
        Value::Object(fields) => {
            for (key, child) in fields {
                entry(&Clean::limited(key, 80), child, indent, lines, hidden);
            }
        }
        Value::Array(items) => {
            for (at, child) in items.iter().enumerate() {
                entry(&Clean::new(&at.to_string()), child, indent, lines, hidden);
            }
        }
        _ => {}
    }
}

fn entry(key: &Clean, child: &Value, indent: usize, lines: &mut Vec<Line>, hidden: &mut usize) {
    if lines.len() >= MAX_LINES || indent > 60 {
        *hidden += 1;
        return;
    }
    let line = Line::of(" ".repeat(indent), Role::Muted).and(key, Role::Muted);
    let size = match child {
        Value::Object(fields) => Some((fields.len(), "{}")),
        Value::Array(items) => Some((items.len(), "[]")),
        _ => None,
    };
    match size {
        Some((0, empty)) => lines.push(line.and("  ", Role::Muted).and(empty, Role::Faint)),
        Some(_) => {
            lines.push(line);
            children(child, indent + 2, lines, hidden);
        }
        None => lines.push(line.and("  ", Role::Muted).and(leaf(child), Role::Screen)),
    }
}

fn leaf(value: &Value) -> Clean {
    match value {
        Value::String(text) => Clean::limited(text, MAX_TEXT),
        other => Clean::limited(&other.to_string(), MAX_TEXT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_tree_is_bounded_and_clean() {
        let wide: Value = (0..10_000).collect();
        assert_eq!(tree(&wide, 0).len(), MAX_LINES + 1);
        let sly = json!({"a\u{1b}[2J": {"b": "c\u{202e}d"}});
        let text: Vec<_> = tree(&sly, 2).iter().map(Line::plain).collect();
        assert_eq!(text, ["  a\\u{1b}[2J", "    b  c\\u{202e}d"]);
    }
}
