//! The detail: of which run, in how much room, how far scrolled, what is searched in it.

use super::history::{HistoryAnswer, HistoryWant, Known};
use super::listing::Trouble;
use super::message::DetailAnswer;
use super::tree::Tree;
use opsroom_model::RunId;
use opsroom_read::Lookup;
use serde_json::Value;
use tui_input::Input;

/// Items asked for at first, and at most.
const ITEMS: (u32, u32) = (100, 500);

/// How much room the detail has beside the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pane {
    /// None.
    Closed,
    /// A part of the screen, where the terminal is large enough for one.
    #[default]
    Beside,
}

/// What the detail shows.
#[derive(Debug, Clone)]
pub enum Shown {
    /// Nothing: no run is selected.
    Nothing,
    /// The run is being asked for.
    Loading(RunId),
    /// It could not be read.
    Failed(Trouble),
    /// The answer.
    Answer(Box<DetailAnswer>),
}

/// The detail.
#[derive(Debug, Clone)]
pub struct Detail {
    /// How much room it has beside the list.
    pub pane: Pane,
    /// What it shows.
    pub shown: Shown,
    /// The first line shown.
    pub top: usize,
    /// The line the keys are about.
    pub at: usize,
    /// Items to ask for.
    pub items_wanted: u32,
    /// The context, folded and unfolded.
    pub tree: Tree,
    /// What is searched.
    pub search: Search,
    /// A run that is shown whichever the list has selected.
    pub pinned: Option<RunId>,
    /// What the runs before it say, once that is known.
    pub history: Option<Known>,
    /// Rises whenever another run is wanted. The same one wanted again may have been dropped meanwhile.
    pub generation: u64,
    wanted: Option<RunId>,
}

/// A search in the detail.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// The text being typed.
    pub input: Option<Input>,
    /// What was last searched for; empty: nothing.
    pub needle: String,
}

impl Default for Detail {
    fn default() -> Self {
        Self {
            pane: Pane::default(),
            shown: Shown::Nothing,
            top: 0,
            at: 0,
            items_wanted: ITEMS.0,
            tree: Tree::default(),
            search: Search::default(),
            pinned: None,
            history: None,
            generation: 0,
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
        self.generation += 1;
        self.rewind();
        self.items_wanted = ITEMS.0;
        // The former run stays until the answer comes, or moving along the list would flicker.
        match (run, &self.shown) {
            (Some(id), Shown::Nothing | Shown::Failed(_)) => self.shown = Shown::Loading(id),
            (None, _) => self.shown = Shown::Nothing,
            _ => {}
        }
    }

    /// Back to the first line.
    pub fn rewind(&mut self) {
        self.top = 0;
        self.at = 0;
    }

    /// Takes an error. What is shown of the run that is wanted stays; true then.
    pub(super) fn fail(&mut self, trouble: &Trouble) -> bool {
        let stays = match &self.shown {
            Shown::Answer(answer) => Some(answer.id) == self.wanted,
            _ => false,
        };
        if !stays {
            self.shown = Shown::Failed(trouble.clone());
        }
        stays
    }

    /// Takes an answer, where it is still of use.
    pub fn take(&mut self, answer: DetailAnswer) {
        if Some(answer.id) != self.wanted {
            return;
        }
        // What was folded stays so while the context is the same.
        let same = match &self.shown {
            Shown::Answer(known) => context(known) == context(&answer),
            _ => false,
        };
        if !same {
            self.tree = context(&answer).map(Tree::of).unwrap_or_default();
        }
        self.shown = Shown::Answer(Box::new(answer));
    }

    /// The history to ask for: that of the run that is shown.
    #[must_use]
    pub fn history_wanted(&self) -> Option<HistoryWant> {
        let Shown::Answer(answer) = &self.shown else {
            return None;
        };
        match &answer.lookup {
            Lookup::Found(run) if Some(run.id) == self.wanted => Some(HistoryWant {
                id: run.id,
                tenant: run.tenant_id,
                run_type: run.run_type.clone(),
                created_at: run.created_at,
                ended: !run.state.is_active(),
                failed: !run.failures.is_empty(),
            }),
            _ => None,
        }
    }

    /// Takes the history of the run that is shown.
    pub fn take_history(&mut self, id: RunId, answer: HistoryAnswer) {
        if Some(id) == self.wanted {
            self.history = Some(Known::of(id, answer, self.context()));
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

    /// The context of the run that is shown.
    #[must_use]
    pub fn context(&self) -> Option<&Value> {
        match &self.shown {
            Shown::Answer(answer) => context(answer),
            _ => None,
        }
    }
}

fn context(answer: &DetailAnswer) -> Option<&Value> {
    match &answer.lookup {
        Lookup::Found(run) => run.context.as_ref(),
        _ => None,
    }
}
