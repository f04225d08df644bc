//! Colours, apart from text: each state has its own, and what is stale has none.

use crate::stage::{buffer, live, press, tell};
use opsroom_console::app::Data;
use opsroom_console::theme::{Depth, Role, Shelf};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// The first cell of `text` on the screen.
fn cell<'a>(buffer: &'a Buffer, text: &str) -> &'a Cell {
    for y in 0..buffer.area.height {
        let row: String = (0..buffer.area.width)
            .map(|x| buffer[(x, y)].symbol())
            .collect();
        if let Some(at) = row.find(text) {
            let x = row[..at].chars().count();
            return &buffer[(u16::try_from(x).unwrap(), y)];
        }
    }
    panic!("'{text}' is not on the screen");
}

#[test]
fn each_state_has_its_own_colour() {
    let app = live(200, 60);
    let buffer = buffer(&app);
    for (word, role) in [
        ("● running  ", Role::Running),
        ("✗ failed  ", Role::Failed),
        ("▲ stuck  ", Role::Stuck),
        ("✓ ", Role::Succeeded),
    ] {
        assert_eq!(
            Some(cell(&buffer, word).fg),
            app.theme.style(role).fg,
            "{word}"
        );
    }
}

#[test]
fn the_selected_row_has_weight_and_a_quiet_ground() {
    let app = live(80, 24);
    let buffer = buffer(&app);
    let selected = cell(&buffer, "restore.execute");
    assert!(selected.modifier.contains(Modifier::BOLD));
    assert_eq!(Some(selected.bg), app.theme.style(Role::Selected).bg);
    assert!(
        !cell(&buffer, "backup_schedule")
            .modifier
            .contains(Modifier::BOLD)
    );
}

#[test]
fn stale_data_is_dimmed_and_the_banner_is_not() {
    let mut app = live(120, 40);
    tell(&mut app, Data::Lost { reason: "x".into() });
    let buffer = buffer(&app);
    let faint = app.theme.style(Role::Faint).fg;
    assert_eq!(Some(cell(&buffer, "✗ failed").fg), faint);
    assert_eq!(
        Some(cell(&buffer, "STALE").fg),
        app.theme.style(Role::Stale).fg
    );
}

#[test]
fn without_colours_weight_and_signs_remain() {
    let mut app = live(120, 40);
    app.theme = Shelf::open(None, Depth::None)
        .unwrap()
        .theme("dark")
        .unwrap();
    let buffer = buffer(&app);
    for cell in buffer.content() {
        assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
    }
    assert!(
        cell(&buffer, "restore.execute")
            .modifier
            .contains(Modifier::BOLD)
    );
}

#[test]
fn the_theme_key_changes_the_ground() {
    let mut app = live(80, 24);
    let dark = buffer(&app)[(0, 0)].bg;
    press(&mut app, "Tlight<Enter>");
    assert_eq!(app.theme.name(), "light");
    assert_ne!(buffer(&app)[(0, 0)].bg, dark);
}
