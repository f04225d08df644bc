//! A JSON value as a tree of which parts are folded. A megabyte of it costs a walk over its visible
//! rows, and texts are made for those on the screen alone. Its texts come from the database: every
//! one is cleaned where it becomes a row.

mod walk;

use opsroom_model::Clean;
use serde_json::Value;
use std::collections::HashSet;
use walk::{Flow, Step, children};

/// Larger trees begin with what is deep in them folded.
const OPEN_UP_TO: usize = 200;
/// Branches with more below them are folded then.
const SMALL: u32 = 24;
/// Characters of one value, and of one key.
const MAX_TEXT: (usize, usize) = (300, 80);

/// One row of a tree.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its number: that of its place in the whole tree.
    pub node: u32,
    /// How deep it lies.
    pub depth: usize,
    /// Its name, or its place in a list.
    pub key: Clean,
    /// What it says.
    pub what: What,
}

/// What a row says.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A value.
    Leaf(Clean),
    /// A branch with so many children.
    Branch {
        /// How many.
        children: usize,
        /// Whether they are left out.
        folded: bool,
    },
}

/// Which parts of one value are folded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tree {
    /// Nodes in and below each, itself included. The first is the root, which has no row.
    sizes: Vec<u32>,
    /// Rows of each, its own included; of those folded away, as if they were not.
    spans: Vec<u32>,
    folded: HashSet<u32>,
    rows: usize,
}

impl Tree {
    /// The tree of `value`, the large branches of a large one folded.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        let mut tree = Self::default();
        tree.measure(value);
        if tree.sizes.len() > OPEN_UP_TO {
            let large = |at: &usize| tree.sizes[*at] > SMALL;
            let nodes = (1..tree.sizes.len()).filter(large);
            tree.folded = nodes.filter_map(|at| u32::try_from(at).ok()).collect();
        }
        tree.count(value);
        tree
    }

    /// The tree of `value` with nothing folded.
    #[must_use]
    pub fn unfolded(value: &Value) -> Self {
        let mut tree = Self::default();
        tree.measure(value);
        tree.count(value);
        tree
    }

    fn measure(&mut self, value: &Value) -> u32 {
        let at = self.sizes.len();
        self.sizes.push(1);
        let below: u32 = match value {
            Value::Object(fields) => fields.values().map(|child| self.measure(child)).sum(),
            Value::Array(items) => items.iter().map(|child| self.measure(child)).sum(),
            _ => 0,
        };
        self.sizes[at] = below + 1;
        below + 1
    }

    fn count(&mut self, value: &Value) {
        self.spans = vec![1; self.sizes.len()];
        // Children come behind what they lie in.
        for node in (0..self.sizes.len()).rev() {
            let is_folded = u32::try_from(node).is_ok_and(|node| self.folded.contains(&node));
            let mut child = node + 1;
            while !is_folded && child < node + self.sizes[node] as usize {
                self.spans[node] += self.spans[child];
                child += self.sizes[child] as usize;
            }
        }
        let below = self.spans.first().map_or(0, |rows| *rows as usize - 1);
        let is_scalar = !matches!(value, Value::Object(_) | Value::Array(_));
        self.rows = below + usize::from(is_scalar);
    }

    /// Rows of a node, with those below it.
    fn span(&self, node: u32) -> usize {
        self.spans
            .get(node as usize)
            .map_or(1, |rows| *rows as usize)
    }

    /// Rows that are not folded away.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The rows from `from` on, `count` at most. `value` is the one the tree was made of.
    #[must_use]
    pub fn window(&self, value: &Value, from: usize, count: usize) -> Vec<Row> {
        let mut rows = Vec::with_capacity(count.min(200));
        let mut at = 0;
        if count == 0 {
            return rows;
        }
        self.walk(value, &mut |step| {
            // What ends before the window is passed over whole.
            let end = at + self.span(step.node);
            if end <= from {
                at = end;
                return Flow::Over;
            }
            if at >= from {
                rows.push(self.row(step));
            }
            at += 1;
            if rows.len() < count {
                Flow::On
            } else {
                Flow::End
            }
        });
        rows
    }

    fn row(&self, step: Step<'_>) -> Row {
        let children = children(step.value);
        let what = match children {
            0 => What::Leaf(leaf(step.value)),
            _ => What::Branch {
                children,
                folded: self.folded.contains(&step.node),
            },
        };
        Row {
            node: step.node,
            depth: step.depth,
            key: step.key.text(),
            what,
        }
    }

    /// Folds or unfolds `node`; a leaf's branch where `node` is a leaf and is to be folded. Returns
    /// the node that was changed, where one was.
    pub fn fold(&mut self, value: &Value, node: u32, fold: Fold) -> Option<u32> {
        let is_branch = |node: u32| self.sizes.get(node as usize).is_some_and(|size| *size > 1);
        let node = match fold {
            Fold::Close if !is_branch(node) || self.folded.contains(&node) => self
                .parents(node)
                .last()
                .copied()
                .filter(|parent| *parent > 0)?,
            _ if is_branch(node) => node,
            _ => return None,
        };
        match fold {
            Fold::Close => self.folded.insert(node),
            Fold::Open => self.folded.remove(&node),
            Fold::Toggle => self.folded.remove(&node) || self.folded.insert(node),
        };
        self.count(value);
        Some(node)
    }

    /// Unfolds what `node` lies in, and returns its row.
    pub fn reveal(&mut self, value: &Value, node: u32) -> usize {
        for parent in self.parents(node) {
            self.folded.remove(&parent);
        }
        self.count(value);
        self.row_of(value, node)
    }

    /// The row of `node`, or the first after it.
    #[must_use]
    pub fn row_of(&self, value: &Value, node: u32) -> usize {
        let mut at = 0;
        self.walk(value, &mut |step| {
            if step.node >= node {
                return Flow::End;
            }
            if self.end(step.node) <= node {
                at += self.span(step.node);
                return Flow::Over;
            }
            at += 1;
            Flow::On
        });
        at
    }

    fn parents(&self, node: u32) -> Vec<u32> {
        let mut parents = Vec::new();
        let mut at = 0;
        while at < node {
            parents.push(at);
            let mut child = at + 1;
            while let Some(size) = self.sizes.get(child as usize)
                && child + size <= node
            {
                child += size;
            }
            at = child;
        }
        parents
    }
}

/// What to do with a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// Leave its children out.
    Close,
    /// Show them.
    Open,
    /// The other of the two.
    Toggle,
}

pub(crate) fn leaf(value: &Value) -> Clean {
    match value {
        Value::String(text) => Clean::limited(text, MAX_TEXT.0),
        other => Clean::limited(&other.to_string(), MAX_TEXT.0),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Way;
    use super::*;
    use serde_json::json;

    fn text(tree: &Tree, value: &Value) -> Vec<String> {
        let rows = tree.window(value, 0, 100);
        let line = |row: &Row| match &row.what {
            What::Leaf(text) => format!("{}{} {text}", " ".repeat(row.depth), row.key),
            What::Branch { children, folded } => {
                let sign = if *folded { '+' } else { '-' };
                format!("{}{sign}{} {children}", " ".repeat(row.depth), row.key)
            }
        };
        rows.iter().map(line).collect()
    }

    #[test]
    fn branches_fold_and_what_is_found_unfolds() {
        let value = json!({"a": {"b": [1, 2], "c": {}}, "d": "Needle"});
        let mut tree = Tree::of(&value);
        assert_eq!(
            text(&tree, &value),
            ["-a 2", " -b 2", "  0 1", "  1 2", " c {}", "d Needle"]
        );
        assert_eq!(tree.fold(&value, 1, Fold::Toggle), Some(1));
        assert_eq!(text(&tree, &value), ["+a 2", "d Needle"]);
        assert_eq!(tree.find(&value, "needle", None, Way::Down), Some(6));
        assert_eq!(tree.find(&value, "2", Some(6), Way::Up), Some(4));
        assert_eq!(tree.find(&value, "2", Some(4), Way::Down), None);
        assert_eq!(tree.reveal(&value, 4), 3);
        assert_eq!(tree.rows(), 6);
        assert_eq!(tree.window(&value, 3, 9).len(), 3);
        assert_eq!(tree.window(&value, 5, 9)[0].node, 6);
        assert_eq!(tree.row_of(&value, 6), 5);
        // A leaf folds what it lies in.
        assert_eq!(tree.fold(&value, 4, Fold::Close), Some(2));
        assert_eq!(tree.window(&value, 1, 2).len(), 2);
    }

    #[test]
    fn texts_are_clean_and_scalars_have_a_row() {
        let sly = json!({"a\u{1b}[2J": {"b": "c\u{202e}d"}});
        let lines = text(&Tree::of(&sly), &sly);
        assert_eq!(lines, ["-a\\u{1b}[2J 1", " b c\\u{202e}d"]);
        let scalar = json!("x");
        assert_eq!(Tree::of(&scalar).rows(), 1);
        assert_eq!(Tree::of(&json!({})).rows(), 0);
    }

    #[test]
    fn a_large_tree_begins_folded() {
        let wide: Value = (0..10_000).collect();
        let value = json!({"wide": wide, "x": 1});
        assert_eq!(text(&Tree::of(&value), &value), ["+wide 10000", "x 1"]);
    }
}
