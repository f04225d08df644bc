//! The net that keeps secrets out of stored text. It is the second net: messages are made from
//! codes and typed parameters, and no error's own text is stored. What it catches is withheld whole,
//! since half a secret is still a secret. Ids that people need (UUIDs, hashes, policy ids) survive.

use regex::RegexSet;
use serde_json::Value;
use std::sync::LazyLock;

/// What stands where a text was withheld.
pub const WITHHELD: &str = "[withheld]";

/// Shapes of secrets and of personal data. One alternative a line, so that a hit can be traced.
static SECRETS: LazyLock<RegexSet> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the patterns are constant and compiled by a test")]
    RegexSet::new([
        r"(?i)\b(bearer|basic|digest|negotiate)[:\s]+[a-z0-9._~+/=-]{8,}",
        r"\bey[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}",
        r"(?i)\b(authorization|proxy-authorization|cookie|set-cookie|x-[a-z-]*(key|token|secret))\b\s*[:=]",
        r#"(?i)(password|passwd|pwd|secret|passphrase|api[_-]?key|access[_-]?key|private[_-]?key|shared[_-]?key|pre[_-]?shared|credential|assertion|token|sig|signature)s?\\*["']?\s*([:=]|%3[ad])\s*\\*["']?[^\s"',;}\\]{3,}"#,
        r"(?i)[?&](code|key|state)=[^\s&]{8,}",
        r"[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(\.[\p{L}\p{N}-]+)*\.\p{L}{2,}",
        r"(?i)[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@",
        r"-----BEGIN [A-Z ]*(PRIVATE KEY|CERTIFICATE)",
        r"\b(AKIA|ASIA)[A-Z0-9]{16}\b",
        r"\b(gh[pousr]_|github_pat_|xox[abprs]-|sk-|sk_live_|glpat-|npm_)[A-Za-z0-9_-]{16,}",
        r"\b[A-Za-z0-9~_.-]{3}8Q~[A-Za-z0-9~_.-]{30,}",
    ])
    .expect("constant patterns compile")
});

/// JSON keys whose value is never kept, compared in lower case without `_` and `-`.
const SECRET_KEYS: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "authorization",
    "cookie",
    "apikey",
    "accesskey",
    "privatekey",
    "sharedkey",
    "presharedkey",
    "passphrase",
    "credential",
    "assertion",
    "connectionstring",
];

/// True where `text` looks like it carries a secret, a header, or an e-mail address.
#[must_use]
pub fn is_sensitive(text: &str) -> bool {
    SECRETS.is_match(text) || has_opaque_run(text)
}

/// A long unbroken run of mixed letters and digits is a key unless it is a hash or a UUID: those are
/// hexadecimal, and keys of 40 characters and more practically never are.
fn has_opaque_run(text: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-')))
        .filter(|word| word.len() >= 40)
        .any(|word| {
            let hexadecimal = word
                .bytes()
                .all(|b| b.is_ascii_hexdigit() || b == b'-' || b == b'_');
            let mixed = word.bytes().any(|b| b.is_ascii_digit())
                && word.bytes().any(|b| b.is_ascii_lowercase())
                && word.bytes().any(|b| b.is_ascii_uppercase());
            mixed && !hexadecimal
        })
}

/// `text` as one line of at most `max` characters without control characters, or `None` where it is
/// sensitive.
#[must_use]
pub fn line(text: &str, max: usize) -> Option<String> {
    if is_sensitive(text) {
        return None;
    }
    let flat: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let flat = flat.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= max {
        return Some(flat);
    }
    Some(
        flat.chars()
            .take(max.saturating_sub(1))
            .chain(['…'])
            .collect(),
    )
}

/// Where in `value` something sensitive stands, as a path such as `$.policy.password`; `None` where
/// nothing does.
#[must_use]
pub fn find_sensitive(value: &Value) -> Option<String> {
    fn walk(value: &Value, path: &mut String) -> bool {
        let before = path.len();
        match value {
            Value::String(text) => return is_sensitive(text),
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    path.push_str(&format!("[{at}]"));
                    if walk(item, path) {
                        return true;
                    }
                    path.truncate(before);
                }
            }
            Value::Object(fields) => {
                for (key, item) in fields {
                    path.push('.');
                    path.push_str(if is_sensitive(key) { WITHHELD } else { key });
                    if is_sensitive(key)
                        || (is_secret_key(key) && holds_something(item))
                        || walk(item, path)
                    {
                        return true;
                    }
                    path.truncate(before);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        false
    }
    let mut path = String::from("$");
    walk(value, &mut path).then_some(path)
}

/// `value` with everything sensitive replaced by [`WITHHELD`]; its shape stays.
#[must_use]
pub fn json(value: &Value) -> Value {
    match value {
        Value::String(text) if is_sensitive(text) => Value::from(WITHHELD),
        Value::Array(items) => items.iter().map(json).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, item)| {
                let kept = if is_sensitive(key) {
                    WITHHELD.to_owned()
                } else {
                    key.clone()
                };
                let masked = is_secret_key(key) && holds_something(item);
                (
                    kept,
                    if masked {
                        Value::from(WITHHELD)
                    } else {
                        json(item)
                    },
                )
            })
            .collect(),
        other => other.clone(),
    }
}

fn is_secret_key(key: &str) -> bool {
    let plain: String = key
        .chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect();
    SECRET_KEYS.iter().any(|secret| plain.ends_with(secret))
}

fn holds_something(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(_)) && value.as_str() != Some("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_in_their_many_coats_are_caught() {
        for text in [
            "Authorization: Bearer eyJhbGciOi.eyJzdWIi.sig",
            "got Bearer 0123456789abcdef from upstream",
            "eyJ0eXAiOiJKV1Qi.eyJhdWQi",
            "mail alice.meyer@contoso.example today",
            "postgres://ops:hunter2@db/x",
            "client_secret=abc~DEF",
            "\"password\": \"hunter2\"",
            "-----BEGIN RSA PRIVATE KEY-----",
            "AKIAABCDEFGHIJKLMNOP",
            "key Zm9vYmFyQmF6UXV4MTIzNDU2Nzg5MEFCQ0RFRkdISUpLTE0",
            "ghp_abcdefghijklmnopqrstuvwxyz0123",
            r#"{\"client_secret\":\"hunter2xyz\"}"#,
            "Bearer: abcdefghijklmnop",
            "grant?password%3Dhunter2",
            "x-functions-key: abcdef",
            "sent to ÄÖ@contoso.com",
            "https://login.example/cb?code=0.AXoAbCdEf",
        ] {
            assert!(is_sensitive(text), "{text}");
            assert_eq!(line(text, 200), None, "{text}");
        }
    }

    #[test]
    fn ids_that_people_need_survive() {
        for text in [
            "policy 29bb0a98-3475-4f5b-99fa-0ef20d6d5dac was deleted",
            "T_c723e175-c69d-4f12-9ac2-84e32422bad5",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "request-id 4f6c1f7e, HTTP 429, Retry-After 30",
            "deviceManagement/configurationPolicies",
            "token endpoint refused the client",
            "MacOS - OIB - Device Security - D - Accounts and Login - v1.0",
        ] {
            assert!(!is_sensitive(text), "{text}");
        }
    }

    #[test]
    fn a_line_is_one_short_line() {
        assert_eq!(
            line("two\nlines\u{1b}[2J", 200).as_deref(),
            Some("two lines [2J")
        );
        assert_eq!(line("abcdef", 4).as_deref(), Some("abc…"));
    }

    #[test]
    fn json_is_masked_by_key_and_by_content() {
        let value = json!({"scope": "full", "clientSecret": "x", "deep": [{"note": "Bearer abcdefgh1"}], "password": null});
        assert_eq!(
            super::json(&value),
            json!({"scope": "full", "clientSecret": WITHHELD, "deep": [{"note": WITHHELD}], "password": null})
        );
        assert_eq!(find_sensitive(&value).as_deref(), Some("$.clientSecret"));
        assert_eq!(
            find_sensitive(&json!({"a": [1, {"b": "a@b.example"}]})).as_deref(),
            Some("$.a[1].b")
        );
        assert_eq!(
            find_sensitive(&json!({"token_count": 3, "scope": "policy"})),
            None
        );
    }
}
