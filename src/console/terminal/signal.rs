//! What is written to the terminal beside frames: the bell, and whose the mouse is.

use crate::app::Capture;
use opsroom_model::Clean;
use std::io::{self, Write};

/// Rings, and shows `word` as a notification where the terminal knows OSC 9.
///
/// # Errors
/// Where the terminal cannot be written to.
pub fn ring(out: &mut (impl Write + ?Sized), word: &str) -> io::Result<()> {
    // Only what can end no sequence goes into one. A leading digit would be another command of OSC 9.
    let word = Clean::limited(word, 120);
    write!(
        out,
        "\x07\x1b]9;{}\x07",
        word.as_str()
            .trim_start_matches(|c: char| c.is_ascii_digit())
    )?;
    out.flush()
}

/// Asks for clicks and the wheel (1000) in a form without a limit of columns (1006), or for nothing.
/// Motion is not asked for: it would cost a write for every column the mouse crosses.
///
/// # Errors
/// Where the terminal cannot be written to.
pub fn capture_mouse(out: &mut (impl Write + ?Sized), capture: Capture) -> io::Result<()> {
    out.write_all(match capture {
        Capture::On => b"\x1b[?1000h\x1b[?1006h",
        Capture::Off => b"\x1b[?1006l\x1b[?1000l",
    })?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_cannot_end_early_nor_become_another_command() {
        let mut out = Vec::new();
        ring(&mut out, "4;x\u{7}\u{9c}\u{1b}\\y").unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text.matches(['\u{7}', '\u{1b}', '\u{9c}']).count(),
            3,
            "{text:?}"
        );
        assert!(text.contains("]9;;x"), "{text:?}");
    }
}
