//! The table itself: every command with its name, its keys, where it works and what it does.

use super::action::{Action, Context, Step};
use crate::app::Place;
use Context::{Detail, Help, Input, List, Menu};

/// Commands that belong together in the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Getting about.
    Move,
    /// Getting to other screens.
    Screens,
    /// Finding runs.
    Find,
    /// What can be done with a run.
    Run,
    /// When, and how often.
    Time,
    /// The console itself.
    Console,
}

impl Group {
    /// Its heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Move => "move",
            Self::Screens => "screens",
            Self::Find => "find",
            Self::Run => "one run",
            Self::Time => "time",
            Self::Console => "console",
        }
    }
}

/// One line of the table.
#[derive(Debug)]
pub struct Command {
    /// What a configuration calls it.
    pub name: &'static str,
    /// What it does, in a few words.
    pub does: &'static str,
    /// What it asks for.
    pub action: Action,
    /// Where it belongs.
    pub group: Group,
    /// Where it works.
    pub contexts: &'static [Context],
    /// Its usual keys.
    pub keys: &'static [&'static str],
    /// What the last row says of it, where it does.
    pub hint: Option<&'static str>,
    /// The smaller, the further left.
    pub hint_rank: u8,
}

impl Command {
    const fn hinted(mut self, rank: u8, word: &'static str) -> Self {
        self.hint = Some(word);
        self.hint_rank = rank;
        self
    }

    /// True where the palette offers it: moving about is for keys alone.
    #[must_use]
    pub fn is_in_palette(&self) -> bool {
        !matches!(
            self.action,
            Action::Move(_)
                | Action::Open
                | Action::Back
                | Action::Palette
                | Action::View(_)
                | Action::Go(_)
                | Action::Complete
                | Action::NextOffer
                | Action::PreviousOffer
                | Action::Fold
                | Action::Unfold
        )
    }
}

const fn command(
    group: Group,
    name: &'static str,
    keys: &'static [&'static str],
    contexts: &'static [Context],
    action: Action,
    does: &'static str,
) -> Command {
    Command {
        name,
        does,
        action,
        group,
        contexts,
        keys,
        hint: None,
        hint_rank: 0,
    }
}

const READING: &[Context] = &[List, Detail];
const MOVING: &[Context] = &[List, Detail, Help];
const ANYWHERE: &[Context] = &[List, Detail, Input, Menu, Help];

use Action as A;
use Group as G;

/// Every command, in the order of the help. A table is read as one: a line each.
#[rustfmt::skip]
pub const TABLE: &[Command] = &[
    command(G::Move, "down", &["j", "down"], MOVING, A::Move(Step::Down), "next"),
    command(G::Move, "up", &["k", "up"], MOVING, A::Move(Step::Up), "previous"),
    command(G::Move, "first", &["g", "Home"], MOVING, A::Move(Step::Top), "to the first"),
    command(G::Move, "last", &["G", "End"], MOVING, A::Move(Step::Bottom), "to the last"),
    command(G::Move, "page-down", &["PgDn", "ctrl-f"], MOVING, A::Move(Step::PageDown), "a page down"),
    command(G::Move, "page-up", &["PgUp", "ctrl-b"], MOVING, A::Move(Step::PageUp), "a page up"),
    command(G::Move, "half-down", &["ctrl-d"], MOVING, A::Move(Step::HalfDown), "half a page down"),
    command(G::Move, "half-up", &["ctrl-u"], MOVING, A::Move(Step::HalfUp), "half a page up"),
    command(G::Move, "open", &["Enter"], &[List, Detail, Input, Menu], A::Open, "open; again: over the whole screen").hinted(3, "open"),
    command(G::Move, "back", &["Esc"], ANYWHERE, A::Back, "back: input, pane, filter term, screen"),
    command(G::Move, "next-pane", &["Tab"], READING, A::NextPane, "to the next pane"),
    command(G::Move, "previous-pane", &["BTab"], READING, A::PreviousPane, "to the previous pane"),
    command(G::Move, "unfold", &["l", "right"], &[Detail], A::Unfold, "unfold the context here"),
    command(G::Move, "fold", &["h", "left"], &[Detail], A::Fold, "fold the context here"),
    command(G::Move, "menu-down", &["down", "ctrl-n"], &[Menu], A::Move(Step::Down), "next line of a menu"),
    command(G::Move, "menu-up", &["up", "ctrl-p"], &[Menu], A::Move(Step::Up), "previous line of a menu"),
    command(G::Screens, "go-runs", &["o r"], READING, A::Go(Place::Runs), "runs"),
    command(G::Screens, "go-failures", &["o f"], READING, A::Go(Place::Failures), "failures by code"),
    command(G::Screens, "go-tenants", &["o t"], READING, A::Go(Place::Tenants), "tenants, the worst first"),
    command(G::Screens, "go-types", &["o y"], READING, A::Go(Place::Types), "types, the worst first"),
    command(G::Screens, "go-workers", &["o w"], READING, A::Go(Place::Workers), "workers"),
    command(G::Screens, "go-schedules", &["o s"], READING, A::Go(Place::Schedules), "schedules"),
    command(G::Screens, "go-notifications", &["o n"], READING, A::Go(Place::Notifications), "notifications"),
    command(G::Screens, "palette", &[":"], READING, A::Palette, "to a screen, view, command or run").hinted(5, "go to"),
    command(G::Time, "follow", &["f"], READING, A::Follow, "follow the newest run"),
    command(G::Time, "pause", &["p"], READING, A::Pause, "pause, go on").hinted(8, "pause"),
    command(G::Time, "refresh", &["R"], READING, A::Refresh, "ask again now"),
    command(G::Time, "earlier", &["["], READING, A::Earlier, "back in time"),
    command(G::Time, "later", &["]"], READING, A::Later, "forward in time"),
    command(G::Time, "times", &["t"], READING, A::TimeMode, "times: how long ago, local, UTC"),
    command(G::Find, "filter", &["/"], &[List], A::Filter, "filter the list").hinted(4, "filter"),
    command(G::Find, "complete", &["Tab"], &[Input], A::Complete, "while typing: take what is offered"),
    command(G::Find, "next-offer", &["Down"], &[Input], A::NextOffer, "while typing: choose what is offered"),
    command(G::Find, "previous-offer", &["Up", "BTab"], &[Input], A::PreviousOffer, "while typing: the one before"),
    command(G::Find, "search", &["/"], &[Detail], A::Search, "search the detail").hinted(4, "search"),
    command(G::Find, "next-found", &["n"], READING, A::NextFound, "next found in the detail"),
    command(G::Find, "previous-found", &["N"], READING, A::PreviousFound, "previous found in the detail"),
    command(G::Find, "failures-only", &["!"], READING, A::ToggleFailures, "add or drop is:failed,partial").hinted(7, "failures"),
    command(G::Find, "view-1", &["1"], READING, A::View(1), "saved view 1; 2 to 9 likewise"),
    command(G::Find, "view-2", &["2"], READING, A::View(2), ""),
    command(G::Find, "view-3", &["3"], READING, A::View(3), ""),
    command(G::Find, "view-4", &["4"], READING, A::View(4), ""),
    command(G::Find, "view-5", &["5"], READING, A::View(5), ""),
    command(G::Find, "view-6", &["6"], READING, A::View(6), ""),
    command(G::Find, "view-7", &["7"], READING, A::View(7), ""),
    command(G::Find, "view-8", &["8"], READING, A::View(8), ""),
    command(G::Find, "view-9", &["9"], READING, A::View(9), ""),
    command(G::Find, "sort", &["S"], READING, A::Sort, "choose the column to sort by"),
    command(G::Find, "invert", &["I"], READING, A::Invert, "turn the order round"),
    command(G::Run, "next-failed", &["e"], READING, A::NextFailed, "next failed run"),
    command(G::Run, "previous-failed", &["E"], READING, A::PreviousFailed, "previous failed run"),
    command(G::Run, "mark", &["Space"], READING, A::Mark, "mark a run to compare with"),
    command(G::Run, "compare", &["="], READING, A::Compare, "compare with the mark or last success").hinted(6, "compare"),
    command(G::Run, "copy-id", &["y"], READING, A::CopyId, "copy the id"),
    command(G::Run, "copy", &["Y"], READING, A::CopyMenu, "choose what to copy").hinted(9, "copy"),
    command(G::Run, "bell", &["b"], READING, A::Bell, "ring when this run ends"),
    command(G::Console, "themes", &["T"], READING, A::Themes, "choose a theme"),
    command(G::Console, "mouse", &["m"], READING, A::Mouse, "mouse on, off (off: select text)"),
    command(G::Console, "repaint", &["ctrl-l"], ANYWHERE, A::Redraw, "paint anew"),
    command(G::Console, "keys", &["?"], READING, A::Help, "these keys").hinted(10, "keys"),
    command(G::Console, "suspend", &["ctrl-z"], ANYWHERE, A::Suspend, "to the shell; fg comes back"),
    command(G::Console, "quit", &["q"], MOVING, A::Quit, "back; quits at the root").hinted(11, "quit"),
    command(G::Console, "quit-now", &["ctrl-c"], ANYWHERE, A::QuitNow, "quit"),
];
