//! The table of a board: every list but that of the runs.

use crate::app::{Areas, Board, Named};
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
