//! What the terminal can show, as the environment says it.

use super::Ground;
use crate::glyphs::{self, Glyphs};
use crate::theme::Depth;
use std::io::IsTerminal;
use thiserror::Error;

/// What the terminal can show.
#[derive(Debug, Clone, Copy)]
pub struct Abilities {
    /// How many colours.
    pub depth: Depth,
    /// Which signs.
    pub glyphs: &'static Glyphs,
    /// What the ground is, where the environment says it.
    pub ground: Option<Ground>,
}

/// Why the console cannot be shown here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Input or output is no terminal.
    #[error(
        "the console needs a terminal: use `opsroom runs` for plain rows, `opsroom --linear` for changes line by line, `opsroom --snapshot` for one frame"
    )]
    NoTty,
    /// `TERM=dumb`.
    #[error(
        "this terminal cannot place text (TERM=dumb): use `opsroom runs` for plain rows, `opsroom --linear` for changes line by line"
    )]
    Dumb,
    /// `TERM` is not set.
    #[error(
        "this terminal is not named (TERM is unset): use `opsroom runs` for plain rows, `opsroom --linear` for changes line by line"
    )]
    Nameless,
}

impl Abilities {
    /// Reads the environment; `ascii` asks for ASCII whatever the locale says.
    #[must_use]
    pub fn detect(ascii: bool) -> Self {
        let var = |name: &str| std::env::var(name).unwrap_or_default();
        let utf8 = locale_is_utf8(&var);
        let depth = depth(&var);
        Self {
            depth,
            glyphs: match (ascii || !utf8, depth) {
                (true, _) => &glyphs::ASCII,
                (false, Depth::None) => &glyphs::UNICODE_PLAIN,
                (false, _) => &glyphs::UNICODE,
            },
            ground: ground(&var("COLORFGBG")),
        }
    }

    /// True where the terminal itself may be asked what its ground is: it has colours, nobody said
    /// it, and it is none that would show the question.
    #[must_use]
    pub fn may_be_asked(&self) -> bool {
        let term = std::env::var("TERM").unwrap_or_default();
        let mute = ["linux", "vt", "dumb", "cons", "sun"]
            .iter()
            .any(|name| term.starts_with(name));
        self.depth > Depth::None && self.ground.is_none() && !mute
    }

    /// Whether a console can be shown at all.
    ///
    /// # Errors
    /// [`Refusal`] where it cannot.
    pub fn require_screen() -> Result<(), Refusal> {
        if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
            return Err(Refusal::NoTty);
        }
        match std::env::var("TERM").as_deref() {
            Ok("dumb") => Err(Refusal::Dumb),
            Err(_) | Ok("") => Err(Refusal::Nameless),
            Ok(_) => Ok(()),
        }
    }
}

fn locale_is_utf8(var: &impl Fn(&str) -> String) -> bool {
    let named = ["LC_ALL", "LC_CTYPE", "LANG"].map(var);
    let Some(locale) = named.into_iter().find(|locale| !locale.is_empty()) else {
        return false;
    };
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

fn depth(var: &impl Fn(&str) -> String) -> Depth {
    let term = var("TERM");
    if !var("NO_COLOR").is_empty() || term.starts_with("vt") {
        return Depth::None;
    }
    if matches!(var("COLORTERM").as_str(), "truecolor" | "24bit") || term.ends_with("-direct") {
        return Depth::True;
    }
    if term.contains("256color") {
        Depth::Ansi256
    } else {
        Depth::Ansi16
    }
}

/// `COLORFGBG=0;15`: the last number is the ground; 7 and 9 to 15 are light ones.
fn ground(value: &str) -> Option<Ground> {
    let number = value.rsplit(';').next()?.parse::<u8>().ok()?;
    Some(match number {
        7 | 9..=15 => Ground::Light,
        _ => Ground::Dark,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<'a>(set: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> String + 'a {
        move |name| {
            let found = set.iter().find(|(known, _)| *known == name);
            found
                .map(|(_, value)| (*value).to_owned())
                .unwrap_or_default()
        }
    }

    #[test]
    fn colours_follow_the_environment() {
        assert_eq!(
            depth(&with(&[("COLORTERM", "truecolor"), ("NO_COLOR", "1")])),
            Depth::None
        );
        assert_eq!(depth(&with(&[("COLORTERM", "truecolor")])), Depth::True);
        assert_eq!(depth(&with(&[("TERM", "xterm-256color")])), Depth::Ansi256);
        assert_eq!(depth(&with(&[("TERM", "linux")])), Depth::Ansi16);
    }

    #[test]
    fn the_last_number_is_the_ground() {
        assert_eq!(ground("0;15"), Some(Ground::Light));
        assert_eq!(ground("15;default;0"), Some(Ground::Dark));
        assert_eq!(ground("0;default"), None);
        assert_eq!(ground(""), None);
    }

    #[test]
    fn the_first_locale_set_decides() {
        assert!(locale_is_utf8(&with(&[("LANG", "de_DE.UTF-8")])));
        assert!(!locale_is_utf8(&with(&[
            ("LANG", "de_DE.UTF-8"),
            ("LC_ALL", "C")
        ])));
        assert!(!locale_is_utf8(&with(&[])));
    }
}
