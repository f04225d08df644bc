//! The one filter language, as values: what the bar, saved views and `-q` mean. Reading text is in
//! [`parse`], writing it back in [`Display`](std::fmt::Display); how it becomes SQL is
//! `opsroom-read`'s business.
//!
//! A space between terms is AND, a comma inside a field is OR, `-` before a term negates it, `*` in
//! a value stands for any text, double quotes keep blanks and commas together.

mod parse;
mod print;

pub use parse::{FIELDS, QueryError, parse};

use crate::ids::RunId;
use crate::state::Bucket;

/// A filter: every term must hold. The empty query holds for every run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// In the order they were written.
    pub terms: Vec<Term>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Whether the condition must hold or must not.
    pub sign: Sign,
    /// The condition.
    pub condition: Condition,
}

/// Whether a condition is asked for or excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// The condition must hold.
    Plus,
    /// The condition must not hold.
    Minus,
}

/// What a term says of a run. Lists hold for any of their values and are never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `tenant:contoso,fab*`, by name, without regard to case.
    Tenant(Vec<Pattern>),
    /// `type:backup_schedule.*`.
    Type(Vec<Pattern>),
    /// `is:failed,partial`.
    Is(Vec<Bucket>),
    /// `code:graph.throttled`.
    Code(Vec<Pattern>),
    /// `by:alice`, the initiator's name, without regard to case.
    By(Vec<Pattern>),
    /// `id:48213`.
    Id(Vec<RunId>),
    /// `since:24h`: created within that many seconds.
    Since(Seconds),
    /// A bare word: it occurs in the type, the tenant, the initiator or a code.
    Text(String),
}

/// A length of time, in seconds, at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub u32);

/// A value in which `*` stands for any text, also none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// The pattern as typed; never empty.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The literal value, where there is no `*` in it.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        (!self.0.contains('*')).then_some(self.0.as_str())
    }

    /// True where `text` as a whole fits, without regard to ASCII case.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        glob(
            self.0.to_lowercase().as_bytes(),
            text.to_lowercase().as_bytes(),
        )
    }
}

/// Linear matching of `*`: on a mismatch, the last star takes one byte more.
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

impl Query {
    /// True where nothing is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Without its last term: what `Esc` peels off.
    #[must_use]
    pub fn without_last(mut self) -> Self {
        self.terms.pop();
        self
    }
}

impl Term {
    /// A condition that must hold.
    #[must_use]
    pub const fn plus(condition: Condition) -> Self {
        Self {
            sign: Sign::Plus,
            condition,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_values() {
        let fits = |pattern: &str, text: &str| Pattern(pattern.into()).matches(text);
        assert!(fits("backup_schedule.*", "backup_schedule.run_now"));
        assert!(fits("*.sync", "inventory.sync"));
        assert!(fits("CONTOSO", "contoso"));
        assert!(fits("*a*b*", "xxaxxbxx"));
        assert!(!fits("contoso", "contoso ltd"));
        assert!(!fits("*.sync", "inventory.sync2"));
        assert!(!fits(&"*a".repeat(30), &"a".repeat(29)));
    }
}
