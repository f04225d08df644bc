//! The table of a board: every list but that of the runs. What its rows come to.

use crate::app::{Areas, Board, Named};
use crate::lapse;
use crate::theme::Role;
use crate::widget::Line;
use crate::widget::table::{Order, Placed, Table};

/// The table of `board`, in its place on the screen.
pub(super) fn table<'a, K, T: Named, F>(
    areas: &Areas,
    columns: &'a [Placed<K>],
    board: &Board<T, F>,
    sort: Option<(K, Order)>,
) -> Table<'a, K> {
    Table {
        columns,
        header: areas.header,
        body: areas.list,
        top: board.cursor.top,
        at: board.cursor.at(),
        len: board.listing.rows.len(),
        sort,
    }
}

/// So many rows of a kind: its sign, its word, the role of both where there are any.
pub(super) type Kind = (u64, &'static str, &'static str, Role);

/// How many of each kind, in `width` columns: where not all fit, those that there are.
pub(super) fn kinds(kinds: &[Kind], width: u16) -> Line {
    let of = |kinds: &mut dyn Iterator<Item = &Kind>| {
        kinds.fold(
            Line::of(" ", Role::Screen),
            |line, (n, sign, word, role)| {
                let (quiet, strong) = match n {
                    0 => (Role::Muted, Role::Muted),
                    _ => (*role, Role::Strong),
                };
                line.and(*sign, quiet)
                    .and(format!(" {:>2}", lapse::grouped(*n)), strong)
                    .and(format!(" {word}   "), Role::Muted)
            },
        )
    };
    let all = of(&mut kinds.iter());
    match all.width() <= usize::from(width) {
        true => all,
        false => of(&mut kinds.iter().filter(|(n, ..)| *n > 0)),
    }
}
