//! What a list says where it has no rows, or only those of before: one rule for every screen.

use crate::app::{App, Board, Health, Named, Standing};
use crate::widget::{Canvas, Notice};
use ratatui::layout::Rect;

/// What an empty list says, and what a person can do; empty: nothing.
pub(super) type Empty = (&'static str, &'static str);

/// Draws below the rows of `board` why there are no more of them, where that needs a word.
pub(super) fn below<T: Named, F>(
    app: &App,
    canvas: &mut Canvas<'_>,
    list: Rect,
    board: &Board<T, F>,
    empty: Empty,
) {
    draw(app, canvas, list, board, || nothing(app, empty));
}

/// The same of what belongs to no tenant.
pub(super) fn below_all<T: Named, F>(
    app: &App,
    canvas: &mut Canvas<'_>,
    list: Rect,
    board: &Board<T, F>,
    (what, remedy): Empty,
) {
    draw(app, canvas, list, board, || Notice::Empty { what, remedy });
}

fn draw<T: Named, F>(
    app: &App,
    canvas: &mut Canvas<'_>,
    list: Rect,
    board: &Board<T, F>,
    empty: impl FnOnce() -> Notice<'static>,
) {
    let rows = board.listing.rows.len();
    let notice = match &board.listing.standing {
        Standing::Loading => loading(app),
        Standing::Behind => Notice::Empty {
            what: "the counting has not caught up with the runs yet",
            remedy: "workers count while they live; o r shows the runs themselves",
        },
        Standing::Failed(trouble) => Notice::Error {
            what: &trouble.what,
            remedy: &trouble.remedy,
        },
        Standing::Answered if rows > 0 => return,
        Standing::Answered => empty(),
    };
    let below = u16::try_from(rows).unwrap_or(u16::MAX).min(list.height);
    let area = Rect {
        y: list.y + below,
        height: list.height - below,
        ..list
    };
    notice.draw(canvas, area);
}

/// Nothing yet, and why.
pub(super) fn loading(app: &App) -> Notice<'static> {
    match app.health {
        Health::Lost { .. } => Notice::Empty {
            what: "never loaded: the database does not answer",
            remedy: "comes by itself once it does",
        },
        _ => Notice::Loading,
    }
}

/// Nothing there, or nothing that this login may see.
pub(super) fn nothing(app: &App, (what, remedy): Empty) -> Notice<'static> {
    match &app.reach {
        Some(reach) if reach.tenants == 0 && !reach.all => Notice::Forbidden {
            what: "this login reaches no tenant",
            remedy: "who administers opsroom adds it to one: opsroom-worker access",
        },
        _ => Notice::Empty { what, remedy },
    }
}
