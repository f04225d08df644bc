//! Reads the filter language. An error names the character it stands at and what would work.

use super::{Condition, Pattern, Query, Seconds, Sign, Term};
use crate::ids::RunId;
use crate::state::Bucket;
use thiserror::Error;

/// The field names, in the order they are offered.
pub const FIELDS: &[&str] = &["tenant", "type", "is", "code", "by", "id", "since"];

/// Why a text is no query.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message} (at character {})", at + 1)]
pub struct QueryError {
    /// Where, counted in characters from 0.
    pub at: usize,
    /// What is wrong and what would work, in one line.
    pub message: String,
}

/// Reads a query; blank text is the empty one.
///
/// # Errors
/// [`QueryError`] at the first character that cannot be understood.
pub fn parse(text: &str) -> Result<Query, QueryError> {
    let chars: Vec<char> = text.chars().collect();
    let mut terms = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if chars[at].is_whitespace() {
            at += 1;
            continue;
        }
        let (term, next) = term(&chars, at)?;
        terms.push(term);
        at = next;
    }
    Ok(Query { terms })
}

/// A value and the character it begins at.
struct Word {
    at: usize,
    text: String,
}

fn fail<T>(at: usize, message: impl Into<String>) -> Result<T, QueryError> {
    Err(QueryError {
        at,
        message: message.into(),
    })
}

fn term(chars: &[char], start: usize) -> Result<(Term, usize), QueryError> {
    let (sign, at) = if chars[start] == '-' {
        (Sign::Minus, start + 1)
    } else {
        (Sign::Plus, start)
    };
    if matches!(chars.get(at), Some('(' | ')')) {
        return fail(
            at,
            "groups in parentheses are not understood: separate terms with blanks, values with commas",
        );
    }
    let name: String = chars[at..]
        .iter()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '_'))
        .collect();
    let after = at + name.chars().count();
    let (condition, next) = if !name.is_empty() && chars.get(after) == Some(&':') {
        if !FIELDS.contains(&name.as_str()) {
            return fail(
                at,
                format!("there is no field '{name}': one of {}", FIELDS.join(", ")),
            );
        }
        let (words, next) = words(chars, after + 1)?;
        (field(&name, at, words)?, next)
    } else {
        let (word, next) = word(chars, at, Stop::Blank)?;
        (Condition::Text(word.text), next)
    };
    Ok((Term { sign, condition }, next))
}

#[derive(Clone, Copy, PartialEq)]
enum Stop {
    Blank,
    BlankOrComma,
}

fn words(chars: &[char], mut at: usize) -> Result<(Vec<Word>, usize), QueryError> {
    let mut words = Vec::new();
    loop {
        let (word, next) = word(chars, at, Stop::BlankOrComma)?;
        words.push(word);
        if chars.get(next) != Some(&',') {
            return Ok((words, next));
        }
        at = next + 1;
    }
}

fn word(chars: &[char], start: usize, stop: Stop) -> Result<(Word, usize), QueryError> {
    let mut text = String::new();
    let mut at = start;
    if chars.get(at) == Some(&'"') {
        at += 1;
        loop {
            match chars.get(at) {
                None => return fail(start, "the quote is never closed: add a \" after the value"),
                Some('"') => break,
                Some('\\') if matches!(chars.get(at + 1), Some('"' | '\\')) => {
                    text.push(chars[at + 1]);
                    at += 2;
                }
                Some(c) => {
                    text.push(*c);
                    at += 1;
                }
            }
        }
        at += 1;
        if chars
            .get(at)
            .is_some_and(|c| !c.is_whitespace() && (*c != ',' || stop != Stop::BlankOrComma))
        {
            return fail(at, "a blank belongs after the closing quote");
        }
    } else {
        let ends = |c: char| c.is_whitespace() || (c == ',' && stop == Stop::BlankOrComma);
        while let Some(c) = chars.get(at).copied().filter(|c| !ends(*c)) {
            text.push(c);
            at += 1;
        }
    }
    if text.is_empty() {
        return fail(start, "a value is missing here");
    }
    Ok((Word { at: start, text }, at))
}

fn field(name: &str, at: usize, words: Vec<Word>) -> Result<Condition, QueryError> {
    Ok(match name {
        "tenant" => Condition::Tenant(patterns(words)),
        "type" => Condition::Type(patterns(words)),
        "code" => Condition::Code(patterns(words)),
        "by" => Condition::By(patterns(words)),
        "is" => Condition::Is(each(words, bucket)?),
        "id" => Condition::Id(each(words, run_id)?),
        "since" => match words.as_slice() {
            [word] => Condition::Since(seconds(word)?),
            _ => return fail(at, "since: takes one length of time, as in since:24h"),
        },
        _ => {
            return fail(
                at,
                format!("there is no field '{name}': one of {}", FIELDS.join(", ")),
            );
        }
    })
}

fn patterns(words: Vec<Word>) -> Vec<Pattern> {
    words.into_iter().map(|word| Pattern(word.text)).collect()
}

fn each<T>(
    words: Vec<Word>,
    read: fn(&Word) -> Result<T, QueryError>,
) -> Result<Vec<T>, QueryError> {
    words.iter().map(read).collect()
}

fn bucket(word: &Word) -> Result<Bucket, QueryError> {
    word.text.parse().or_else(|_| {
        let known: Vec<_> = Bucket::ALL.iter().map(|bucket| bucket.as_str()).collect();
        fail(
            word.at,
            format!("'{}' is no state: one of {}", word.text, known.join(", ")),
        )
    })
}

fn run_id(word: &Word) -> Result<RunId, QueryError> {
    word.text.parse().or_else(|_| {
        fail(
            word.at,
            format!("'{}' is no run id: a number, as in id:48213", word.text),
        )
    })
}

fn seconds(word: &Word) -> Result<Seconds, QueryError> {
    const REMEDY: &str = "is no length of time: a number and s, m, h, d or w, as in since:24h";
    let digits: String = word.text.chars().take_while(char::is_ascii_digit).collect();
    let factor = match &word.text[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return fail(word.at, format!("'{}' {REMEDY}", word.text)),
    };
    match digits
        .parse::<u32>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
    {
        Some(seconds) if seconds > 0 => Ok(Seconds(seconds)),
        _ => fail(word.at, format!("'{}' {REMEDY}", word.text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_reads_back_the_same() {
        for text in [
            "tenant:contoso,fabrikam type:backup_schedule.* is:failed,partial -type:drift.generate",
            "by:\"Alice Meyer\" code:graph.throttled id:48213 since:90s throttled",
            "since:2w \"two words\" -is:succeeded",
            "tenant:\"a,b\",\"quote \\\" inside\"",
        ] {
            let query = parse(text).unwrap();
            assert_eq!(parse(&query.to_string()), Ok(query), "{text}");
        }
    }

    #[test]
    fn errors_point_at_the_character() {
        for (text, at, says) in [
            ("is:failed stat:x", 10, "no field 'stat'"),
            ("is:faild", 3, "'faild' is no state"),
            ("tenant:", 7, "missing"),
            ("tenat:", 0, "no field 'tenat'"),
            ("tenant:a,,b", 9, "missing"),
            ("tenant:\"open", 7, "never closed"),
            ("since:5", 6, "length of time"),
            ("since:99999999w", 6, "length of time"),
            ("id:x", 3, "no run id"),
            ("é (a)", 2, "groups"),
            ("-", 1, "missing"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.at, at, "{text}: {error}");
            assert!(error.message.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn no_input_panics() {
        let alphabet = [
            '-', '"', ':', ',', 'i', 's', ' ', '\\', '(', '9', 'é', '*', '\u{0}',
        ];
        for seed in 0..20_000usize {
            let text: String = (0..6)
                .map(|i| alphabet[(seed / alphabet.len().pow(i)) % alphabet.len()])
                .collect();
            if let Ok(query) = parse(&text) {
                assert_eq!(parse(&query.to_string()), Ok(query), "{text:?}");
            }
        }
    }
}
