//! The detail: of which run, in how much room, how far scrolled.

use super::message::DetailAnswer;
use opsroom_model::RunId;

/// Items asked for at first, and at most.
const ITEMS: (u32, u32) = (100, 500);

/// How much room the detail has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pane {
    /// None.
    Closed,
    /// A part of the screen, where the terminal is large enough for one.
    #[default]
    Beside,
    /// The whole screen.
    Full,
}

/// What the detail shows.
#[derive(Debug, Clone)]
pub enum Shown {
    /// Nothing: no run is selected.
    Nothing,
    /// The run is being asked for.
    Loading(RunId),
    /// The answer.
    Answer(Box<DetailAnswer>),
}

/// The detail.
#[derive(Debug, Clone)]
pub struct Detail {
    /// How much room it has.
    pub pane: Pane,
    /// What it shows.
    pub shown: Shown,
    /// The first line shown.
    pub top: usize,
    /// Items to ask for.
    pub items_wanted: u32,
    wanted: Option<RunId>,
}

impl Default for Detail {
    fn default() -> Self {
        Self {
            pane: Pane::default(),
            shown: Shown::Nothing,
            top: 0,
            items_wanted: ITEMS.0,
            wanted: None,
        }
    }
}

impl Detail {
    /// The run to ask for.
    #[must_use]
    pub fn wanted(&self) -> Option<RunId> {
        self.wanted
    }

    /// Turns to `run`, where it is another one.
    pub fn follow(&mut self, run: Option<RunId>) {
        if run == self.wanted {
            return;
        }
        self.wanted = run;
        self.top = 0;
        self.items_wanted = ITEMS.0;
        // The former run stays until the answer comes, or moving along the list would flicker.
        match (run, &self.shown) {
            (Some(id), Shown::Nothing) => self.shown = Shown::Loading(id),
            (None, _) => self.shown = Shown::Nothing,
            _ => {}
        }
    }

    /// Takes an answer, where it is still of use.
    pub fn take(&mut self, answer: DetailAnswer) {
        if Some(answer.id) == self.wanted {
            self.shown = Shown::Answer(Box::new(answer));
        }
    }

    /// Asks for more items, where there are more.
    pub fn want_more_items(&mut self) {
        if let Shown::Answer(answer) = &self.shown
            && answer.items.next.is_some()
        {
            self.items_wanted = ITEMS.1;
        }
    }
}
