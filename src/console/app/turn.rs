//! What comes from outside the database and outlives one: what this machine remembers, the theme, and
//! turning from one database to another.

use super::{App, Clock, Looks, Notifications, Settings, Start};
use crate::theme::{Shelf, ShelfError};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

impl App {
    /// When the last look ended and which notifications were read, as far as that is remembered.
    pub fn remember(&mut self, last_look: Option<DateTime<Utc>>, read: BTreeSet<i64>) {
        self.looks = Looks::after(last_look);
        self.notifications = Notifications::after(read);
    }

    /// Puts the theme called `name` on.
    ///
    /// # Errors
    /// Where it cannot be used; the present one is kept.
    pub fn wear(&mut self, name: &str) -> Result<(), ShelfError> {
        self.theme = self.shelf.theme(name)?;
        Ok(())
    }

    /// Turns to another database, on the same terminal and with the same filter. Nothing that the
    /// former one answered is kept.
    pub fn turn(&mut self, settings: Settings) {
        let next = Self::new(Start {
            size: self.size,
            theme: self.theme.clone(),
            shelf: self.shelf.clone(),
            glyphs: self.glyphs,
            query: self.filter.query().clone(),
            clock: Clock::new(self.clock.now, self.clock.local),
            settings,
        });
        *self = Self {
            focused: self.focused,
            mouse: self.mouse,
            ..next
        };
    }

    pub(super) fn themes_saved(&mut self, shelf: Result<Shelf, String>) {
        let shelf = match shelf {
            Ok(shelf) => shelf,
            Err(error) => return self.say(error),
        };
        match shelf.theme(self.theme.name()) {
            Ok(theme) => {
                self.theme = theme;
                self.shelf = shelf;
            }
            Err(error) => self.say(error.to_string()),
        }
    }
}
