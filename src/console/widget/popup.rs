//! A framed box over the screen.

use super::canvas::Canvas;
use crate::theme::Role;
use ratatui::layout::Rect;

/// Where a box of `wanted` columns and rows inside its frame stands on a screen of `size`, at `top`
/// rows from its upper edge, or in the middle. Where it would leave a column or two, it takes them: no
/// fragments beside it.
#[must_use]
pub fn popup(size: (u16, u16), wanted: (u16, u16), top: Option<u16>) -> Rect {
    let width = match wanted.0.saturating_add(4) {
        width if width >= size.0.saturating_sub(6) => size.0,
        width => width,
    };
    let height = wanted.1.saturating_add(2).min(size.1.saturating_sub(2));
    let middle = (size.1 - height) / 2;
    Rect {
        x: (size.0 - width) / 2,
        y: top.map_or(middle, |top| top.min(middle)),
        width,
        height,
    }
}

/// What is inside its frame.
#[must_use]
pub const fn inside(area: Rect) -> Rect {
    Rect {
        x: area.x + if area.width >= 4 { 2 } else { 0 },
        y: area.y + if area.height >= 2 { 1 } else { 0 },
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(2),
    }
}

/// Wipes `area` and draws its frame, with a title and a word at its foot.
pub fn frame(canvas: &mut Canvas<'_>, area: Rect, title: &'static str, foot: &'static str) {
    canvas.wipe(area);
    if area.width < 4 || area.height < 2 {
        return;
    }
    let glyphs = canvas.glyphs();
    let last = area.bottom() - 1;
    let row = |y: u16, x: u16, width: u16| Rect {
        x,
        y,
        width,
        height: 1,
    };
    for (y, [left, right]) in [(area.y, glyphs.corners_top), (last, glyphs.corners_bottom)] {
        canvas.repeat(row(y, area.x, area.width), glyphs.rule, Role::Faint);
        canvas.text(row(y, area.x, 1), left, Role::Faint);
        canvas.text(row(y, area.right() - 1, 1), right, Role::Faint);
    }
    for y in area.y + 1..last {
        canvas.text(row(y, area.x, 1), glyphs.upright, Role::Faint);
        canvas.text(row(y, area.right() - 1, 1), glyphs.upright, Role::Faint);
    }
    canvas.text(
        row(area.y, area.x + 2, area.width - 4),
        format!(" {title} "),
        Role::Strong,
    );
    canvas.text_right(
        row(last, area.x + 2, area.width - 4),
        format!(" {foot} "),
        Role::Muted,
    );
}
