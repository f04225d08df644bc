//! Menus over the screen: the palette, themes, the order of the list, what to copy. All of them are
//! narrowed by typing; the best match comes first.

use super::place::Place;
use super::sort::Sort;
use crate::keymap::Action;
use crate::theme::Theme;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use opsroom_model::RunId;
use tui_input::{Input, InputRequest};

/// Characters that can be typed.
const MAX_TYPED: usize = 80;

/// Which menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MenuKind {
    /// Everything one can go to or do.
    Palette,
    /// Themes, each shown as one moves over it.
    Themes,
    /// The order of the list.
    Sort,
    /// What of a run to copy.
    Copy,
}

impl MenuKind {
    /// Its title.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Palette => "go to",
            Self::Themes => "theme",
            Self::Sort => "sort by",
            Self::Copy => "copy",
        }
    }
}

/// What an entry leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// A screen.
    Go(Place),
    /// A saved view, by its place among them.
    View(usize),
    /// A theme, by name.
    Theme(String),
    /// A profile, by name.
    Profile(String),
    /// A command.
    Act(Action),
    /// A run.
    Run(RunId),
    /// An order.
    Sort(Sort),
    /// Text for the clipboard.
    Copy(String),
}

/// One line of a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What is typed for.
    pub label: String,
    /// A word on it.
    pub note: String,
    /// Its key, where it has one.
    pub key: String,
    /// What it leads to.
    pub choice: Choice,
}

impl Entry {
    /// An entry without a key.
    #[must_use]
    pub fn new(label: impl Into<String>, note: impl Into<String>, choice: Choice) -> Self {
        Self {
            label: label.into(),
            note: note.into(),
            key: String::new(),
            choice,
        }
    }

    /// The entry with the key that does the same.
    #[must_use]
    pub fn with_key(mut self, key: Option<String>) -> Self {
        self.key = key.unwrap_or_default();
        self
    }
}

/// A menu.
#[derive(Debug, Clone)]
pub struct Menu {
    /// Which.
    pub kind: MenuKind,
    /// What is typed.
    pub input: Input,
    /// The selected line of those shown.
    pub at: usize,
    /// What comes back where nothing is chosen.
    pub before: Option<Theme>,
    entries: Vec<Entry>,
    shown: Vec<usize>,
}

impl Menu {
    /// A menu of `entries`.
    #[must_use]
    pub fn new(kind: MenuKind, entries: Vec<Entry>) -> Self {
        Self {
            kind,
            input: Input::default(),
            at: 0,
            before: None,
            shown: (0..entries.len()).collect(),
            entries,
        }
    }

    /// How many entries there are, whatever is typed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True where there is nothing to choose.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries that fit what is typed, the best first.
    pub fn shown(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.shown.iter().map(|at| &self.entries[*at])
    }

    /// The selected entry. A number in the palette is the run of that id.
    #[must_use]
    pub fn chosen(&self) -> Option<Entry> {
        if let Some(id) = self.number() {
            return Some(Entry::new(
                format!("run #{id}"),
                "opens it",
                Choice::Run(id),
            ));
        }
        self.shown.get(self.at).map(|at| self.entries[*at].clone())
    }

    /// The run that a number typed into the palette names.
    #[must_use]
    pub fn number(&self) -> Option<RunId> {
        if self.kind != MenuKind::Palette {
            return None;
        }
        let typed = self.input.value().trim().trim_start_matches('#');
        let digits = !typed.is_empty() && typed.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| typed.parse().ok()).flatten()
    }

    /// Edits what is typed.
    pub fn edit(&mut self, request: InputRequest) {
        let adds = matches!(request, InputRequest::InsertChar(_));
        if adds && self.input.value().chars().count() >= MAX_TYPED {
            return;
        }
        self.input.handle(request);
        self.at = 0;
        self.narrow();
    }

    fn narrow(&mut self) {
        let typed = self.input.value().trim();
        if typed.is_empty() {
            self.shown = (0..self.entries.len()).collect();
            return;
        }
        let pattern = Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut letters = Vec::new();
        let mut scored = Vec::new();
        for (at, entry) in self.entries.iter().enumerate() {
            let label = Utf32Str::new(&entry.label, &mut letters);
            if let Some(score) = pattern.score(label, &mut matcher) {
                scored.push((std::cmp::Reverse(score), at));
            }
        }
        scored.sort_unstable();
        self.shown = scored.into_iter().map(|(_, at)| at).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn menu(typed: &str) -> Menu {
        let entry = |label: &str| Entry::new(label, "", Choice::Act(Action::Help));
        let entries = ["Runs", "Workers", "theme: dark", "choose a theme"].map(entry);
        let mut menu = Menu::new(MenuKind::Palette, entries.into());
        for letter in typed.chars() {
            menu.edit(InputRequest::InsertChar(letter));
        }
        menu
    }

    #[test]
    fn typing_narrows_and_the_best_comes_first() {
        assert_eq!(menu("").shown().len(), 4);
        assert_eq!(
            menu("wrk").chosen().map(|entry| entry.label),
            Some("Workers".into())
        );
        assert_eq!(
            menu("theme d").chosen().map(|entry| entry.label),
            Some("theme: dark".into())
        );
        assert_eq!(menu("zzz").chosen(), None);
    }

    #[test]
    fn a_number_is_a_run_and_nothing_else_is() {
        for typed in ["48213", "#48213", " 48213"] {
            let chosen = menu(typed).chosen().map(|entry| entry.choice);
            assert_eq!(chosen, Some(Choice::Run(RunId(48213))), "{typed}");
        }
        for typed in ["48a", "99999999999999999999", "-1", "#"] {
            assert_eq!(menu(typed).number(), None, "{typed}");
        }
    }
}
