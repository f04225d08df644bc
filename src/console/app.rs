//! What the console knows and how it changes. Pure: no clock, no terminal, no database. A key, an
//! answer or a tick goes into [`App::update`]; what is to be done outside comes back as
//! [`Effect`]s; what should be asked of the database follows from the state ([`App::wants`]).

mod clock;
mod detail;
mod filter;
mod input;
mod layout;
mod message;
mod runs;
mod wants;

pub use clock::{Clock, TimeMode};
pub use detail::{Detail, Pane, Shown};
pub use filter::Filter;
pub use layout::Areas;
pub use message::{Data, DetailAnswer, Effect, Message, Reach};
pub use runs::Runs;
pub use wants::{DetailWant, Wants};

use crate::glyphs::Glyphs;
use crate::keymap::{Action, Context};
use crate::theme::{Shelf, Theme};
use chrono::{DateTime, TimeDelta, Utc};
use opsroom_model::query::Query;
use opsroom_read::Headline;

/// Which part of the screen takes the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// The list.
    List,
    /// The detail, in its pane or over the whole screen.
    Detail,
}

/// What lies over the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlay {
    /// The keys, from this line on.
    Help {
        /// The first line shown.
        top: usize,
    },
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
    /// The list.
    pub runs: Runs,
    /// What stands above it.
    pub headline: Option<Headline>,
    /// The tenants the login reaches.
    pub reach: Option<Reach>,
    /// The filter.
    pub filter: Filter,
    /// The detail.
    pub detail: Detail,
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
            runs: Runs::default(),
            headline: None,
            reach: None,
            filter: Filter::new(start.query),
            detail: Detail::default(),
            paused: false,
            toast: None,
            shelf: start.shelf,
            focused: true,
            nudge: 0,
        }
    }

    /// Takes one message in. Never blocks and never fails.
    pub fn update(&mut self, message: Message) -> Vec<Effect> {
        let effects = match message {
            Message::Tick(now) => {
                self.clock.now = now;
                if self.toast.as_ref().is_some_and(|(_, until)| *until <= now) {
                    self.toast = None;
                }
                Vec::new()
            }
            Message::Resize(columns, rows) => {
                self.size = (columns, rows);
                Vec::new()
            }
            Message::Focus(focused) => {
                self.focused = focused;
                Vec::new()
            }
            Message::Data(data) => {
                self.take(data);
                Vec::new()
            }
            Message::Key(key) => self.key(key),
            Message::Paste(text) => {
                self.filter.paste(&text);
                Vec::new()
            }
        };
        self.settle();
        effects
    }

    /// Where the keys go.
    #[must_use]
    pub fn context(&self) -> Context {
        if self.overlay.is_some() {
            Context::Overlay
        } else if self.filter.is_open() {
            Context::Input
        } else if self.detail_takes_keys() {
            Context::Detail
        } else {
            Context::List
        }
    }

    /// Where everything stands.
    #[must_use]
    pub fn areas(&self) -> Areas {
        layout::areas(self.size, self.detail.pane, self.filter.has_row())
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
        let missed =
            TimeDelta::from_std(self.pace()).unwrap_or_default() * 2 + TimeDelta::seconds(1);
        (age > missed && !self.paused).then_some(age)
    }

    fn detail_takes_keys(&self) -> bool {
        match self.detail.pane {
            Pane::Full => true,
            Pane::Beside => self.focus == Focus::Detail && self.areas().detail.is_some(),
            Pane::Closed => false,
        }
    }

    fn take(&mut self, data: Data) {
        if !matches!(data, Data::Lost { .. }) {
            self.health = Health::Live;
            self.answered_at = Some(self.clock.now);
        }
        match data {
            Data::Page { generation, page } => {
                self.clock.learn(page.as_of);
                if generation == self.filter.generation() {
                    self.runs.take(page);
                }
            }
            Data::Headline {
                generation,
                headline,
            } => {
                if generation == self.filter.generation() {
                    self.headline = Some(headline);
                }
            }
            Data::Reach(reach) => self.reach = Some(reach),
            Data::Detail(answer) => self.detail.take(*answer),
            Data::Lost { reason } => self.health = Health::Lost { reason },
        }
    }

    /// After every message: the selection stays on the screen, the detail follows the selection.
    fn settle(&mut self) {
        let areas = self.areas();
        self.runs.keep_in_view(usize::from(areas.list.height));
        let wanted = (self.detail.pane == Pane::Full || areas.detail.is_some())
            .then(|| self.runs.selected())
            .flatten();
        self.detail.follow(wanted);
    }

    fn say(&mut self, word: impl Into<String>) {
        self.toast = Some((word.into(), self.clock.now + TimeDelta::seconds(3)));
    }

    fn next_theme(&mut self) {
        match self.shelf.after(self.theme.name()) {
            Ok(theme) => {
                self.say(format!("theme: {}", theme.name()));
                self.theme = theme;
            }
            Err(error) => self.say(error.to_string()),
        }
    }

    fn query_changed(&mut self, query: Query) {
        self.filter.set(query);
        self.runs.clear();
        self.headline = None;
    }

    fn act(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Quit => return self.quit(),
            Action::QuitNow => return vec![Effect::Quit],
            Action::Suspend => return vec![Effect::Suspend],
            Action::Redraw => return vec![Effect::Redraw],
            Action::CopyId => return self.copy_id(),
            Action::Open => self.open(),
            Action::Back => self.back(),
            Action::Filter => {
                self.uncover_list();
                self.filter.open();
            }
            Action::ToggleFailures => {
                self.uncover_list();
                self.toggle_failures();
            }
            Action::Help => self.overlay = Some(Overlay::Help { top: 0 }),
            Action::Theme => self.next_theme(),
            Action::TimeMode => {
                self.clock.mode = self.clock.mode.next();
                self.say(self.clock.mode.label());
            }
            Action::Pause => {
                self.paused = !self.paused;
                self.nudge += u64::from(!self.paused);
            }
            Action::Refresh => self.nudge += 1,
            Action::OtherPane => self.other_pane(),
            Action::Follow => {
                self.runs.follow = true;
                self.runs.select(0);
            }
            Action::NextFailed => self.runs.select_failed(runs::Way::Down),
            Action::PreviousFailed => self.runs.select_failed(runs::Way::Up),
            Action::Move(step) => self.step(step),
        }
        Vec::new()
    }
}
