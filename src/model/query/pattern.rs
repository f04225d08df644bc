//! Values with `*` in them, and how text is compared.
//!
//! Names are compared without regard to case, letter by letter: a letter whose lower case is one
//! letter counts as that letter. This rule needs no locale, so that the database, whatever its own,
//! can be made to agree with it ([`others_of`]).

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// A value in which `*` stands for any text, also none. Never empty, without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern; several `*` in a row are one. `None` where the text is empty or has control
    /// characters, which nothing stored has.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        if text.is_empty() || text.contains(char::is_control) {
            return None;
        }
        let mut kept = String::with_capacity(text.len());
        for c in text.chars() {
            if c != '*' || !kept.ends_with('*') {
                kept.push(c);
            }
        }
        Some(Self(kept))
    }

    /// The pattern as typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The pattern as it is compared without regard to case.
    #[must_use]
    pub fn folded(&self) -> String {
        fold(&self.0)
    }

    /// The literal value, where there is no `*` in it.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        (!self.0.contains('*')).then_some(self.0.as_str())
    }

    /// True where `text` as a whole fits, without regard to case.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        glob(self.folded().as_bytes(), fold(text).as_bytes())
    }

    /// True where `text` as a whole fits to the letter.
    #[must_use]
    pub fn matches_exactly(&self, text: &str) -> bool {
        glob(self.0.as_bytes(), text.as_bytes())
    }

    /// True where a part of `text` fits, without regard to case.
    #[must_use]
    pub fn occurs_in(&self, text: &str) -> bool {
        glob(
            format!("*{}*", self.folded()).as_bytes(),
            fold(text).as_bytes(),
        )
    }

    /// True where a person's name fits as a whole, or by its first or last words: `alice` fits
    /// Alice Meyer.
    #[must_use]
    pub fn fits_name(&self, name: &str) -> bool {
        let (pattern, name) = (self.folded(), fold(name));
        [
            pattern.clone(),
            format!("{pattern} *"),
            format!("* {pattern}"),
        ]
        .iter()
        .any(|form| glob(form.as_bytes(), name.as_bytes()))
    }
}

/// Several patterns, made ready to be asked of many texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnyOf {
    literals: HashSet<String>,
    globs: Vec<String>,
}

impl AnyOf {
    /// Fits what one of `patterns` fits.
    #[must_use]
    pub fn new(patterns: &[Pattern]) -> Self {
        let (literals, globs): (Vec<_>, _) =
            patterns.iter().partition(|one| one.literal().is_some());
        Self {
            literals: literals.into_iter().map(Pattern::folded).collect(),
            globs: globs.into_iter().map(Pattern::folded).collect(),
        }
    }

    /// As [`Pattern::matches`].
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let text = fold(text);
        let fits = |pattern: &String| glob(pattern.as_bytes(), text.as_bytes());
        self.literals.contains(&text) || self.globs.iter().any(fits)
    }
}

/// `text`, each letter whose lower case is one letter as that one.
#[must_use]
pub fn fold(text: &str) -> String {
    text.chars().map(fold_char).collect()
}

fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// The letters beyond ASCII that are compared as letters of `folded`, each with the letter it counts
/// as: what `translate()` in the database needs after it lowered the ASCII letters.
#[must_use]
pub fn others_of(folded: &str) -> Vec<(char, char)> {
    let mut letters: Vec<char> = folded.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    let others = |c: char| OTHERS.get(&c).into_iter().flatten().map(move |o| (*o, c));
    letters.into_iter().flat_map(others).collect()
}

/// Lower-case letter → the letters beyond ASCII that fold to it.
static OTHERS: LazyLock<HashMap<char, Vec<char>>> = LazyLock::new(|| {
    let mut others: HashMap<char, Vec<char>> = HashMap::new();
    for c in '\u{80}'..='\u{1ffff}' {
        let folded = fold_char(c);
        if folded != c {
            others.entry(folded).or_default().push(c);
        }
    }
    others
});

/// Matching of `*` without recursion: on a mismatch, the last star takes one byte more.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                last_star = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match last_star {
                Some((star, taken)) => {
                    last_star = Some((star, taken + 1));
                    p = star + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text).unwrap()
    }

    #[test]
    fn globs_match_whole_values() {
        let fits = |text: &str, value: &str| pattern(text).matches(value);
        assert!(fits("backup_schedule.*", "backup_schedule.run_now"));
        assert!(fits("*.sync", "inventory.sync"));
        assert!(fits("CONTOSO", "contoso"));
        assert!(fits("*a*b*", "xxaxxbxx"));
        assert!(!fits("contoso", "contoso ltd"));
        assert!(!fits("*.sync", "inventory.sync2"));
        assert!(!fits(&"*a".repeat(30), &"a".repeat(29)));
        assert!(fits("zoë*", "ZOË & SØNS"));
        assert!(!fits("zoe", "Zoë"));
    }

    #[test]
    fn names_fit_by_first_and_last_word() {
        let fits = |text: &str| pattern(text).fits_name("Mary Ann O'Neil");
        assert!(fits("mary") && fits("o'neil") && fits("mary ann") && fits("mary*"));
        assert!(!fits("ann") && !fits("mar") && fits("*ann*"));
    }

    #[test]
    fn what_cannot_be_stored_is_no_pattern() {
        assert_eq!(Pattern::new(""), None);
        assert_eq!(Pattern::new("a\0"), None);
        assert_eq!(pattern("a***b**").as_str(), "a*b*");
    }

    #[test]
    fn every_letter_that_folds_is_known_from_both_sides() {
        assert_eq!(others_of("é1é"), [('É', 'é')]);
        assert_eq!(others_of("k"), [('\u{212a}', 'k')]);
        for c in '\u{80}'..'\u{3000}' {
            let folded = fold_char(c);
            assert_eq!(
                folded != c,
                others_of(&folded.to_string()).contains(&(c, folded)),
                "{c}"
            );
        }
    }
}
