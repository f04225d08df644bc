//! What the console knows and how it changes. Pure: no clock, no terminal, no database. A key, an
//! answer or a tick goes into [`App::update`]; what is to be done outside comes back as
//! [`Effect`]s; what should be asked of the database follows from the state ([`App::wants`]).

mod act;
mod bell;
mod board;
mod choose;
mod clock;
pub mod comparison;
mod cursor;
mod detail;
mod failures;
pub mod fares;
mod filter;
pub mod history;
mod input;
mod layout;
mod listing;
mod looks;
mod menu;
mod message;
mod mouse;
mod notifications;
mod open;
mod past;
mod place;
mod runs;
mod schedules;
mod search;
mod settings;
mod share;
mod sort;
mod take;
mod travel;
pub mod tree;
mod turn;
mod vocabulary;
mod wants;
mod workers;

pub use board::{Board, Moves, Named};
pub use clock::{Clock, TimeMode};
pub use comparison::{Compared, Comparison, ComparisonWant, With};
pub use cursor::Cursor;
pub use detail::{Detail, Pane, Search, Shown};
pub use failures::{Counted, Failures};
pub use fares::{Covered, Fares};
pub use filter::Filter;
pub use history::{HistoryAnswer, HistoryWant, Success};
pub use layout::Areas;
pub use listing::{Listing, Standing, Trouble};
pub use looks::Looks;
pub use menu::{Choice, Entry, Menu, MenuKind};
pub use message::{Capture, Data, DetailAnswer, Effect, Message, Reach, WorkersAnswer};
pub use notifications::{Notifications, Told};
pub use place::{Place, Stack};
pub use runs::{Covers, Runs, Way};
pub use schedules::Schedules;
pub use settings::{SavedView, Settings};
pub use sort::Sort;
pub use travel::Travel;
pub use vocabulary::Vocabulary;
pub use wants::{Again, Ask, DetailWant, Question, Topic, Wants};
pub use workers::{Row as WorkerRow, Workers};

use crate::glyphs::Glyphs;
use crate::keymap::{Context, Key};
use crate::theme::{Shelf, Theme};
use chrono::{DateTime, TimeDelta, Utc};
use opsroom_model::RunId;
use opsroom_model::query::Query;
use opsroom_read::{Headline, Point};

/// Which part of the screen takes the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// The list.
    List,
    /// The detail in its pane.
    Detail,
}

/// What lies over the screen.
#[derive(Debug, Clone)]
pub enum Overlay {
    /// The keys, from this line on.
    Help {
        /// The first line shown.
        top: usize,
    },
    /// A menu.
    Menu(Box<Menu>),
}

/// The connection, as the last answer left it.
#[derive(Debug, Clone, PartialEq)]
pub enum Health {
    /// Answers come.
    Live,
    /// They do not, for this reason.
    Lost {
        /// In a few words.
        reason: String,
    },
}

/// The whole state of the console.
#[derive(Debug)]
pub struct App {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The theme in use.
    pub theme: Theme,
    /// The signs in use.
    pub glyphs: &'static Glyphs,
    /// What a configuration may change.
    pub settings: Settings,
    /// What time it is, and how times are shown.
    pub clock: Clock,
    /// Whether answers come.
    pub health: Health,
    /// When the last answer came, by this machine's clock.
    pub answered_at: Option<DateTime<Utc>>,
    /// Who takes the keys.
    pub focus: Focus,
    /// What lies over the screen.
    pub overlay: Option<Overlay>,
    /// The first key of a chord.
    pub begun: Option<Key>,
    /// The screens.
    pub stack: Stack,
    /// The list.
    pub runs: Runs,
    /// What stands above it.
    pub headline: Option<Headline>,
    /// How the last 24 hours went, where that is known for the filter.
    pub sparkline: Option<Vec<Point>>,
    /// The tenants the login reaches.
    pub reach: Option<Reach>,
    /// The filter.
    pub filter: Filter,
    /// The detail.
    pub detail: Detail,
    /// What failed, by code.
    pub failures: Failures,
    /// How the tenants fare.
    pub tenants: Fares,
    /// How the types fare.
    pub types: Fares,
    /// Who executes.
    pub workers: Workers,
    /// What fires when.
    pub schedules: Schedules,
    /// What the login's user was told of.
    pub notifications: Notifications,
    /// Two runs beside each other.
    pub comparison: Comparison,
    /// Earlier moments of the list.
    pub travel: Travel,
    /// What changed since the last look.
    pub looks: Looks,
    /// Runs a bell was asked for.
    pub watched: Vec<RunId>,
    /// Whether the mouse is ours.
    pub mouse: Capture,
    /// True while nothing is polled.
    pub paused: bool,
    /// A word to the person, and until when.
    pub toast: Option<(String, DateTime<Utc>)>,
    shelf: Shelf,
    focused: bool,
    last_key_at: DateTime<Utc>,
    nudge: u64,
}

/// What an [`App`] begins with.
pub struct Start {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The themes there are.
    pub shelf: Shelf,
    /// The one to begin with.
    pub theme: Theme,
    /// The signs to use.
    pub glyphs: &'static Glyphs,
    /// The filter to begin with.
    pub query: Query,
    /// The time.
    pub clock: Clock,
    /// What a configuration says.
    pub settings: Settings,
}

impl App {
    /// The state before the first answer.
    #[must_use]
    pub fn new(start: Start) -> Self {
        Self {
            size: start.size,
            theme: start.theme,
            glyphs: start.glyphs,
            last_key_at: start.clock.now,
            clock: start.clock,
            health: Health::Live,
            answered_at: None,
            focus: Focus::List,
            overlay: None,
            begun: None,
            stack: Stack::default(),
            runs: Runs::default(),
            headline: None,
            sparkline: None,
            reach: None,
            filter: Filter::new(start.query),
            detail: Detail::default(),
            failures: Failures::default(),
            tenants: Fares::default(),
            types: Fares::default(),
            workers: Workers::default(),
            schedules: Schedules::default(),
            notifications: Notifications::default(),
            comparison: Comparison::default(),
            travel: Travel::default(),
            looks: Looks::default(),
            watched: Vec::new(),
            mouse: start.settings.mouse,
            paused: false,
            toast: None,
            settings: start.settings,
            shelf: start.shelf,
            focused: true,
            nudge: 0,
        }
    }

    /// Takes one message in. Never blocks and never fails.
    pub fn update(&mut self, message: Message) -> Vec<Effect> {
        let mut effects = match message {
            Message::Tick(now) => self.tick(now),
            Message::Resize(columns, rows) => {
                self.size = (columns, rows);
                Vec::new()
            }
            Message::Focus(focused) => {
                self.focused = focused;
                self.look()
            }
            Message::Data(data) => self.take(data),
            Message::Key(key) => self.key(key),
            Message::Mouse(event) => self.pointed(event),
            Message::Paste(text) => {
                self.paste(&text);
                Vec::new()
            }
            Message::Themes(shelf) => {
                self.themes_saved(shelf);
                Vec::new()
            }
        };
        self.settle();
        // Kept once per visit, not once per key; before the end of the program, not behind it.
        if (self.place() != Place::Notifications || effects.contains(&Effect::Quit))
            && let Some(read) = self.notifications.newly_read()
        {
            effects.insert(0, Effect::Read(read));
        }
        effects
    }

    /// The screen that is shown.
    #[must_use]
    pub fn place(&self) -> Place {
        self.stack.top()
    }

    /// Where the keys go.
    #[must_use]
    pub fn context(&self) -> Context {
        match &self.overlay {
            Some(Overlay::Help { .. }) => Context::Help,
            Some(Overlay::Menu(_)) => Context::Menu,
            None if self.filter.is_open() || self.detail.search.input.is_some() => Context::Input,
            None if self.detail_takes_keys() => Context::Detail,
            None => Context::List,
        }
    }

    /// Where everything stands.
    #[must_use]
    pub fn areas(&self) -> Areas {
        layout::areas(
            self.size,
            self.place(),
            self.detail.pane,
            self.filter.has_row(),
        )
    }

    /// The database's time.
    #[must_use]
    pub fn db_now(&self) -> DateTime<Utc> {
        self.clock.db_now()
    }

    /// How old what is shown is, where that needs saying.
    #[must_use]
    pub fn data_age(&self) -> Option<TimeDelta> {
        let age = self.clock.now - self.answered_at?;
        let usual = self.pace() * self.paces();
        let missed = TimeDelta::from_std(usual).unwrap_or_default() * 2 + TimeDelta::seconds(1);
        (age > missed && !self.paused).then_some(age)
    }

    /// True where the detail has the keys.
    #[must_use]
    pub fn detail_takes_keys(&self) -> bool {
        match self.place() {
            Place::Run => true,
            Place::Runs => {
                let open = self.detail.pane == Pane::Beside && self.areas().detail.is_some();
                self.focus == Focus::Detail && open
            }
            _ => false,
        }
    }

    fn tick(&mut self, now: DateTime<Utc>) -> Vec<Effect> {
        self.clock.now = now;
        if self.toast.as_ref().is_some_and(|(_, until)| *until <= now) {
            self.toast = None;
        }
        self.look()
    }

    /// A look lasts while somebody probably looks.
    fn look(&mut self) -> Vec<Effect> {
        let now = self.clock.db_time();
        if self.is_looked_at() {
            if self.answered_at.is_some() {
                self.looks.begin(now);
            }
        } else if self.looks.end(now) {
            return vec![Effect::Looked(now)];
        }
        Vec::new()
    }

    /// After every message: selections stay on the screen, the detail follows the list's.
    fn settle(&mut self) {
        let areas = self.areas();
        let height = usize::from(areas.list.height);
        match self.place() {
            Place::Runs => {
                self.runs.keep_in_view(height);
                let wanted = areas.detail.and_then(|_| self.runs.selected());
                self.detail.follow(wanted);
            }
            Place::Run => self.detail.follow(self.run_in_hand()),
            _ => {
                if let Some(list) = self.list_mut() {
                    list.keep_in_view(height);
                }
            }
        }
    }

    /// The list of the screen that is shown, where that is no list of runs.
    pub(super) fn list_mut(&mut self) -> Option<&mut dyn Moves> {
        match self.place() {
            Place::Failures => Some(&mut self.failures),
            Place::Tenants => Some(&mut self.tenants),
            Place::Types => Some(&mut self.types),
            Place::Workers => Some(&mut self.workers),
            Place::Schedules => Some(&mut self.schedules),
            Place::Notifications => Some(&mut self.notifications.board),
            Place::Runs | Place::Run | Place::Comparison => None,
        }
    }

    /// Shows a word to the person for a moment.
    pub fn say(&mut self, word: impl Into<String>) {
        self.toast = Some((word.into(), self.clock.now + TimeDelta::seconds(3)));
    }

    /// Puts another filter on.
    pub(super) fn query_changed(&mut self, query: Query) {
        self.filter.set(query);
        self.runs.clear();
        self.headline = None;
        self.sparkline = None;
        self.failures.clear();
        self.tenants.clear();
        self.types.clear();
        self.travel.clear();
        self.clock.freeze(None);
    }
}
