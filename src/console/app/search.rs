//! Searching in the detail: in its lines, and in all of its context, folded away or not.

use super::{App, Way};
use crate::screen;
use tui_input::{Input, InputRequest};

/// Characters that can be searched for.
const MAX_TYPED: usize = 100;

impl App {
    /// Begins to type what is searched.
    pub(super) fn open_search(&mut self) {
        self.detail.search.input = Some(Input::default());
    }

    pub(super) fn edit_search(&mut self, request: InputRequest) {
        let Some(input) = &mut self.detail.search.input else {
            return;
        };
        let adds = matches!(request, InputRequest::InsertChar(_));
        if !(adds && input.value().chars().count() >= MAX_TYPED) {
            input.handle(request);
        }
    }

    /// Searches for what was typed; nothing typed ends the search.
    pub(super) fn accept_search(&mut self) {
        if let Some(input) = self.detail.search.input.take() {
            self.detail.search.needle = input.value().trim().to_lowercase();
            if !self.detail.search.needle.is_empty() {
                self.find(Way::Down);
            }
        }
    }

    /// To the next line with what is searched, round the end.
    pub(super) fn find(&mut self, way: Way) {
        let needle = self.detail.search.needle.clone();
        if needle.is_empty() {
            return self.say("nothing is searched for: / in the detail");
        }
        let Some(area) = self.areas().detail else {
            return;
        };
        let head: Vec<bool> = screen::detail_head(self, usize::from(area.width))
            .iter()
            .map(|line| line.plain().to_lowercase().contains(&needle))
            .collect();
        let found = match way {
            Way::Down => self.find_down(&head, &needle),
            Way::Up => self.find_up(&head, &needle),
        };
        match found {
            Some(at) => self.to_detail_line(at),
            None => self.say("not found"),
        }
    }

    fn find_down(&mut self, head: &[bool], needle: &str) -> Option<usize> {
        let at = self.detail.at;
        let in_head = |from: usize| (from..head.len()).find(|line| head[*line]);
        let from = self.tree_node(head.len());
        if let Some(line) = in_head(at + 1) {
            return Some(line);
        }
        self.find_in_tree(head.len(), needle, from, Way::Down)
            .or_else(|| in_head(0))
            .or_else(|| self.find_in_tree(head.len(), needle, None, Way::Down))
    }

    fn find_up(&mut self, head: &[bool], needle: &str) -> Option<usize> {
        let at = self.detail.at;
        let in_head = |till: usize| (0..till.min(head.len())).rev().find(|line| head[*line]);
        if let Some(node) = self.tree_node(head.len())
            && let Some(line) = self.find_in_tree(head.len(), needle, Some(node), Way::Up)
        {
            return Some(line);
        }
        in_head(at)
            .or_else(|| self.find_in_tree(head.len(), needle, None, Way::Up))
            .or_else(|| in_head(head.len()))
    }

    fn find_in_tree(
        &mut self,
        head: usize,
        needle: &str,
        from: Option<u32>,
        way: Way,
    ) -> Option<usize> {
        let mut tree = std::mem::take(&mut self.detail.tree);
        let found = self.detail.context().and_then(|value| {
            let node = tree.find(value, needle, from, way)?;
            Some(head + tree.reveal(value, node))
        });
        self.detail.tree = tree;
        found
    }

    /// The node of the context on the current line, where it is on one.
    pub(super) fn tree_node(&self, head: usize) -> Option<u32> {
        let row = self.detail.at.checked_sub(head)?;
        let value = self.detail.context()?;
        let rows = self.detail.tree.window(value, row, 1);
        rows.first().map(|row| row.node)
    }
}
