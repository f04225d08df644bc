//! What a terminal gets: the sequences in it, and what it shows of it.

use opsroom_model::clean::is_hidden;
use ratatui::buffer::{Buffer, CellWidth};
use ratatui::style::{Color, Modifier};

/// Fails at the first sequence that is not the console's own, and at every character that should have
/// been made visible.
pub(super) fn assert_own_sequences(bytes: &[u8]) -> &str {
    let text = std::str::from_utf8(bytes).unwrap();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| is_hidden(c)) {
        let sequence = &rest[at..];
        let taken = own(sequence);
        let shown: String = sequence.chars().take(30).collect();
        rest = &sequence[taken.unwrap_or_else(|| panic!("not ours: {shown:?}"))..];
    }
    text
}

/// The length of the sequence that `text` begins with, where it is one of those a frame is made of.
fn own(text: &str) -> Option<usize> {
    let body = text.strip_prefix("\x1b[")?;
    let end = body.find(|c: char| !(c.is_ascii_digit() || ";?".contains(c)))?;
    let (parameters, after) = body.split_at(end);
    let known = match after.as_bytes()[0] {
        b'm' | b'H' => !parameters.contains('?'),
        b'J' => parameters == "2",
        b'h' => matches!(parameters, "?2026" | "?25"),
        b'l' => matches!(parameters, "?2026" | "?25"),
        _ => false,
    };
    known.then_some(2 + end + 1)
}

/// Fails where the terminal shows another thing than the frame. Of a symbol of several characters
/// terminals have their own idea: only what stands beside it is compared.
pub(super) fn assert_shows(screen: &vt100::Screen, frame: &Buffer) {
    for y in frame.area.rows().map(|row| row.y) {
        let mut x = 0;
        while x < frame.area.width {
            let cell = &frame[(x, y)];
            let symbol = cell.symbol();
            let wide = symbol.cell_width().max(1);
            if symbol.chars().nth(1).is_none() {
                let shown = screen.cell(y, x).unwrap();
                let same = match symbol {
                    " " => matches!(shown.contents(), "" | " "),
                    "\u{fffd}" => shown.contents() == "?",
                    symbol => shown.contents() == symbol,
                };
                assert!(
                    same && is(cell.fg, shown.fgcolor())
                        && is(cell.bg, shown.bgcolor())
                        && cell.modifier.contains(Modifier::BOLD) == shown.bold(),
                    "{x},{y}: {symbol:?} is shown as {:?}\n{:?}\n{:?}",
                    shown.contents(),
                    row(frame, y),
                    screen.rows(0, frame.area.width).nth(usize::from(y)),
                );
            }
            x += wide;
        }
    }
}

fn row(frame: &Buffer, y: u16) -> String {
    (0..frame.area.width)
        .map(|x| frame[(x, y)].symbol())
        .collect()
}

fn is(asked: Color, shown: vt100::Color) -> bool {
    match (asked, shown) {
        (Color::Rgb(r, g, b), vt100::Color::Rgb(red, green, blue)) => {
            (r, g, b) == (red, green, blue)
        }
        (Color::Reset, vt100::Color::Default) => true,
        _ => false,
    }
}
