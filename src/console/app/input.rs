//! Keys and pasted text: to the table of keys first, else to what is being typed.

use super::{App, Effect, Overlay, Place};
use crate::keymap::{Action, Found, Key};
use crossterm::event::{Event, KeyEvent, KeyEventKind};
use tui_input::InputRequest;
use tui_input::backend::crossterm::to_input_request;

/// Characters that can be pasted at once.
const MAX_PASTED: usize = 1000;

impl App {
    pub(super) fn key(&mut self, key: KeyEvent) -> Vec<Effect> {
        if key.kind == KeyEventKind::Release {
            return Vec::new();
        }
        self.last_key_at = self.clock.now;
        // A word is about the key before: with the next one it is read.
        self.toast = None;
        let begun = self.begun.take();
        let context = self.context();
        match self.settings.keymap.find(context, begun, key) {
            Found::Action(action) => {
                let reads = matches!(action, Action::Move(_) | Action::Open);
                if reads && self.place() == Place::Notifications {
                    self.notifications.see();
                }
                let effects = self.act(action);
                if reads && self.place() == Place::Notifications {
                    self.notifications.see();
                }
                self.see();
                return effects;
            }
            Found::Begun => self.begun = Some(Key::of(key)),
            // A chord that was not ended is given up, and so is the key that did not end it.
            Found::Nothing if begun.is_some() => {}
            Found::Nothing => {
                if let Some(request) = to_input_request(&Event::Key(key)) {
                    self.edit(request);
                }
            }
        }
        Vec::new()
    }

    /// What one moved to, was looked at.
    fn see(&mut self) {
        if let Some(row) = self.runs.selected_row() {
            self.looks.see(row);
        }
    }

    /// Edits what is being typed, wherever that is.
    fn edit(&mut self, request: InputRequest) {
        if let Some(Overlay::Menu(menu)) = &mut self.overlay {
            menu.edit(request);
            self.preview();
        } else if self.overlay.is_some() {
        } else if self.detail.search.input.is_some() {
            self.edit_search(request);
        } else {
            self.filter.edit(request);
            self.offer();
        }
    }

    /// Looks for ways to go on with the filter.
    pub(super) fn offer(&mut self) {
        let live = self.live_values();
        self.filter.offer(&|field| live.values(field));
    }

    /// Pasted text is typed, as one line, and is a key nowhere.
    pub(super) fn paste(&mut self, text: &str) {
        for c in text.chars().take(MAX_PASTED) {
            let c = if c.is_control() { ' ' } else { c };
            self.edit(InputRequest::InsertChar(c));
        }
    }
}
