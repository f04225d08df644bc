//! What stands behind the colon, and bare text: words, quoted or not, and what each field makes of
//! them.

use super::{Fault, Input, Misread, Parsed, here, spend_value};
use crate::ids::RunId;
use crate::query::field::{self, Field};
use crate::query::{Condition, Is, Pattern, Span, When};
use winnow::Parser;
use winnow::combinator::{opt, peek};
use winnow::token::{any, take_while};

/// A value, and where it begins.
struct Word {
    at: usize,
    /// Bytes before the text itself: the quote, where there is one.
    quote: usize,
    text: String,
}

impl Word {
    fn fault(&self, misread: Misread) -> Fault {
        Fault::at(self.at + self.quote + misread.offset, misread.message)
    }

    fn pattern(&self) -> Parsed<Pattern> {
        Pattern::new(&self.text).ok_or_else(|| {
            let control = self.text.find(char::is_control).unwrap_or(0);
            let message =
                "a control character cannot be searched for: drop it, or put * in its place";
            Fault::at(self.at + self.quote + control, message)
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Commas {
    Separate,
    AreText,
}

/// A bare word or quoted text.
pub(super) fn text(input: &mut Input<'_>) -> Parsed<Pattern> {
    word(input, Commas::AreText)?.pattern()
}

/// What `field` makes of the words that follow.
pub(super) fn condition(input: &mut Input<'_>, field: Field) -> Parsed<Condition> {
    match field {
        Field::Since | Field::Until => return time(input, &field),
        _ => {}
    }
    let words = words(input)?;
    Ok(match field {
        Field::Tenant => Condition::Tenant(each(&words, Word::pattern)?),
        Field::Workspace => Condition::Workspace(each(&words, Word::pattern)?),
        Field::Type => Condition::Type(each(&words, Word::pattern)?),
        Field::Code => Condition::Code(each(&words, Word::pattern)?),
        Field::By => Condition::By(each(&words, Word::pattern)?),
        Field::Is => Condition::Is(each(&words, is)?),
        Field::Id => Condition::Id(each(&words, run_id)?),
        Field::Context(key) => Condition::Context {
            key,
            values: each(&words, Word::pattern)?,
        },
        Field::Took | Field::Since | Field::Until => Condition::Took(each(&words, |word| {
            Span::read(&word.text).map_err(|misread| word.fault(misread))
        })?),
    })
}

fn time(input: &mut Input<'_>, field: &Field) -> Parsed<Condition> {
    let word = word(input, Commas::Separate)?;
    let read = When::read_range(&word.text).map_err(|misread| word.fault(misread))?;
    if peek(opt(',')).parse_next(input)?.is_some() {
        let message = format!("{field}: takes one time or one range, as in since:7d..24h");
        return Err(Fault::at(here(input), message));
    }
    Ok(match (read, field) {
        ((from, Some(to)), Field::Until) => {
            let message = format!("until: takes one time; for a range write since:{from}..{to}");
            return Err(Fault::at(word.at, message));
        }
        ((from, Some(to)), _) => Condition::Between(from, to),
        ((to, None), Field::Until) => Condition::Until(to),
        ((from, None), _) => Condition::Since(from),
    })
}

fn each<T>(words: &[Word], read: impl Fn(&Word) -> Parsed<T>) -> Parsed<Vec<T>> {
    words.iter().map(read).collect()
}

fn words(input: &mut Input<'_>) -> Parsed<Vec<Word>> {
    let mut words = Vec::new();
    loop {
        spend_value(input)?;
        words.push(word(input, Commas::Separate)?);
        if opt(',').parse_next(input)?.is_none() {
            return Ok(words);
        }
    }
}

fn word(input: &mut Input<'_>, commas: Commas) -> Parsed<Word> {
    let at = here(input);
    let word = if opt('"').parse_next(input)?.is_some() {
        Word {
            at,
            quote: 1,
            text: quoted(input, at)?,
        }
    } else {
        let plain = |c: char| {
            !c.is_whitespace()
                && !matches!(c, '"' | '(' | ')')
                && (c != ',' || commas == Commas::AreText)
        };
        Word {
            at,
            quote: 0,
            text: take_while(0.., plain)
                .map(str::to_owned)
                .parse_next(input)?,
        }
    };
    if word.text.is_empty() {
        return Err(Fault::at(at, "a value is missing here"));
    }
    Ok(word)
}

/// Up to the closing quote; `\"` and `\\` stand for the characters themselves.
fn quoted(input: &mut Input<'_>, opened: usize) -> Parsed<String> {
    let mut text = String::new();
    loop {
        let plain = take_while(0.., |c| c != '"' && c != '\\').parse_next(input)?;
        text.push_str(plain);
        match opt(any).parse_next(input)? {
            Some('\\') => {
                let escaped = opt(winnow::token::one_of(['"', '\\'])).parse_next(input)?;
                text.push(escaped.unwrap_or('\\'));
            }
            Some(_) => return Ok(text),
            None => {
                let message = "the quote is never closed: add a \" after the value";
                return Err(Fault::at(opened, message));
            }
        }
    }
}

fn is(word: &Word) -> Parsed<Is> {
    let text = word.text.to_lowercase();
    if text == "stuck" {
        return Ok(Is::Stuck);
    }
    text.parse().map(Is::In).map_err(|_| {
        let shown: String = word.text.chars().take(40).collect();
        let remedy = match field::nearest(&text, Is::words()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("one of {}", Is::words().collect::<Vec<_>>().join(", ")),
        };
        Fault::at(word.at, format!("'{shown}' is no state: {remedy}"))
    })
}

fn run_id(word: &Word) -> Parsed<RunId> {
    let digits = word.text.strip_prefix('#').unwrap_or(&word.text);
    let number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let id = number.then(|| digits.parse().ok()).flatten();
    id.map(RunId).ok_or_else(|| {
        let shown: String = word.text.chars().take(40).collect();
        let message = format!("'{shown}' is no run id: a number, as in id:48213");
        Fault::at(word.at, message)
    })
}
