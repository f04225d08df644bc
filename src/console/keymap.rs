//! One table of keys. What a key does, the hints of the last row and the help all come from it.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table below says in words what each does")]
pub enum Action {
    Move(Step),
    Open,
    Back,
    Quit,
    QuitNow,
    Filter,
    ToggleFailures,
    Follow,
    NextFailed,
    PreviousFailed,
    OtherPane,
    CopyId,
    Pause,
    Refresh,
    Redraw,
    Theme,
    TimeMode,
    Help,
    Suspend,
}

/// How far to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is its own name")]
pub enum Step {
    Up,
    Down,
    Top,
    Bottom,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
}

impl Step {
    /// Where it leads from `at`, on pages of `height`, no further than `last`.
    #[must_use]
    pub fn from(self, at: usize, height: usize, last: usize) -> usize {
        let (page, half) = (height.saturating_sub(1).max(1), (height / 2).max(1));
        let to = match self {
            Self::Up => at.saturating_sub(1),
            Self::Down => at + 1,
            Self::Top => 0,
            Self::Bottom => last,
            Self::PageUp => at.saturating_sub(page),
            Self::PageDown => at + page,
            Self::HalfUp => at.saturating_sub(half),
            Self::HalfDown => at + half,
        };
        to.min(last)
    }
}

/// Where a key is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// In the list.
    List,
    /// In the detail.
    Detail,
    /// While a filter is being typed.
    Input,
    /// While something lies over the screen.
    Overlay,
}

/// One line of the table.
pub struct Binding {
    keys: &'static [(KeyModifiers, KeyCode)],
    action: Action,
    contexts: &'static [Context],
    /// The keys, as the help names them.
    pub shown: &'static str,
    /// What they do.
    pub does: &'static str,
    /// What the last row says of them, where it does.
    pub hint: Option<(&'static str, &'static str)>,
}

use Context::{Detail, Input, List, Overlay};
use KeyCode::Char;

const NONE: KeyModifiers = KeyModifiers::NONE;
const CTRL: KeyModifiers = KeyModifiers::CONTROL;
const READING: &[Context] = &[List, Detail];
const MOVING: &[Context] = &[List, Detail, Overlay];
const ANYWHERE: &[Context] = &[List, Detail, Input, Overlay];

const fn bind(
    shown: &'static str,
    does: &'static str,
    action: Action,
    contexts: &'static [Context],
    keys: &'static [(KeyModifiers, KeyCode)],
) -> Binding {
    Binding {
        keys,
        action,
        contexts,
        shown,
        does,
        hint: None,
    }
}

impl Binding {
    const fn hinted(mut self, key: &'static str, word: &'static str) -> Self {
        self.hint = Some((key, word));
        self
    }
}

/// Every binding, in the order of the help.
pub const BINDINGS: &[Binding] = &[
    bind(
        "j ↓",
        "next run, next line",
        Action::Move(Step::Down),
        MOVING,
        &[(NONE, Char('j')), (NONE, KeyCode::Down)],
    )
    .hinted("j k", "move"),
    bind(
        "k ↑",
        "previous run, previous line",
        Action::Move(Step::Up),
        MOVING,
        &[(NONE, Char('k')), (NONE, KeyCode::Up)],
    ),
    bind(
        "g Home",
        "to the first; there the newest stays selected",
        Action::Move(Step::Top),
        MOVING,
        &[(NONE, Char('g')), (NONE, KeyCode::Home)],
    ),
    bind(
        "G End",
        "to the last",
        Action::Move(Step::Bottom),
        MOVING,
        &[(NONE, Char('G')), (NONE, KeyCode::End)],
    ),
    bind(
        "PgDn ctrl-f",
        "a page down",
        Action::Move(Step::PageDown),
        MOVING,
        &[(NONE, KeyCode::PageDown), (CTRL, Char('f'))],
    ),
    bind(
        "PgUp ctrl-b",
        "a page up",
        Action::Move(Step::PageUp),
        MOVING,
        &[(NONE, KeyCode::PageUp), (CTRL, Char('b'))],
    ),
    bind(
        "ctrl-d",
        "half a page down",
        Action::Move(Step::HalfDown),
        MOVING,
        &[(CTRL, Char('d'))],
    ),
    bind(
        "ctrl-u",
        "half a page up",
        Action::Move(Step::HalfUp),
        MOVING,
        &[(CTRL, Char('u'))],
    ),
    bind(
        "f",
        "follow the newest run",
        Action::Follow,
        READING,
        &[(NONE, Char('f'))],
    ),
    bind(
        "e E",
        "next, previous failed run",
        Action::NextFailed,
        READING,
        &[(NONE, Char('e'))],
    ),
    bind(
        "",
        "",
        Action::PreviousFailed,
        READING,
        &[(NONE, Char('E'))],
    ),
    bind(
        "Enter",
        "open the detail; again: over the whole screen",
        Action::Open,
        &[List, Detail, Input],
        &[(NONE, KeyCode::Enter)],
    )
    .hinted("⏎", "open"),
    bind(
        "Esc",
        "back: input, detail, last term of the filter",
        Action::Back,
        ANYWHERE,
        &[(NONE, KeyCode::Esc)],
    ),
    bind(
        "Tab",
        "to the other pane",
        Action::OtherPane,
        READING,
        &[(NONE, KeyCode::Tab), (NONE, KeyCode::BackTab)],
    ),
    bind(
        "/",
        "filter: tenant: type: is: code: by: id: since:",
        Action::Filter,
        READING,
        &[(NONE, Char('/'))],
    )
    .hinted("/", "filter"),
    bind(
        "!",
        "only failures (is:failed,partial), or all again",
        Action::ToggleFailures,
        READING,
        &[(NONE, Char('!'))],
    )
    .hinted("!", "failures"),
    bind(
        "t",
        "times: how long ago, local, UTC",
        Action::TimeMode,
        READING,
        &[(NONE, Char('t'))],
    ),
    bind(
        "T",
        "next theme",
        Action::Theme,
        MOVING,
        &[(NONE, Char('T'))],
    ),
    bind(
        "p",
        "pause, go on",
        Action::Pause,
        READING,
        &[(NONE, Char('p'))],
    )
    .hinted("p", "pause"),
    bind(
        "R",
        "ask again now",
        Action::Refresh,
        READING,
        &[(NONE, Char('R'))],
    ),
    bind(
        "ctrl-l",
        "paint anew",
        Action::Redraw,
        ANYWHERE,
        &[(CTRL, Char('l'))],
    ),
    bind(
        "y",
        "copy the run's id",
        Action::CopyId,
        READING,
        &[(NONE, Char('y'))],
    )
    .hinted("y", "copy id"),
    bind(
        "?",
        "these keys",
        Action::Help,
        READING,
        &[(NONE, Char('?'))],
    )
    .hinted("?", "keys"),
    bind(
        "ctrl-z",
        "to the shell; fg comes back",
        Action::Suspend,
        ANYWHERE,
        &[(CTRL, Char('z'))],
    ),
    bind(
        "q",
        "back; quits at the list",
        Action::Quit,
        MOVING,
        &[(NONE, Char('q'))],
    )
    .hinted("q", "quit"),
    bind(
        "ctrl-c",
        "quit",
        Action::QuitNow,
        ANYWHERE,
        &[(CTRL, Char('c'))],
    ),
];

/// What `key` asks for in `context`.
#[must_use]
pub fn action(context: Context, key: KeyEvent) -> Option<Action> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    // Whether Shift is reported beside a capital or `?` depends on the terminal.
    let modifiers = key.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
    let fits = |binding: &&Binding| {
        binding.contexts.contains(&context) && binding.keys.contains(&(modifiers, key.code))
    };
    BINDINGS.iter().find(fits).map(|binding| binding.action)
}

/// The lines of the help.
pub fn help() -> impl Iterator<Item = &'static Binding> {
    BINDINGS.iter().filter(|binding| !binding.shown.is_empty())
}

/// How many lines the help has.
#[must_use]
pub fn help_lines() -> usize {
    help().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for context in [List, Detail, Input, Overlay] {
            let mut seen = Vec::new();
            for binding in BINDINGS
                .iter()
                .filter(|binding| binding.contexts.contains(&context))
            {
                for key in binding.keys {
                    assert!(!seen.contains(key), "{key:?} in {context:?}");
                    seen.push(*key);
                }
            }
        }
    }

    #[test]
    fn letters_are_typed_while_a_filter_is() {
        for letter in "jkgGfeEtTpRyq/!?".chars() {
            assert_eq!(action(Input, KeyEvent::new(Char(letter), NONE)), None);
        }
        let shifted = KeyEvent::new(Char('G'), KeyModifiers::SHIFT);
        assert_eq!(action(List, shifted), Some(Action::Move(Step::Bottom)));
    }
}
