//! Writes a query back as text that reads the same.

use super::{Condition, Pattern, Query, Seconds, Sign, Term};
use std::fmt::{self, Display, Formatter};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, term) in self.terms.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            term.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.sign == Sign::Minus {
            f.write_str("-")?;
        }
        match &self.condition {
            Condition::Tenant(patterns) => list(f, "tenant", patterns),
            Condition::Type(patterns) => list(f, "type", patterns),
            Condition::Code(patterns) => list(f, "code", patterns),
            Condition::By(patterns) => list(f, "by", patterns),
            Condition::Is(buckets) => list(f, "is", buckets),
            Condition::Id(ids) => list(f, "id", ids),
            Condition::Since(seconds) => write!(f, "since:{seconds}"),
            Condition::Text(text) => quoted(f, text, |c| c == ':' || c == '-'),
        }
    }
}

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        quoted(f, &self.0, |c| c == ',')
    }
}

impl Display for Seconds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let units = [(604_800, 'w'), (86_400, 'd'), (3600, 'h'), (60, 'm')];
        match units
            .into_iter()
            .find(|(length, _)| self.0.is_multiple_of(*length))
        {
            Some((length, unit)) => write!(f, "{}{unit}", self.0 / length),
            None => write!(f, "{}s", self.0),
        }
    }
}

fn list<T: Display>(f: &mut Formatter<'_>, field: &str, values: &[T]) -> fmt::Result {
    write!(f, "{field}:")?;
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            f.write_str(",")?;
        }
        value.fmt(f)?;
    }
    Ok(())
}

fn quoted(f: &mut Formatter<'_>, text: &str, special: fn(char) -> bool) -> fmt::Result {
    let plain = !text.is_empty()
        && !text
            .chars()
            .any(|c| c.is_whitespace() || matches!(c, '"' | '(' | ')') || special(c));
    if plain {
        return f.write_str(text);
    }
    write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
