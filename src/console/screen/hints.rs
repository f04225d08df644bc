//! The last row: keys, what is being searched, or a word to the person.

use crate::app::{App, TimeMode};
use crate::keymap::{Context, TABLE};
use crate::theme::Role;
use crate::widget::{Canvas, Line};
use opsroom_model::Clean;
use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthStr;

/// The hint of the key that shows all keys.
const HELP: &str = "keys";

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect) -> Option<Position> {
    if let Some(input) = &app.detail.search.input {
        let prompt = canvas.text(area, " search ", Role::Accent);
        let rest = Rect {
            x: area.x + prompt,
            width: area.width.saturating_sub(prompt),
            ..area
        };
        let room = usize::from(rest.width.saturating_sub(1)).max(1);
        let scroll = input.visual_scroll(room);
        let shown: String = input.value().chars().skip(scroll).collect();
        canvas.text(rest, &Clean::new(&shown), Role::Strong);
        let cursor = u16::try_from(input.visual_cursor().max(scroll) - scroll).unwrap_or(0);
        let x = (rest.x + cursor).min(area.right().saturating_sub(1));
        return Some(Position { x, y: area.y });
    }
    if let Some(begun) = app.begun {
        let after = app.settings.keymap.after(app.context(), begun);
        line(Line::of(format!(" {begun} "), Role::Strong), after, area).draw(canvas, area);
        return None;
    }
    if let Some((word, _)) = &app.toast {
        Line::of(" ", Role::Screen)
            .and(word.clone(), Role::Strong)
            .draw(canvas, area);
        return None;
    }
    let context = app.context();
    if context == Context::Input {
        Line::of(" ", Role::Screen)
            .and(app.glyphs.enter, Role::Accent)
            .and(" apply   ", Role::Muted)
            .and("Tab", Role::Accent)
            .and(" complete   ", Role::Muted)
            .and("Esc", Role::Accent)
            .and(" leave", Role::Muted)
            .draw(canvas, area);
        return None;
    }
    let hints = app.settings.keymap.hints(context).filter(|(_, word)| {
        let is_it = |hint: Option<&str>| hint == Some(*word);
        TABLE
            .iter()
            .any(|command| is_it(command.hint) && app.place().takes(command.action))
    });
    let hints = hints.map(|(key, word)| (named(app, key), word)).collect();
    let line = line(Line::of(" ", Role::Screen), hints, area);
    match app.clock.mode {
        TimeMode::Relative => line,
        TimeMode::Local => line.and_right("local times ", Role::Muted),
        TimeMode::Utc => line.and_right("UTC ", Role::Muted),
    }
    .draw(canvas, area);
    None
}

/// The keys and words that fit; the key that shows all of them goes last.
fn line(mut line: Line, hints: Vec<(String, &'static str)>, area: Rect) -> Line {
    let needs = |(key, word): &(String, &str)| key.width() + word.len() + 4;
    let help = hints.iter().position(|(_, word)| *word == HELP);
    let (mut is_full, mut kept) = (false, help.map_or(0, |at| needs(&hints[at])));
    for (at, hint) in hints.into_iter().enumerate() {
        if help == Some(at) {
            (is_full, kept) = (false, 0);
        }
        is_full |= line.width() + needs(&hint) + kept > usize::from(area.width);
        if is_full {
            continue;
        }
        let (key, word) = hint;
        line = line
            .and(key, Role::Accent)
            .and(" ", Role::Muted)
            .and(word, Role::Muted)
            .and("   ", Role::Muted);
    }
    line
}

/// A key in the signs in use.
pub(super) fn named(app: &App, key: String) -> String {
    match key.as_str() {
        "Enter" => app.glyphs.enter.to_owned(),
        _ if !app.glyphs.ascii => key,
        _ => key
            .replace('↓', app.glyphs.down)
            .replace('↑', app.glyphs.up)
            .replace('←', "left")
            .replace('→', "right"),
    }
}
