//! What goes into an update and what comes out of it.

use super::comparison::{Compared, ComparisonWant};
use super::history::HistoryAnswer;
use super::listing::Trouble;
use super::sort::Sort;
use super::vocabulary::Vocabulary;
use super::wants::Topic;
use crate::theme::Shelf;
use chrono::{DateTime, Utc};
use crossterm::event::{KeyEvent, MouseEvent};
use opsroom_model::RunId;
use opsroom_read::{
    Attempt, By, Cursor, FailureBoard, Headline, HealthBoard, ItemPage, Lookup, Notifications,
    Point, RunPage, RunRow, Schedules, SortedPage, Worker,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Something happened.
#[derive(Debug)]
pub enum Message {
    /// Time passed.
    Tick(DateTime<Utc>),
    /// A key went down.
    Key(KeyEvent),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
    /// The terminal's window came to the front, or left it.
    Focus(bool),
    /// The database answered, or did not.
    Data(Data),
    /// Theme files were saved: the themes there are now, or what is wrong with one.
    Themes(Result<Shelf, String>),
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
    /// More of a list that is searched slice by slice.
    Older {
        /// Which filter it answers.
        generation: u64,
        /// Where the slice begins.
        before: Cursor,
        /// The slice.
        page: RunPage,
    },
    /// The list in another order than its own.
    Sorted {
        /// Which filter it answers.
        generation: u64,
        /// The order.
        sort: Sort,
        /// The first of them.
        page: SortedPage,
    },
    /// The last 24 hours, hour by hour; `None` where they cannot be told.
    Sparkline {
        /// Which filter it answers.
        generation: u64,
        /// The oldest first.
        points: Option<Vec<Point>>,
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
    /// The runs before one.
    History(RunId, Box<HistoryAnswer>),
    /// Who executes.
    Workers(WorkersAnswer),
    /// What failed, by code.
    Failures {
        /// Which filter it answers.
        generation: u64,
        /// `None` where the counting has not caught up.
        board: Option<FailureBoard>,
    },
    /// How tenants or types fare.
    Health {
        /// Which of the two.
        by: By,
        /// Which filter it answers.
        generation: u64,
        /// `None` where the counting has not caught up.
        board: Option<HealthBoard>,
    },
    /// What fires when.
    Schedules(Schedules),
    /// What the login's user was told of.
    Notifications(Notifications),
    /// How the runs stand that a bell was asked for.
    Watched(Vec<Arc<RunRow>>),
    /// Two runs.
    Comparison(ComparisonWant, Box<Compared>),
    /// One question could not be answered; the others can.
    Failed {
        /// Which.
        topic: Topic,
        /// Why, and what to do.
        trouble: Trouble,
    },
    /// No answer: the connection is being made anew.
    Lost {
        /// In a few words.
        reason: String,
    },
}

/// What the login reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// How many tenants.
    pub tenants: usize,
    /// Whether that is every tenant there is.
    pub all: bool,
    /// What can be completed while a filter is typed.
    pub words: Arc<Vocabulary>,
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

/// Who executes, and what.
#[derive(Debug, Clone, Default)]
pub struct WorkersAnswer {
    /// The workers.
    pub workers: Vec<Worker>,
    /// Runs under way, as far as the login may see them.
    pub running: Vec<Arc<RunRow>>,
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
    /// Ring the bell, with this word where the terminal shows notifications.
    Bell(String),
    /// Ask the terminal for the mouse, or leave it alone.
    Mouse(Capture),
    /// Turn to the database of this profile.
    Profile(String),
    /// A look ended then: to be remembered.
    Looked(DateTime<Utc>),
    /// These notifications were read: to be remembered.
    Read(BTreeSet<i64>),
}

/// Whether the mouse is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture {
    /// Clicks come to the console.
    On,
    /// The terminal selects text.
    Off,
}
