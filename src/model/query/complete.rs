//! What could stand at the cursor. Which tenants, types, codes and people there are, is said by
//! whoever asks; here is where the cursor stands and how an offer is written.

use super::field::{CONTEXT, Field};
use super::{Is, Pattern};

/// What stands at the cursor and may be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The first character of it, counted from 0.
    pub from: usize,
    /// The character behind it.
    pub to: usize,
    /// What belongs there.
    pub expected: Expected,
    /// What was typed of it before the cursor, without quotes.
    pub prefix: String,
}

/// What belongs at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// The name of a field, or a word to search for.
    Field,
    /// A value of this field.
    Value(Field),
}

/// One way to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What to put in the place of [`Completion::from`] to [`Completion::to`].
    pub text: String,
    /// What it is, in a few words.
    pub about: String,
}

/// Where the cursor stands: before the character `cursor`, counted from 0. Takes any text, also one
/// that cannot be parsed; one pass over it.
#[must_use]
pub fn complete(text: &str, cursor: usize) -> Completion {
    let chars: Vec<char> = text.chars().collect();
    let cursor = cursor.min(chars.len());
    let place = place(&chars[..cursor]);
    let typed = &chars[place.from..cursor];
    let to = cursor + rest(&chars[cursor..], &place);
    Completion {
        from: place.from,
        to,
        expected: match place.field {
            Some(field) => Expected::Value(field),
            None => Expected::Field,
        },
        prefix: unquoted(typed),
    }
}

struct Place {
    from: usize,
    quoted: bool,
    /// Whether the one colon that may end a name was seen.
    named: bool,
    field: Option<Field>,
}

/// Reads up to the cursor: where the value begins, of which field it is.
fn place(chars: &[char]) -> Place {
    let start = |from| Place {
        from,
        quoted: false,
        named: false,
        field: None,
    };
    let mut place = start(0);
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        if place.quoted {
            match c {
                '\\' => at += 1,
                '"' => place.quoted = false,
                _ => {}
            }
        } else if c.is_whitespace() || c == '(' || c == ')' {
            place = start(at + 1);
        } else if c == '"' {
            place.quoted = true;
        } else if (c == '-' && at == place.from && place.field.is_none())
            || (c == ',' && place.field.is_some())
        {
            place.from = at + 1;
        } else if c == ':' && place.field.is_none() && !place.named {
            let name: String = chars[place.from..at].iter().collect();
            place.named = true;
            if let Some(field) = Field::named(&name) {
                place.field = Some(field);
                place.from = at + 1;
            }
        }
        at += 1;
    }
    place
}

/// How many characters behind the cursor belong to what stands there.
fn rest(chars: &[char], place: &Place) -> usize {
    let mut quoted = place.quoted;
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        match c {
            '\\' if quoted => at += 1,
            '"' => quoted = !quoted,
            ',' if !quoted && place.field.is_some() => break,
            // The colon belongs to the name that is replaced.
            ':' if !quoted && place.field.is_none() => return at + 1,
            _ if !quoted && (c.is_whitespace() || matches!(c, '(' | ')')) => break,
            _ => {}
        }
        at += 1;
    }
    // A quote that is still open reaches over all that follows, which is not what is completed.
    if quoted { 0 } else { at.min(chars.len()) }
}

fn unquoted(chars: &[char]) -> String {
    let Some(('"', inner)) = chars.split_first().map(|(first, rest)| (*first, rest)) else {
        return chars.iter().collect();
    };
    let mut text = String::new();
    let mut at = 0;
    while at < inner.len() {
        match (inner[at], inner.get(at + 1)) {
            ('\\', Some(next @ ('"' | '\\'))) => {
                text.push(*next);
                at += 1;
            }
            ('"', _) => break,
            (c, _) => text.push(c),
        }
        at += 1;
    }
    text
}

/// Values that every database has.
fn words(field: &Field) -> Vec<String> {
    let fixed: &[&str] = match field {
        Field::Is => return Is::words().map(str::to_owned).collect(),
        Field::Since => &["1h", "24h", "7d", "30d", "90d"],
        Field::Until => &["1h", "24h", "7d", "30d"],
        Field::Took => &[">1m", ">5m", ">30m", ">2h", "<1s"],
        _ => &[],
    };
    fixed.iter().map(|word| (*word).to_owned()).collect()
}

impl Completion {
    /// At most `most` ways to go on. `live` says which values of a field there are, and which keys a
    /// context has where it is asked for a context field with an empty key. Those that begin with what
    /// was typed come first, then those that have it inside; what is typed whole is not offered.
    #[must_use]
    pub fn offers(&self, live: &dyn Fn(&Field) -> Vec<String>, most: usize) -> Vec<Offer> {
        let all = match &self.expected {
            Expected::Field => fields(live),
            Expected::Value(field) => values(field, live),
        };
        let prefix = super::pattern::fold(&self.prefix);
        let mut ranked: Vec<(usize, (String, Offer))> = all
            .into_iter()
            .filter_map(|(word, offer)| {
                let word = super::pattern::fold(&word);
                let at = word.find(&prefix)?;
                let whole = word == prefix;
                (!whole).then_some((usize::from(at > 0), (word, offer)))
            })
            .collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        let kept = ranked.into_iter().take(most);
        kept.map(|(_, (_, offer))| offer).collect()
    }
}

/// A word to compare with, and its offer.
type Candidate = (String, Offer);

fn fields(live: &dyn Fn(&Field) -> Vec<String>) -> Vec<Candidate> {
    let known = Field::all().map(|field| {
        let about = format!("{}, as in {}", field.about(), field.example());
        let text = format!("{field}:");
        (field.to_string(), Offer { text, about })
    });
    let keys = live(&Field::Context(String::new())).into_iter().map(|key| {
        let name = format!("{CONTEXT}{key}");
        let offer = Offer {
            text: format!("{name}:"),
            about: "a key of the context".to_owned(),
        };
        (name, offer)
    });
    known.chain(keys).collect()
}

fn values(field: &Field, live: &dyn Fn(&Field) -> Vec<String>) -> Vec<Candidate> {
    let all = words(field).into_iter().chain(live(field));
    all.filter_map(|word| {
        let text = match field {
            Field::Is | Field::Since | Field::Until | Field::Took | Field::Id => word.clone(),
            _ => Pattern::new(&word)?.to_string(),
        };
        let about = String::new();
        Some((word, Offer { text, about }))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cursor is where the `|` stands.
    fn at(text: &str) -> Completion {
        let cursor = text.chars().position(|c| c == '|').unwrap();
        complete(&text.replace('|', ""), cursor)
    }

    #[test]
    fn the_place_of_the_cursor_is_known() {
        let value = |field| Expected::Value(field);
        for (text, from, to, expected, prefix) in [
            ("|", 0, 0, Expected::Field, ""),
            ("te|", 0, 2, Expected::Field, "te"),
            ("is:failed -ty|pe:x", 11, 16, Expected::Field, "ty"),
            ("is:|", 3, 3, value(Field::Is), ""),
            ("is:failed,pa|", 10, 12, value(Field::Is), "pa"),
            ("is:fa|iled,partial", 3, 9, value(Field::Is), "fa"),
            ("(is:failed OR te|)", 14, 16, Expected::Field, "te"),
            ("-(by:al|)", 5, 7, value(Field::By), "al"),
            ("by:\"alice m|", 3, 11, value(Field::By), "alice m"),
            ("by:\"alice m|eyer\" x", 3, 16, value(Field::By), "alice m"),
            ("by:\"a\\\"b|", 3, 8, value(Field::By), "a\"b"),
            ("é:tenant:|", 0, 9, Expected::Field, "é:tenant:"),
            (
                "context.policy_id:4|",
                18,
                19,
                value(Field::Context("policy_id".into())),
                "4",
            ),
            ("is:failed | x", 10, 10, Expected::Field, ""),
        ] {
            let completion = at(text);
            assert_eq!((completion.from, completion.to), (from, to), "{text}");
            assert_eq!(completion.expected, expected, "{text}");
            assert_eq!(completion.prefix, prefix, "{text}");
        }
    }

    #[test]
    fn offers_begin_with_what_begins_alike() {
        let live = |field: &Field| -> Vec<String> {
            let known: &[&str] = match field {
                Field::Tenant => &["Zoë & Søns", "contoso", "north-contoso", "bad\0"],
                Field::Context(key) if key.is_empty() => &["schedule_id"],
                _ => &[],
            };
            known.iter().map(|name| (*name).to_owned()).collect()
        };
        let offers = |text: &str| -> Vec<String> {
            let offers = at(text).offers(&live, 3);
            offers.into_iter().map(|offer| offer.text).collect()
        };
        assert_eq!(offers("tenant:CON|"), ["contoso", "north-contoso"]);
        assert_eq!(offers("tenant:zoë|"), ["\"Zoë & Søns\""]);
        assert_eq!(offers("t|"), ["tenant:", "type:", "took:"]);
        assert_eq!(offers("sched|"), ["context.schedule_id:"]);
        assert_eq!(offers("is:stu|"), ["stuck"]);
        assert_eq!(offers("is:stuck|"), Vec::<String>::new());
        assert_eq!(offers("took:>|"), [">1m", ">5m", ">30m"]);
    }
}
