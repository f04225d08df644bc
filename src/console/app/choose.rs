//! Menus: what is offered, what is tried on while one moves over it, what choosing does.

use super::menu::{Choice, Entry, Menu, MenuKind};
use super::{App, Effect, Overlay, Place, Sort};
use crate::keymap::{Action, TABLE};
use opsroom_model::RunId;

impl App {
    pub(super) fn view_of_slot(&mut self, slot: u8) {
        let at = self
            .settings
            .views
            .iter()
            .position(|view| view.slot == Some(slot));
        match at {
            Some(at) => self.open_view(at),
            None => self.say(format!("there is no view {slot}: name one in views.toml")),
        }
    }

    fn open_view(&mut self, at: usize) {
        let Some(view) = self.settings.views.get(at).cloned() else {
            return;
        };
        self.show_runs(view.query);
        self.go(view.place);
        self.say(format!("view: {}", view.name));
    }

    pub(super) fn open_menu(&mut self, kind: MenuKind, entries: Vec<Entry>) {
        if entries.is_empty() {
            return self.say("no run is selected");
        }
        self.overlay = Some(Overlay::Menu(Box::new(Menu::new(kind, entries))));
    }

    pub(super) fn open_themes(&mut self) {
        let names = self.shelf.names();
        let at = names.iter().position(|name| *name == self.theme.name());
        let entry = |name: &str| Entry::new(name, "", Choice::Theme(name.to_owned()));
        let mut menu = Menu::new(MenuKind::Themes, names.into_iter().map(entry).collect());
        menu.at = at.unwrap_or(0);
        menu.before = Some(self.theme.clone());
        self.overlay = Some(Overlay::Menu(Box::new(menu)));
    }

    /// The theme under the selection is tried on.
    pub(super) fn preview(&mut self) {
        let Some(Overlay::Menu(menu)) = &self.overlay else {
            return;
        };
        if let (MenuKind::Themes, Some(Choice::Theme(name))) =
            (menu.kind, menu.chosen().map(|entry| entry.choice))
            && let Ok(theme) = self.shelf.theme(&name)
        {
            self.theme = theme;
        }
    }

    pub(super) fn choose(&mut self) -> Vec<Effect> {
        let Some(Overlay::Menu(menu)) = self.overlay.take() else {
            return Vec::new();
        };
        let Some(entry) = menu.chosen() else {
            self.overlay = Some(Overlay::Menu(menu));
            return Vec::new();
        };
        match entry.choice {
            Choice::Go(place) => self.go(place),
            Choice::View(at) => self.open_view(at),
            Choice::Act(action) => return self.act(action),
            Choice::Profile(name) => return vec![Effect::Profile(name)],
            Choice::Run(id) => self.open_run(id),
            Choice::Sort(sort) => self.order(sort),
            Choice::Copy(text) => {
                self.say(format!("copied: {}", entry.label));
                return vec![Effect::Copy(text)];
            }
            Choice::Theme(name) => match self.shelf.theme(&name) {
                Ok(theme) => {
                    self.say(format!("theme: {name}"));
                    self.theme = theme;
                }
                Err(error) => self.say(error.to_string()),
            },
        }
        Vec::new()
    }

    /// One run, whichever the list has selected.
    pub(super) fn open_run(&mut self, id: RunId) {
        self.go(Place::Run);
        self.detail.pinned = Some(id);
    }

    /// Everything one can go to or do from here; never a run.
    pub(super) fn palette(&self) -> Vec<Entry> {
        let keymap = &self.settings.keymap;
        let mut entries = Vec::new();
        for place in Place::OPEN {
            let key = keymap.key_of(Action::Go(*place));
            entries.push(Entry::new(place.title(), "screen", Choice::Go(*place)).with_key(key));
        }
        for (at, view) in self.settings.views.iter().enumerate() {
            let key = view.slot.and_then(|slot| keymap.key_of(Action::View(slot)));
            entries.push(Entry::new(view.name.clone(), "view", Choice::View(at)).with_key(key));
        }
        for name in &self.settings.profiles {
            let note = match self.settings.profile.as_ref() == Some(name) {
                true => "in use",
                false => "another database",
            };
            let choice = Choice::Profile(name.clone());
            entries.push(Entry::new(format!("profile: {name}"), note, choice));
        }
        for name in self.shelf.names() {
            let choice = Choice::Theme(name.to_owned());
            entries.push(Entry::new(format!("theme: {name}"), "", choice));
        }
        for command in TABLE {
            if command.is_in_palette() && self.place().takes(command.action) {
                let choice = Choice::Act(command.action);
                let key = keymap.key_of(command.action);
                entries.push(Entry::new(command.does, command.name, choice).with_key(key));
            }
        }
        entries
    }
}

/// The orders there are.
pub(super) fn sorts() -> Vec<Entry> {
    let entry = |sort: &Sort| Entry::new(sort.label(), "", Choice::Sort(*sort));
    Sort::ALL.iter().map(entry).collect()
}
