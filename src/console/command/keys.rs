//! `opsroom keys`: every command, its name in a configuration, its keys.

use super::print;
use crate::exit::{Code, Failure};
use crate::keymap::{Keymap, TABLE};
use unicode_width::UnicodeWidthStr;

/// Prints the keys in use.
///
/// # Errors
/// Where the output cannot be written.
pub fn run(keymap: &Keymap) -> Result<Code, Failure> {
    let mut out = String::new();
    let mut group = None;
    for (at, command) in TABLE.iter().enumerate() {
        if group != Some(command.group) {
            if group.is_some() {
                out.push('\n');
            }
            out.push_str(&format!("# {}\n", command.group.title()));
            group = Some(command.group);
        }
        let keys = keymap.shown(at);
        let pad = " ".repeat(18_usize.saturating_sub(keys.width()));
        out.push_str(
            &format!("{:<18}{keys}{pad}{}", command.name, command.does)
                .trim_end()
                .to_owned(),
        );
        out.push('\n');
    }
    print(&out)?;
    Ok(Code::Ok)
}
