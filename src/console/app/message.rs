//! What goes into an update and what comes out of it.

use chrono::{DateTime, Utc};
use crossterm::event::KeyEvent;
use opsroom_model::RunId;
use opsroom_read::{Attempt, Headline, ItemPage, Lookup, RunPage};

/// Something happened.
#[derive(Debug)]
pub enum Message {
    /// Time passed.
    Tick(DateTime<Utc>),
    /// A key went down.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
    /// The terminal's window came to the front, or left it.
    Focus(bool),
    /// The database answered, or did not.
    Data(Data),
}

/// An answer.
#[derive(Debug, Clone)]
pub enum Data {
    /// A page of the list.
    Page {
        /// Which filter it answers.
        generation: u64,
        /// The page.
        page: RunPage,
    },
    /// What stands above the list.
    Headline {
        /// Which filter it answers.
        generation: u64,
        /// The headline.
        headline: Headline,
    },
    /// What the login reaches.
    Reach(Reach),
    /// One run.
    Detail(Box<DetailAnswer>),
    /// No answer: the connection is being made anew.
    Lost {
        /// In a few words.
        reason: String,
    },
}

/// What the login reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// How many tenants.
    pub tenants: usize,
    /// Whether that is every tenant there is.
    pub all: bool,
}

/// One run in full.
#[derive(Debug, Clone)]
pub struct DetailAnswer {
    /// Which run was asked for.
    pub id: RunId,
    /// The run, or why not.
    pub lookup: Lookup,
    /// Its attempts.
    pub attempts: Vec<Attempt>,
    /// Its first items.
    pub items: ItemPage,
}

/// Something to be done outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// End.
    Quit,
    /// Give the terminal back for a while.
    Suspend,
    /// Paint everything anew.
    Redraw,
    /// Put text on the clipboard.
    Copy(String),
}
