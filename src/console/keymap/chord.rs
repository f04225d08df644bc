//! Keys as they are written and shown: `j`, `ctrl-f`, `PgDn`, `o r`.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt;

/// One key with what is held down beside it. Shift is part of the letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    modifiers: KeyModifiers,
    code: KeyCode,
}

/// One key, or two one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chord {
    /// The first.
    pub first: Key,
    /// The one after it, where there is one.
    pub second: Option<Key>,
}

/// Names of keys that are no letters: as shown, and other ways to write them.
const NAMED: &[(&str, &[&str], KeyCode)] = &[
    ("↓", &["down"], KeyCode::Down),
    ("↑", &["up"], KeyCode::Up),
    ("←", &["left"], KeyCode::Left),
    ("→", &["right"], KeyCode::Right),
    ("Home", &[], KeyCode::Home),
    ("End", &[], KeyCode::End),
    ("PgUp", &["pageup"], KeyCode::PageUp),
    ("PgDn", &["pagedown"], KeyCode::PageDown),
    ("Enter", &["return", "⏎"], KeyCode::Enter),
    ("Esc", &["escape"], KeyCode::Esc),
    ("Tab", &[], KeyCode::Tab),
    ("BTab", &["backtab", "shift-tab"], KeyCode::BackTab),
    ("Space", &[], KeyCode::Char(' ')),
    ("Del", &["delete"], KeyCode::Delete),
    ("Ins", &["insert"], KeyCode::Insert),
    ("BSpace", &["backspace"], KeyCode::Backspace),
];

impl Key {
    /// The key of an event. Whether Shift is reported beside a capital or `?` depends on the
    /// terminal, so it is left out.
    #[must_use]
    pub fn of(event: KeyEvent) -> Self {
        Self {
            modifiers: event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT),
            code: event.code,
        }
    }

    fn parse(written: &str) -> Option<Self> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = written;
        for (prefix, modifier) in [
            ("ctrl-", KeyModifiers::CONTROL),
            ("alt-", KeyModifiers::ALT),
        ] {
            if let Some(after) = rest.strip_prefix(prefix).filter(|after| !after.is_empty()) {
                modifiers |= modifier;
                rest = after;
            }
        }
        Some(Self {
            modifiers,
            code: code(rest)?,
        })
    }
}

fn code(written: &str) -> Option<KeyCode> {
    let mut letters = written.chars();
    if let (Some(letter), None) = (letters.next(), letters.next())
        && !letter.is_control()
        && letter.is_ascii()
    {
        return Some(KeyCode::Char(letter));
    }
    let is_it = |name: &&str| name.eq_ignore_ascii_case(written);
    let named = NAMED
        .iter()
        .find(|(name, others, _)| is_it(name) || others.iter().any(|other| is_it(other)));
    if let Some((.., code)) = named {
        return Some(*code);
    }
    let number = written.strip_prefix(['F', 'f'])?.parse::<u8>().ok()?;
    (1..=12).contains(&number).then_some(KeyCode::F(number))
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            f.write_str("ctrl-")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            f.write_str("alt-")?;
        }
        match NAMED.iter().find(|(.., code)| *code == self.code) {
            Some((name, ..)) => f.write_str(name),
            None => match self.code {
                KeyCode::Char(letter) => write!(f, "{letter}"),
                KeyCode::F(number) => write!(f, "F{number}"),
                _ => f.write_str("?"),
            },
        }
    }
}

impl Chord {
    /// Reads `j`, `ctrl-f`, `PgDn` or `o r`.
    #[must_use]
    pub fn parse(written: &str) -> Option<Self> {
        let mut words = written.split(' ').filter(|word| !word.is_empty());
        let first = Key::parse(words.next()?)?;
        let second = match words.next() {
            Some(word) => Some(Key::parse(word)?),
            None => None,
        };
        words.next().is_none().then_some(Self { first, second })
    }

    /// True where pressing one would never let the other be reached.
    #[must_use]
    pub fn clashes(&self, other: &Self) -> bool {
        self.first == other.first
            && (self.second.is_none() || other.second.is_none() || self.second == other.second)
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        match self.second {
            Some(second) => write!(f, " {second}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_written() {
        for written in [
            "j", "G", "ctrl-f", "alt-x", "F5", "o r", "Space", "PgDn", "-", "ctrl--",
        ] {
            let chord = Chord::parse(written).unwrap();
            assert_eq!(chord.to_string(), written);
            assert_eq!(Chord::parse(&chord.to_string()), Some(chord));
        }
        assert_eq!(Chord::parse("down").unwrap().to_string(), "↓");
        for wrong in ["", "ctrl-", "F13", "jk", "a b c", "é", "\u{1b}"] {
            assert_eq!(Chord::parse(wrong), None, "{wrong:?}");
        }
    }
}
