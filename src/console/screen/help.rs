//! The keys, from the table that drives them.

use crate::keymap;
use crate::theme::Role;
use crate::widget::{Canvas, Line};
use ratatui::layout::Rect;

pub(super) fn draw(canvas: &mut Canvas<'_>, top: usize) {
    let screen = canvas.area();
    let width = screen.width.saturating_sub(4).min(66);
    let lines = u16::try_from(keymap::help_lines()).unwrap_or(u16::MAX);
    let height = (lines + 2).min(screen.height.saturating_sub(2));
    let area = Rect {
        x: (screen.width - width) / 2,
        y: (screen.height - height) / 2,
        width,
        height,
    };
    canvas.wipe(area);
    frame(canvas, area);
    let inner = Rect {
        x: area.x + 2,
        width: area.width.saturating_sub(4),
        y: area.y + 1,
        height: 1,
    };
    let shown = usize::from(height.saturating_sub(2));
    if top + shown < keymap::help_lines() {
        let foot = Rect {
            y: area.bottom().saturating_sub(1),
            height: 1,
            width: area.width.saturating_sub(20),
            x: area.x + 2,
        };
        canvas.text(foot, " j more ", Role::Accent);
    }
    for (y, binding) in (inner.y..).zip(keymap::help().skip(top).take(shown)) {
        Line::of(format!("{:<14}", binding.shown), Role::Accent)
            .and(binding.does, Role::Screen)
            .draw(canvas, Rect { y, ..inner });
    }
}

fn frame(canvas: &mut Canvas<'_>, area: Rect) {
    if area.width < 2 || area.height < 2 {
        return;
    }
    let (rule, upright) = (canvas.glyphs().rule, canvas.glyphs().upright);
    let last = area.bottom() - 1;
    for y in area.top()..area.bottom() {
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        if y == area.top() || y == last {
            canvas.repeat(row, rule, Role::Faint);
        } else {
            canvas.text(Rect { width: 1, ..row }, upright, Role::Faint);
            canvas.text(
                Rect {
                    x: area.right() - 1,
                    width: 1,
                    ..row
                },
                upright,
                Role::Faint,
            );
        }
    }
    let title = Rect {
        x: area.x + 2,
        width: area.width.saturating_sub(3),
        height: 1,
        ..area
    };
    canvas.text(title, " keys ", Role::Strong);
    let foot = Rect {
        y: last,
        height: 1,
        ..area
    };
    canvas.text_right(
        Rect {
            width: area.width.saturating_sub(2),
            ..foot
        },
        " Esc closes ",
        Role::Muted,
    );
}
