//! Text that is safe to draw. Everything a person or another application wrote into the database
//! becomes [`Clean`] where rows are decoded; widgets accept nothing else.

use serde::{Serialize, Serializer};
use std::fmt;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Combining marks kept on one base character; what lies beyond is dropped.
const MAX_MARKS: usize = 3;

/// One line of text without a character that could move the cursor, hide, reorder or be mistaken:
/// control, C1, bidi, zero-width, tag and separator characters, and what joins nothing, stand as visible
/// escapes such as `\u{1b}`, and combining marks are capped.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Clean(String);

impl Clean {
    /// Cleans `raw`. Cleaning twice changes nothing.
    #[must_use]
    pub fn new(raw: &str) -> Self {
        Self::limited(raw, usize::MAX)
    }

    /// Cleans at most `max` characters of `raw` and marks the cut with `…`.
    #[must_use]
    pub fn limited(raw: &str, max: usize) -> Self {
        let mut out = String::with_capacity(raw.len().min(4096));
        let mut marks = MAX_MARKS;
        let mut before = '◌';
        for (at, c) in raw.chars().enumerate() {
            if at == max {
                out.push('…');
                break;
            }
            let flat = c.width() == Some(0);
            if is_hidden(c) || (flat && !joins(before, c)) {
                push_escape(&mut out, c);
                marks = 0;
                before = '}';
            } else if flat {
                if at == 0 {
                    out.push('◌');
                    marks = 0;
                }
                if marks < MAX_MARKS {
                    out.push(c);
                    marks += 1;
                    before = c;
                }
            } else {
                out.push(c);
                marks = 0;
                before = c;
            }
        }
        Self(out)
    }

    /// The text, safe to draw as it is.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Columns it takes on a terminal.
    #[must_use]
    pub fn width(&self) -> usize {
        self.0.width()
    }

    /// True where there is nothing to draw.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// True where `c`, which takes no column of its own, is drawn together with `before`. One that is not,
/// as a Hangul vowel behind a Latin letter, a terminal would put on whatever stands there.
fn joins(before: char, c: char) -> bool {
    let mut bytes = [0; 8];
    let first = before.encode_utf8(&mut bytes).len();
    let both = first + c.encode_utf8(&mut bytes[first..]).len();
    let pair = std::str::from_utf8(&bytes[..both]).unwrap_or_default();
    pair.graphemes(true).nth(1).is_none()
}

fn push_escape(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        '\r' => out.push_str("\\r"),
        _ => out.extend(c.escape_unicode()),
    }
}

/// True for characters that steer, reorder, or take no visible place of their own: what [`Clean`]
/// escapes.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}'
            | '\u{8e2}' | '\u{890}' | '\u{891}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

impl fmt::Display for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl AsRef<str> for Clean {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Clean {
    fn from(raw: &str) -> Self {
        Self::new(raw)
    }
}

impl Serialize for Clean {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steering_characters_become_visible() {
        let cases = [
            ("a\x1b[2Jb", "a\\u{1b}[2Jb"),
            ("a\u{9b}31mb", "a\\u{9b}31mb"),
            ("x\u{202e}gpj.exe", "x\\u{202e}gpj.exe"),
            ("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}"),
            ("a\u{e0041}b", "a\\u{e0041}b"),
            ("one\ntwo\tthree\r", "one\\ntwo\\tthree\\r"),
        ];
        for (raw, clean) in cases {
            assert_eq!(Clean::new(raw).as_str(), clean);
        }
    }

    #[test]
    fn ordinary_text_of_any_script_survives() {
        for text in [
            "Zoë Müller",
            "東京テナント",
            "Ελλάδα",
            "naïve e\u{301}",
            "✓ 41 %",
            "❤\u{fe0f}",
        ] {
            assert_eq!(Clean::new(text).as_str(), text);
        }
    }

    #[test]
    fn what_takes_no_column_stands_where_it_joins() {
        for joined in ["\u{1112}\u{1161}\u{11ab}", "가\u{11ab}", "각\u{11ab}"] {
            assert_eq!(Clean::new(joined).as_str(), joined);
        }
        for (hanging, clean) in [
            ("\u{1161}", "\\u{1161}"),
            ("a\u{11ab}", "a\\u{11ab}"),
            ("각\u{1161}", "각\\u{1161}"),
            ("\u{1b}\u{1161}", "\\u{1b}\\u{1161}"),
            ("a\u{11a84}", "a\\u{11a84}"),
        ] {
            assert_eq!(Clean::new(hanging).as_str(), clean);
        }
    }

    #[test]
    fn marks_are_capped_and_never_hang_in_the_air() {
        let piled = format!("e{}x", "\u{301}".repeat(200));
        assert_eq!(Clean::new(&piled).as_str().chars().count(), 2 + MAX_MARKS);
        assert_eq!(Clean::new("\u{301}a").as_str(), "◌\u{301}a");
    }

    #[test]
    fn cleaning_twice_changes_nothing() {
        let raw: String = (0..0x3000u32)
            .chain(0xe0000..0xe0200)
            .filter_map(char::from_u32)
            .collect();
        let once = Clean::new(&raw);
        assert_eq!(Clean::new(once.as_str()), once);
    }

    #[test]
    fn a_cut_is_marked() {
        assert_eq!(Clean::limited("abcdef", 3).as_str(), "abc…");
        assert_eq!(Clean::limited("abc", 3).as_str(), "abc");
    }
}
