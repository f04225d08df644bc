//! JSON as it is printed: the same document for whoever parses it, and nothing in it that a terminal
//! would act upon. JSON itself escapes only what lies below the blank.

use opsroom_model::clean::is_hidden;
use serde_json::Value;
use std::fmt::Write;

/// `value` on one line.
pub(super) fn line(value: &Value) -> String {
    escaped(&format!("{value}\n"))
}

/// `value` as a person reads it.
pub(super) fn page(value: &Value) -> String {
    escaped(&format!("{value:#}\n"))
}

/// Characters as these stand in strings only, where an escape means the same.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_means_the_same() {
        let all: String = (0..0x3000u32)
            .chain(0xe0000..0xe0100)
            .filter_map(char::from_u32)
            .collect();
        let value = serde_json::json!({ all.as_str(): [all, 1.5, null] });
        for text in [line(&value), page(&value)] {
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
            assert!(!text.chars().any(|c| c != '\n' && is_hidden(c)));
        }
        assert_eq!(line(&"a\u{e0041}".into()), "\"a\\udb40\\udc41\"\n");
    }
}
