//! One table of keys. What a key does, the hints of the last row, the help and the palette all come
//! from it; a configuration may give any of its commands other keys.

mod action;
mod chord;
mod table;

pub use action::{Action, Context, Step};
pub use chord::{Chord, Key};
pub use table::{Command, Group, TABLE};

use crossterm::event::{KeyEvent, KeyEventKind};
use thiserror::Error;

/// Why keys cannot be used as they were written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeymapError {
    /// No command has that name.
    #[error("there is no command '{name}'; opsroom keys lists them")]
    UnknownCommand {
        /// The word that names none.
        name: String,
    },
    /// A key that cannot be read.
    #[error(
        "'{written}' is no key: write a letter, ctrl-x, alt-x, F1 or a name such as Enter; two keys with a blank between them"
    )]
    UnknownKey {
        /// What was written.
        written: String,
    },
    /// Two commands on one key.
    #[error("'{key}' already means '{other}' ({does}); give one of the two another key")]
    Conflict {
        /// The key.
        key: String,
        /// The other command's name.
        other: &'static str,
        /// What it does.
        does: &'static str,
    },
    /// A command without which nobody could leave.
    #[error("'{name}' must keep a key: there would be no way out")]
    NoWayOut {
        /// Which.
        name: &'static str,
    },
}

/// What a key led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// This.
    Action(Action),
    /// It begins a chord: the next key decides.
    Begun,
    /// Nothing.
    Nothing,
}

/// The keys in use: one list a command of [`TABLE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    chords: Vec<Vec<Chord>>,
}

impl Default for Keymap {
    /// The keys of the table.
    fn default() -> Self {
        let read = |command: &Command| {
            let chords = command.keys.iter().filter_map(|key| Chord::parse(key));
            chords.collect()
        };
        Self {
            chords: TABLE.iter().map(read).collect(),
        }
    }
}

impl Keymap {
    /// These keys with those of the command called `name` replaced; none takes its keys away.
    /// Conflicts are for [`Keymap::check`] to find, once all is replaced.
    ///
    /// # Errors
    /// [`KeymapError`] names the word that is wrong.
    pub fn rebind(&mut self, name: &str, keys: &[String]) -> Result<(), KeymapError> {
        let at = position(name).ok_or_else(|| KeymapError::UnknownCommand {
            name: name.chars().take(40).collect(),
        })?;
        let mut chords = Vec::with_capacity(keys.len());
        for written in keys {
            let chord = Chord::parse(written).ok_or_else(|| KeymapError::UnknownKey {
                written: written.chars().take(20).collect(),
            })?;
            chords.push(chord);
        }
        let command = &TABLE[at];
        if chords.is_empty() && matches!(command.action, Action::QuitNow | Action::Back) {
            return Err(KeymapError::NoWayOut { name: command.name });
        }
        self.chords[at] = chords;
        Ok(())
    }

    /// Whether the keys of the command called `name` mean anything else where it can be pressed, or
    /// begin a chord there.
    ///
    /// # Errors
    /// [`KeymapError::Conflict`] names the other command.
    pub fn check(&self, name: &str) -> Result<(), KeymapError> {
        let Some(at) = position(name) else {
            return Ok(());
        };
        for chord in &self.chords[at] {
            for (other, command) in TABLE.iter().enumerate() {
                let meet = |context: &Context| TABLE[at].contexts.contains(context);
                if other == at || !command.contexts.iter().any(meet) {
                    continue;
                }
                if let Some(same) = self.chords[other].iter().find(|known| known.clashes(chord)) {
                    return Err(KeymapError::Conflict {
                        key: same.to_string(),
                        other: command.name,
                        does: command.does,
                    });
                }
            }
        }
        Ok(())
    }

    /// What `key`, after `begun`, asks for in `context`.
    #[must_use]
    pub fn find(&self, context: Context, begun: Option<Key>, key: KeyEvent) -> Found {
        if key.kind == KeyEventKind::Release {
            return Found::Nothing;
        }
        let key = Key::of(key);
        let mut found = Found::Nothing;
        for (command, chords) in TABLE.iter().zip(&self.chords) {
            if !command.contexts.contains(&context) {
                continue;
            }
            for chord in chords {
                match (begun, chord.first, chord.second) {
                    (None, first, None) if first == key => return Found::Action(command.action),
                    (None, first, Some(_)) if first == key => found = Found::Begun,
                    (Some(begun), first, Some(second)) if first == begun && second == key => {
                        return Found::Action(command.action);
                    }
                    _ => {}
                }
            }
        }
        found
    }

    /// The keys of the command at `at` of [`TABLE`], as a person reads them.
    #[must_use]
    pub fn shown(&self, at: usize) -> String {
        let chords = self.chords.get(at).map(Vec::as_slice).unwrap_or_default();
        let words: Vec<_> = chords.iter().map(ToString::to_string).collect();
        words.join("  ")
    }

    /// The first key of `action`, where it has one.
    #[must_use]
    pub fn key_of(&self, action: Action) -> Option<String> {
        let at = TABLE.iter().position(|command| command.action == action)?;
        self.chords[at].first().map(ToString::to_string)
    }

    /// The hints of `context`: a key and a word each, those that matter most first.
    pub fn hints(&self, context: Context) -> impl Iterator<Item = (String, &'static str)> {
        let hinted = TABLE
            .iter()
            .zip(&self.chords)
            .filter_map(move |(command, chords)| {
                let word = command
                    .hint
                    .filter(|_| command.contexts.contains(&context))?;
                Some((command, chords.first()?.to_string(), word))
            });
        let mut hinted: Vec<_> = hinted.collect();
        hinted.sort_by_key(|(command, ..)| command.hint_rank);
        hinted.into_iter().map(|(_, key, word)| (key, word))
    }

    /// What can follow `begun` in `context`: a key and a word each.
    #[must_use]
    pub fn after(&self, context: Context, begun: Key) -> Vec<(String, &'static str)> {
        let mut found = Vec::new();
        for (command, chords) in TABLE.iter().zip(&self.chords) {
            if !command.contexts.contains(&context) {
                continue;
            }
            for chord in chords {
                if let (true, Some(second)) = (chord.first == begun, chord.second) {
                    found.push((second.to_string(), command.does));
                }
            }
        }
        found
    }
}

fn position(name: &str) -> Option<usize> {
    TABLE.iter().position(|command| command.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::{KeyCode, KeyModifiers};

    fn press(letter: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE)
    }

    #[test]
    fn every_key_of_the_table_can_be_read_and_means_one_thing() {
        let keymap = Keymap::default();
        for (command, chords) in TABLE.iter().zip(&keymap.chords) {
            assert_eq!(command.keys.len(), chords.len(), "{}", command.name);
            keymap.check(command.name).unwrap();
        }
    }

    #[test]
    fn letters_are_typed_while_a_filter_is() {
        let keymap = Keymap::default();
        for letter in "jkgGfeEtTpRyYqombIS/!?:=[] 19".chars() {
            for context in [Context::Input, Context::Menu] {
                if context == Context::Input {
                    assert_eq!(
                        keymap.find(context, None, press(letter)),
                        Found::Nothing,
                        "{letter}"
                    );
                }
            }
        }
        let shifted = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        let last = Found::Action(Action::Move(Step::Bottom));
        assert_eq!(keymap.find(Context::List, None, shifted), last);
    }

    #[test]
    fn a_chord_needs_both_its_keys() {
        let keymap = Keymap::default();
        assert_eq!(keymap.find(Context::List, None, press('o')), Found::Begun);
        let begun = Key::of(press('o'));
        let go = keymap.find(Context::List, Some(begun), press('w'));
        assert_eq!(go, Found::Action(Action::Go(crate::app::Place::Workers)));
        assert_eq!(
            keymap.find(Context::List, Some(begun), press('z')),
            Found::Nothing
        );
    }

    #[test]
    fn a_conflict_names_the_other_command() {
        let mut keymap = Keymap::default();
        keymap.rebind("pause", &["f".to_owned()]).unwrap();
        let says = keymap.check("pause").unwrap_err().to_string();
        assert!(says.contains("'f' already means 'follow'"), "{says}");
        keymap.rebind("pause", &["o".to_owned()]).unwrap();
        assert!(
            keymap.check("pause").is_err(),
            "a key that begins a chord is taken"
        );
        keymap.rebind("follow", &[]).unwrap();
        keymap.rebind("pause", &["f".to_owned()]).unwrap();
        assert_eq!(keymap.check("pause"), Ok(()));
        assert!(keymap.rebind("back", &[]).is_err());
    }
}
