//! Whether the terminal's ground is light: asked of the terminal itself (OSC 11), with a question
//! every terminal answers behind it (DA1), so that one which does not know the first is not waited
//! for. An answer that comes too late must not be taken for keys: [`Late`] swallows it.

use crossterm::event::{Event, KeyCode, KeyModifiers};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, Write};
use std::time::{Duration, Instant};

const QUESTION: &[u8] = b"\x1b]11;?\x1b\\\x1b[c";
/// How long the first frame waits for the answer. The database is being asked meanwhile.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long a late answer may take.
const LATEST: Duration = Duration::from_secs(10);
/// Bytes of an answer, at most.
const MAX: usize = 256;

/// What the ground behind the text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// Dark.
    Dark,
    /// Light.
    Light,
}

/// How the question ended.
#[derive(Debug)]
pub struct Answer {
    /// What the terminal said, where it did.
    pub ground: Option<Ground>,
    /// What swallows the answer, where it may still come.
    pub late: Option<Late>,
}

/// Asks the terminal, which is in raw mode and of which nobody else reads. What is typed meanwhile is
/// lost.
#[must_use]
pub fn ask() -> Answer {
    let mut bytes = Vec::new();
    let whole = converse(&mut bytes).unwrap_or(false);
    Answer {
        ground: ground(&bytes),
        late: (!whole).then(Late::begin),
    }
}

fn converse(bytes: &mut Vec<u8>) -> io::Result<bool> {
    let mut out = io::stdout();
    out.write_all(QUESTION)?;
    out.flush()?;
    let input = io::stdin();
    let until = Instant::now() + PATIENCE;
    while bytes.len() < MAX {
        let left = until.saturating_duration_since(Instant::now());
        let wait = Timespec {
            tv_sec: 0,
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        let mut watched = [PollFd::new(&input, PollFlags::IN)];
        if left.is_zero() || poll(&mut watched, Some(&wait))? == 0 {
            return Ok(false);
        }
        // Past the buffer of the standard library, which would keep what it read too much.
        let mut chunk = [0; 64];
        let n = rustix::io::read(&input, &mut chunk)?;
        if n == 0 {
            return Ok(false);
        }
        bytes.extend_from_slice(&chunk[..n]);
        if is_whole(bytes) {
            return Ok(true);
        }
    }
    Ok(true)
}

/// True once the answer to the second question came: `ESC [ ? … c`.
fn is_whole(bytes: &[u8]) -> bool {
    let begun = bytes.windows(3).position(|part| part == b"\x1b[?");
    begun.is_some_and(|at| bytes[at + 3..].contains(&b'c'))
}

/// The ground, from `ESC ] 11 ; rgb:RRRR/GGGG/BBBB` of one to four digits a part.
fn ground(bytes: &[u8]) -> Option<Ground> {
    let text = String::from_utf8_lossy(bytes);
    let (_, after) = text.split_once("]11;rgb")?;
    let digits = after.trim_start_matches('a').strip_prefix(':')?;
    let end = digits.find(['\u{1b}', '\u{7}'])?;
    let mut parts = digits[..end].split('/').map(|part| {
        let most = 16_u32.checked_pow(u32::try_from(part.len()).ok()?)? - 1;
        let value = u32::from_str_radix(part, 16).ok()?;
        (1..=4)
            .contains(&part.len())
            .then(|| f64::from(value) / f64::from(most))
    });
    let mut next = || parts.next().flatten();
    let (red, green, blue) = (next()?, next()?, next()?);
    let light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    Some(if light > 0.5 {
        Ground::Light
    } else {
        Ground::Dark
    })
}

/// Swallows an answer that comes as keys, since nobody waits for it any more.
#[derive(Debug)]
pub struct Late {
    until: Instant,
    inside: bool,
}

impl Late {
    fn begin() -> Self {
        Self {
            until: Instant::now() + LATEST,
            inside: false,
        }
    }

    /// True where `event` is a part of the answer.
    pub fn swallows(&mut self, event: &Event) -> bool {
        let Event::Key(key) = event else {
            return false;
        };
        if Instant::now() > self.until {
            return false;
        }
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let part = match key.code {
            KeyCode::Char(']') if alt => {
                self.inside = true;
                return true;
            }
            // The end of it: ST, or BEL.
            KeyCode::Char('\\') if alt => std::mem::take(&mut self.inside),
            KeyCode::Char('g') if control => std::mem::take(&mut self.inside),
            KeyCode::Char(c) => self.inside && (c.is_ascii_hexdigit() || ";:/rg".contains(c)),
            _ => false,
        };
        self.inside &= part;
        part
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyEvent;

    #[test]
    fn the_ground_is_read_from_what_terminals_say() {
        for (said, light) in [
            (
                "\u{1b}]11;rgb:ffff/ffff/ffff\u{1b}\\\u{1b}[?62;c",
                Some(Ground::Light),
            ),
            ("\u{1b}]11;rgb:1c1c/1c1c/1c1c\u{7}", Some(Ground::Dark)),
            ("\u{1b}]11;rgba:00/00/00/ff\u{7}", Some(Ground::Dark)),
            ("\u{1b}]11;rgb:f/f/f\u{7}", Some(Ground::Light)),
            ("\u{1b}]11;rgb:zz/00/00\u{7}", None),
            ("\u{1b}]11;rgb:ffff/ffff", None),
            ("\u{1b}[?1;2c", None),
        ] {
            assert_eq!(ground(said.as_bytes()), light, "{said:?}");
        }
        assert!(is_whole(b"\x1b[?62;22c") && !is_whole(b"\x1b]11;rgb:c/c/c\x07\x1b[?62"));
    }

    #[test]
    fn a_late_answer_is_no_key_and_keys_after_it_are() {
        let key = |c, modifiers| Event::Key(KeyEvent::new(KeyCode::Char(c), modifiers));
        for end in [
            key('\\', KeyModifiers::ALT),
            key('g', KeyModifiers::CONTROL),
        ] {
            let mut late = Late::begin();
            assert!(!late.swallows(&key('1', KeyModifiers::NONE)));
            assert!(late.swallows(&key(']', KeyModifiers::ALT)));
            for c in "11;rgb:ffff/0a1b/ffff".chars() {
                assert!(late.swallows(&key(c, KeyModifiers::NONE)), "{c}");
            }
            assert!(late.swallows(&end));
            assert!(!late.swallows(&key('1', KeyModifiers::NONE)));
        }
        let mut late = Late::begin();
        assert!(late.swallows(&key(']', KeyModifiers::ALT)));
        assert!(
            !late.swallows(&key('j', KeyModifiers::NONE)),
            "what is no part of it ends it"
        );
        assert!(!late.swallows(&key('1', KeyModifiers::NONE)));
    }
}
