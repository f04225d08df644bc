//! The one filter language, as values: what the bar, saved views and `-q` mean. How it becomes SQL
//! is `opsroom-read`'s business. docs/queries.md is its reference.
//!
//! A space between terms is AND, a comma inside a field is OR, `( … OR … )` is OR between terms, `-`
//! before a term or a group negates it, `*` in a value stands for any text, double quotes keep
//! blanks, commas and parentheses together.
//!
//! | module | one idea |
//! |---|---|
//! | [`field`] | the names before the colon |
//! | [`pattern`] | values with `*`, and how text is compared |
//! | [`time`] | lengths, moments and ranges of them |
//! | [`mod@parse`] | from text, with errors that point at the character |
//! | `print` | to text that reads the same |
//! | [`mod@complete`] | what could stand at the cursor |
//! | [`eval`] | what a query says of one run: its meaning |
//! | [`arms`] | a query without groups, as a list of alternatives |

pub mod arms;
pub mod complete;
pub mod eval;
pub mod field;
pub mod parse;
pub mod pattern;
mod print;
pub mod time;

pub use complete::{Completion, Expected, complete};
pub use eval::RunFacts;
pub use field::Field;
pub use parse::{QueryError, parse};
pub use pattern::Pattern;
pub use time::{Length, Span, When};

use crate::ids::RunId;
use crate::state::Bucket;
use std::fmt;

/// Characters a query may have.
pub const MAX_CHARS: usize = 2_000;
/// Terms a query may have, those inside groups among them.
pub const MAX_TERMS: usize = 50;
/// Values a query may have, over all its terms.
pub const MAX_VALUES: usize = 200;
/// Groups inside each other, at most.
pub const MAX_DEPTH: usize = 5;

/// A filter: every term must hold. The empty query holds for every run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// In the order they were written.
    pub terms: Vec<Term>,
}

/// One condition, asked for or excluded.
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

/// What a term says of a run. Lists hold where any of their values does and are never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `tenant:contoso,fab*`: the tenant's name.
    Tenant(Vec<Pattern>),
    /// `workspace:emea`: the name of the tenant's workspace.
    Workspace(Vec<Pattern>),
    /// `type:backup_schedule.*`.
    Type(Vec<Pattern>),
    /// `is:failed,stuck`.
    Is(Vec<Is>),
    /// `code:graph.throttled`: any of the run's failure codes.
    Code(Vec<Pattern>),
    /// `by:alice`: the initiator's name, or its first or last words.
    By(Vec<Pattern>),
    /// `id:48213`.
    Id(Vec<RunId>),
    /// `since:24h`: created then or later.
    Since(When),
    /// `until:2026-07-01`: created before; a day counts to its end.
    Until(When),
    /// `since:2026-07-01..2026-07-05`: both of the above.
    Between(When, When),
    /// `took:>5m`: how long it ran; of a running run, so far.
    Took(Vec<Span>),
    /// `context.policy_id:"…"`: a key of the context that its operation declares searchable.
    Context {
        /// The key, as the operation names it.
        key: String,
        /// The values, compared with regard to case.
        values: Vec<Pattern>,
    },
    /// A bare word or quoted text: it occurs in the type, the tenant, the initiator or a code.
    Text(Pattern),
    /// `( … OR … )`: all terms of any of the alternatives, none of which is empty.
    Group(Vec<Vec<Term>>),
}

/// What `is:` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    /// The run is in this bucket.
    In(Bucket),
    /// The diagnosis says that it does not move.
    Stuck,
}

impl Is {
    /// Every word that `is:` takes.
    pub fn words() -> impl Iterator<Item = &'static str> {
        let buckets = Bucket::ALL.iter().map(|bucket| bucket.as_str());
        buckets.chain(std::iter::once("stuck"))
    }
}

impl fmt::Display for Is {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::In(bucket) => bucket.fmt(f),
            Self::Stuck => f.write_str("stuck"),
        }
    }
}

impl Query {
    /// True where nothing is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Without its last term: what `Esc` peels off. A group is one term.
    #[must_use]
    pub fn without_last(mut self) -> Self {
        self.terms.pop();
        self
    }

    /// Its terms as text, one chip each.
    pub fn chips(&self) -> impl Iterator<Item = String> {
        self.terms.iter().map(Term::to_string)
    }

    /// True where it names times or ids, not negated, wherever in it: then the default window of 30
    /// days does not hold.
    #[must_use]
    pub fn sets_window(&self) -> bool {
        let mut found = false;
        self.visit(&mut |sign, condition| {
            let sets = matches!(
                condition,
                Condition::Since(_)
                    | Condition::Until(_)
                    | Condition::Between(..)
                    | Condition::Id(_)
            );
            found |= sets && sign == Sign::Plus;
        });
        found
    }

    /// True where it asks for the diagnosis, in whatever way.
    #[must_use]
    pub fn asks_for_stuck(&self) -> bool {
        let mut found = false;
        self.visit(&mut |_, condition| {
            found |= matches!(condition, Condition::Is(list) if list.contains(&Is::Stuck));
        });
        found
    }

    /// True where runs come to fit it, or cease to, by the passing of time alone: nothing is written
    /// then. Leaving a window that reaches up to now does not count.
    #[must_use]
    pub fn moves_with_time(&self) -> bool {
        let mut found = self.asks_for_stuck();
        self.visit(&mut |sign, condition| {
            found |= match condition {
                Condition::Took(_) => true,
                Condition::Until(When::Ago(_)) | Condition::Between(_, When::Ago(_)) => true,
                Condition::Since(When::Ago(_)) => sign == Sign::Minus,
                _ => false,
            };
        });
        found
    }

    /// Every condition but groups, with the sign that follows from all groups around it.
    fn visit(&self, see: &mut dyn FnMut(Sign, &Condition)) {
        visit(&self.terms, Sign::Plus, see);
    }
}

fn visit(terms: &[Term], around: Sign, see: &mut dyn FnMut(Sign, &Condition)) {
    for term in terms {
        let sign = around.times(term.sign);
        match &term.condition {
            Condition::Group(alternatives) => {
                for terms in alternatives {
                    visit(terms, sign, see);
                }
            }
            condition => see(sign, condition),
        }
    }
}

impl Sign {
    /// The other one.
    #[must_use]
    pub const fn flipped(self) -> Self {
        match self {
            Self::Plus => Self::Minus,
            Self::Minus => Self::Plus,
        }
    }

    /// The sign of a sign.
    #[must_use]
    pub const fn times(self, other: Self) -> Self {
        match self {
            Self::Plus => other,
            Self::Minus => other.flipped(),
        }
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

    /// The same condition, asked for where it was excluded and the other way round.
    #[must_use]
    pub fn negated(mut self) -> Self {
        self.sign = self.sign.flipped();
        self
    }
}

#[cfg(test)]
mod tests;
