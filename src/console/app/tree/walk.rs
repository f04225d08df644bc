//! Walking a tree in the order of its rows, and finding a text in it.

use super::{MAX_TEXT, Tree};
use crate::app::Way;
use opsroom_model::Clean;
use serde_json::Value;
use std::collections::HashSet;

impl Tree {
    /// The nearest node after `from` (or before it, going up) that has `needle`, which is in lower
    /// case, in its name or value, folded away or not.
    #[must_use]
    pub fn find(&self, value: &Value, needle: &str, from: Option<u32>, way: Way) -> Option<u32> {
        let mut found = None;
        let nothing = HashSet::new();
        self.walk_below(value, (0, 0), &nothing, &mut |step| {
            let before = from.is_some_and(|from| step.node < from);
            let same = from == Some(step.node);
            match way {
                Way::Down if from >= Some(self.end(step.node)) => return Flow::Over,
                Way::Down if before || same => return Flow::On,
                Way::Up if from.is_some() && !before => return Flow::End,
                _ => {}
            }
            let fits =
                step.key.has(needle) || (children(step.value) == 0 && has(step.value, needle));
            if fits {
                found = Some(step.node);
                if way == Way::Down {
                    return Flow::End;
                }
            }
            Flow::On
        });
        found
    }

    pub(super) fn walk<'v>(&self, value: &'v Value, visit: &mut impl FnMut(Step<'v>) -> Flow) {
        self.walk_below(value, (0, 0), &self.folded, visit);
    }

    /// The node behind `node` and all that is below it.
    pub(super) fn end(&self, node: u32) -> u32 {
        node + self.sizes.get(node as usize).copied().unwrap_or(1)
    }

    fn walk_below<'v>(
        &self,
        value: &'v Value,
        (node, depth): (u32, usize),
        folded: &HashSet<u32>,
        visit: &mut impl FnMut(Step<'v>) -> Flow,
    ) -> Flow {
        let mut child = node + 1;
        let mut each = |key: Key<'v>, value: &'v Value| {
            let step = Step {
                node: child,
                depth,
                key,
                value,
            };
            let end = self.end(child);
            let flow = match visit(step) {
                Flow::On if end > child + 1 && !folded.contains(&child) => {
                    self.walk_below(value, (child, depth + 1), folded, visit)
                }
                flow => flow,
            };
            child = end;
            flow
        };
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    if each(Key::Name(key), value) == Flow::End {
                        return Flow::End;
                    }
                }
            }
            Value::Array(items) => {
                for (at, value) in items.iter().enumerate() {
                    if each(Key::Place(at), value) == Flow::End {
                        return Flow::End;
                    }
                }
            }
            scalar if depth == 0 => return each(Key::Name(""), scalar),
            _ => {}
        }
        Flow::On
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// To the next, below this one first.
    On,
    /// To the next, but not below this one.
    Over,
    /// No further.
    End,
}

pub(super) struct Step<'v> {
    pub(super) node: u32,
    pub(super) depth: usize,
    pub(super) key: Key<'v>,
    pub(super) value: &'v Value,
}

pub(super) enum Key<'v> {
    Name(&'v str),
    Place(usize),
}

impl Key<'_> {
    pub(super) fn text(&self) -> Clean {
        match self {
            Self::Name(name) => Clean::limited(name, MAX_TEXT.1),
            Self::Place(at) => Clean::new(&at.to_string()),
        }
    }

    fn has(&self, needle: &str) -> bool {
        matches!(self, Self::Name(name) if name.to_lowercase().contains(needle))
    }
}

pub(super) fn children(value: &Value) -> usize {
    match value {
        Value::Object(fields) => fields.len(),
        Value::Array(items) => items.len(),
        _ => 0,
    }
}

fn has(value: &Value, needle: &str) -> bool {
    match value {
        Value::String(text) => text.to_lowercase().contains(needle),
        Value::Object(_) | Value::Array(_) => false,
        other => other.to_string().contains(needle),
    }
}
