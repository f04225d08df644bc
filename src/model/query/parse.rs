//! Reads the filter language. An error names the character it stands at and what would work. Every
//! bound is checked before the work it bounds, so that hostile text costs no more than its length.

mod value;

use super::field::{self, Field};
use super::{Condition, MAX_CHARS, MAX_DEPTH, MAX_TERMS, MAX_VALUES, Query, Sign, Term};
use thiserror::Error;
use winnow::Parser;
use winnow::combinator::{alt, eof, opt, peek, terminated};
use winnow::error::ParserError;
use winnow::stream::{LocatingSlice, Location, Stateful};
use winnow::token::{one_of, take_while};

/// Why a text is no query.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message} (at character {})", at + 1)]
pub struct QueryError {
    /// Where, counted in characters from 0; the length of the text where something is missing at its
    /// end.
    pub at: usize,
    /// What is wrong and what would work, in one line.
    pub message: String,
}

/// Reads a query; blank text is the empty one.
///
/// # Errors
/// [`QueryError`] at the first character that cannot be understood.
pub fn parse(text: &str) -> Result<Query, QueryError> {
    if let Some((byte, _)) = text.char_indices().nth(MAX_CHARS) {
        let fault = Fault::at(byte, format!("a query has at most {MAX_CHARS} characters"));
        return Err(fault.into_error(text));
    }
    let mut input = Input {
        input: LocatingSlice::new(text),
        state: Spent::default(),
    };
    let terms = terms(&mut input, Place::Top).map_err(|fault| fault.into_error(text))?;
    Ok(Query { terms })
}

type Input<'a> = Stateful<LocatingSlice<&'a str>, Spent>;
type Parsed<T> = Result<T, Fault>;

/// What was read so far, counted against the bounds.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    terms: usize,
    values: usize,
    depth: usize,
}

/// What is wrong, at which byte. Without a message: this form does not fit, another may.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    at: usize,
    message: Option<String>,
}

/// What is wrong with a value, at which byte of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misread {
    offset: usize,
    message: String,
}

impl Misread {
    pub(super) fn whole(message: String) -> Self {
        Self { offset: 0, message }
    }

    /// The same, in what stands behind `before` and `separator`.
    pub(super) fn behind(before: &str, separator: &str) -> impl FnOnce(Self) -> Self {
        let by = before.len() + separator.len();
        move |inner| Self {
            offset: inner.offset + by,
            ..inner
        }
    }
}

impl Fault {
    fn at(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: Some(message.into()),
        }
    }

    fn into_error(self, text: &str) -> QueryError {
        let before = text.char_indices().take_while(|(byte, _)| *byte < self.at);
        QueryError {
            at: before.count(),
            message: self
                .message
                .unwrap_or_else(|| "this cannot be understood".to_owned()),
        }
    }
}

impl<'a> ParserError<Input<'a>> for Fault {
    type Inner = Self;

    fn from_input(input: &Input<'a>) -> Self {
        Self {
            at: input.current_token_start(),
            message: None,
        }
    }

    fn is_backtrack(&self) -> bool {
        self.message.is_none()
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}

fn here(input: &Input<'_>) -> usize {
    input.current_token_start()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    Group,
}

/// Terms up to the end, or in a group up to `OR` or its `)`.
fn terms(input: &mut Input<'_>, place: Place) -> Parsed<Vec<Term>> {
    let mut terms = Vec::new();
    loop {
        blanks(input)?;
        let at = here(input);
        if opt(eof).parse_next(input)?.is_some() {
            return Ok(terms);
        }
        match (place, peek(opt(end)).parse_next(input)?) {
            (_, None) => terms.push(term(input)?),
            (Place::Group, Some(_)) => return Ok(terms),
            (Place::Top, Some(End::Closed)) => {
                return Err(Fault::at(at, "there is no ( that this ) closes: drop it"));
            }
            (Place::Top, Some(End::Or)) => {
                return Err(Fault::at(
                    at,
                    "OR belongs inside parentheses, as in (is:failed OR is:stuck); \"OR\" searches for the word",
                ));
            }
        }
    }
}

/// What ends an alternative of a group.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Or,
    Closed,
}

fn end(input: &mut Input<'_>) -> Parsed<End> {
    let apart = alt((
        eof.void(),
        one_of((char::is_whitespace, '(', ')', '"')).void(),
    ));
    let or = terminated("OR", peek(apart)).value(End::Or);
    alt((')'.value(End::Closed), or)).parse_next(input)
}

fn blanks(input: &mut Input<'_>) -> Parsed<()> {
    take_while(0.., char::is_whitespace)
        .void()
        .parse_next(input)
}

fn term(input: &mut Input<'_>) -> Parsed<Term> {
    let sign = match opt('-').parse_next(input)? {
        Some(_) => Sign::Minus,
        None => Sign::Plus,
    };
    let at = here(input);
    let next = peek(opt(one_of(('-', '(', ')')))).parse_next(input)?;
    let condition = match next {
        Some('(') => group(input)?,
        Some('-') => return Err(Fault::at(at, "one - is enough: it excludes what follows")),
        Some(_) => {
            return Err(Fault::at(
                at,
                "a term is missing here, as in -type:drift.generate",
            ));
        }
        None => {
            input.state.terms += 1;
            if input.state.terms > MAX_TERMS {
                let message = format!("a query has at most {MAX_TERMS} terms: drop some");
                return Err(Fault::at(at, message));
            }
            match field_name(input)? {
                Some(field) => value::condition(input, field)?,
                None => Condition::Text(value::text(input)?),
            }
        }
    };
    apart(input)?;
    Ok(Term { sign, condition })
}

/// After a term comes a blank, the end of its group, or nothing.
fn apart(input: &mut Input<'_>) -> Parsed<()> {
    let fits = alt((eof.void(), one_of((char::is_whitespace, ')')).void()));
    match peek(opt(fits)).parse_next(input)? {
        Some(()) => Ok(()),
        None => Err(Fault::at(
            here(input),
            "a blank belongs here; quote a value that has quotes or parentheses in it, as in by:\"Bo (ops)\"",
        )),
    }
}

fn group(input: &mut Input<'_>) -> Parsed<Condition> {
    let opened = here(input);
    '('.parse_next(input)?;
    input.state.depth += 1;
    if input.state.depth > MAX_DEPTH {
        let message = format!("groups stand at most {MAX_DEPTH} deep inside each other");
        return Err(Fault::at(opened, message));
    }
    let mut alternatives = Vec::new();
    loop {
        let alternative = terms(input, Place::Group)?;
        if alternative.is_empty() {
            let message = "a term is missing here, as in (is:failed OR is:stuck)";
            return Err(Fault::at(here(input), message));
        }
        alternatives.push(alternative);
        match opt(end).parse_next(input)? {
            Some(End::Or) => {}
            Some(End::Closed) => break,
            None => {
                let message = "this parenthesis is never closed: add a ) where the group ends";
                return Err(Fault::at(opened, message));
            }
        }
    }
    input.state.depth -= 1;
    Ok(Condition::Group(alternatives))
}

/// A field's name and its colon, where they stand here.
fn field_name(input: &mut Input<'_>) -> Parsed<Option<Field>> {
    let at = here(input);
    let letter = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    let name = opt(terminated(take_while(1.., letter), ':')).parse_next(input)?;
    let Some(name) = name else {
        return Ok(None);
    };
    if let Some(field) = Field::named(name) {
        return Ok(Some(field));
    }
    if name == "context" || name == field::CONTEXT {
        return Err(Fault::at(
            at,
            "name the key of the context, as in context.schedule_id:7",
        ));
    }
    let shown: String = name.chars().take(40).collect();
    let is_text = input.starts_with('/') || name.starts_with(|c: char| c.is_ascii_digit());
    let remedy = match field::nearest(name, Field::names()) {
        Some(meant) => format!("did you mean {meant}:?"),
        None if is_text => "quote text with a colon in it, as in \"10:30\"".to_owned(),
        None => {
            let known: Vec<_> = Field::names().collect();
            format!("{}, {}KEY", known.join(", "), field::CONTEXT)
        }
    };
    Err(Fault::at(
        at,
        format!("there is no field '{shown}': {remedy}"),
    ))
}

/// Counts one more value.
fn spend_value(input: &mut Input<'_>) -> Parsed<()> {
    input.state.values += 1;
    if input.state.values > MAX_VALUES {
        let message = format!("a query has at most {MAX_VALUES} values: drop some");
        return Err(Fault::at(here(input), message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_point_at_the_character() {
        for (text, at, says) in [
            ("is:failed stat:x", 10, "no field 'stat'"),
            ("is:faild", 3, "did you mean failed"),
            ("is:failed,xyz", 10, "queued, running, succeeded"),
            ("tenant:", 7, "missing"),
            ("tenat:x", 0, "did you mean tenant:?"),
            ("tenant:a,,b", 9, "missing"),
            ("tenant:a, b", 9, "missing"),
            ("tenant:\"open", 7, "never closed"),
            ("since:5", 6, "no time"),
            ("since:99999999w", 6, "no time"),
            ("since:7d..x", 10, "no time"),
            ("since:24h,7d", 9, "one time"),
            ("since:24h..7d", 6, "earlier time first"),
            ("until:7d..1d", 6, "since:7d..24h"),
            ("took:5m", 5, "took:>5m"),
            ("took:>5", 6, "no length"),
            ("took:1m..x", 9, "no length"),
            ("took:\"1m..x\"", 10, "no length"),
            ("took:5m..1m", 5, "shorter one first"),
            ("id:x", 3, "no run id"),
            ("id:-4", 3, "no run id"),
            ("id:99999999999999999999", 3, "no run id"),
            ("context:x", 0, "context.schedule_id:7"),
            ("http://x", 0, "quote text with a colon"),
            ("at 10:30", 3, "quote text with a colon"),
            ("é )", 2, "drop it"),
            ("a OR b", 2, "inside parentheses"),
            ("(a OR )", 6, "missing"),
            ("()", 1, "missing"),
            ("(OR a)", 1, "missing"),
            ("é (a OR b", 2, "never closed"),
            ("((((((a))))))", 5, "5 deep"),
            ("a(b)", 1, "blank"),
            ("(a)b", 3, "blank"),
            ("\"a\"b", 3, "blank"),
            ("a\"b\"", 1, "blank"),
            ("-", 1, "missing"),
            ("- a", 1, "missing"),
            ("--a", 1, "one - is enough"),
            ("\"a\0b\"", 2, "control"),
            ("a\u{7}", 1, "control"),
            ("tenant:\"\"", 7, "missing"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.at, at, "{text}: {error}");
            assert!(error.message.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn bounds_are_said() {
        for (text, says) in [
            ("é".repeat(MAX_CHARS + 1), "2000 characters"),
            ("a ".repeat(MAX_TERMS + 1), "50 terms"),
            (format!("id:{}1", "1,".repeat(MAX_VALUES)), "200 values"),
        ] {
            let error = parse(&text).unwrap_err();
            assert!(error.message.contains(says), "{error}");
        }
        assert!(parse(&"a ".repeat(MAX_TERMS)).is_ok());
        assert_eq!(parse(&"é".repeat(MAX_CHARS + 1)).unwrap_err().at, MAX_CHARS);
    }
}
