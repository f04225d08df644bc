//! Writes a query back as text that reads the same.

use super::field::Field;
use super::{Condition, Pattern, Query, Sign, Term};
use std::fmt::{self, Display, Formatter};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        joined(f, &self.terms, " ")
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.sign == Sign::Minus {
            f.write_str("-")?;
        }
        self.condition.fmt(f)
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant(patterns) => list(f, &Field::Tenant, patterns),
            Self::Workspace(patterns) => list(f, &Field::Workspace, patterns),
            Self::Type(patterns) => list(f, &Field::Type, patterns),
            Self::Code(patterns) => list(f, &Field::Code, patterns),
            Self::By(patterns) => list(f, &Field::By, patterns),
            Self::Is(words) => list(f, &Field::Is, words),
            Self::Id(ids) => list(f, &Field::Id, ids),
            Self::Took(spans) => list(f, &Field::Took, spans),
            Self::Context { key, values } => list(f, &Field::Context(key.clone()), values),
            Self::Since(from) => write!(f, "{}:{from}", Field::Since),
            Self::Until(to) => write!(f, "{}:{to}", Field::Until),
            Self::Between(from, to) => write!(f, "{}:{from}..{to}", Field::Since),
            Self::Text(pattern) => {
                let text = pattern.as_str();
                let special = text.starts_with('-') || text == "OR" || text.contains(':');
                quoted(f, text, special)
            }
            Self::Group(alternatives) => {
                f.write_str("(")?;
                for (at, terms) in alternatives.iter().enumerate() {
                    if at > 0 {
                        f.write_str(" OR ")?;
                    }
                    joined(f, terms, " ")?;
                }
                f.write_str(")")
            }
        }
    }
}

impl Display for Pattern {
    /// As a value of a field, quoted where that is needed.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        quoted(f, self.as_str(), self.as_str().contains(','))
    }
}

fn list<T: Display>(f: &mut Formatter<'_>, field: &Field, values: &[T]) -> fmt::Result {
    write!(f, "{field}:")?;
    joined(f, values, ",")
}

fn joined<T: Display>(f: &mut Formatter<'_>, values: &[T], between: &str) -> fmt::Result {
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        value.fmt(f)?;
    }
    Ok(())
}

fn quoted(f: &mut Formatter<'_>, text: &str, special: bool) -> fmt::Result {
    let apart = |c: char| c.is_whitespace() || matches!(c, '"' | '(' | ')');
    if !special && !text.contains(apart) {
        return f.write_str(text);
    }
    write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
