//! A table: columns that go in a stated order where there is no room, a header that says how it is
//! sorted, rows of which one is selected. Places follow from the width alone, never from the rows:
//! nothing moves sideways when values change.

use super::canvas::Canvas;
use crate::theme::Role;
use ratatui::layout::{Position, Rect};

/// Columns between two columns.
pub const GAP: u16 = 2;
/// What stands before the first column: a sign, the bar beside the selected row, a blank.
pub const MARGIN: u16 = 3;

/// At which end of a column its values stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// A column as it is wished for.
#[derive(Debug, Clone, Copy)]
pub struct Column<K> {
    /// Which.
    pub key: K,
    /// Its name.
    pub title: &'static str,
    /// Where its values stand.
    pub align: Align,
    /// Columns it needs.
    pub least: u16,
    /// Columns that are enough.
    pub most: u16,
    /// When it goes where there is no room: the highest first, 0 never.
    pub drop: u8,
}

/// A column of `key`, `least` to `most` wide.
#[must_use]
pub const fn column<K: Copy>(
    key: K,
    title: &'static str,
    align: Align,
    (least, most): (u16, u16),
    drop: u8,
) -> Column<K> {
    Column {
        key,
        title,
        align,
        least,
        most,
        drop,
    }
}

/// A column in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed<K> {
    /// Which.
    pub key: K,
    /// Its name.
    pub title: &'static str,
    /// Where its values stand.
    pub align: Align,
    /// Where it begins, from the left of the table.
    pub x: u16,
    /// How wide it is.
    pub width: u16,
}

/// The columns of a table of `width`: those that fit, the rest of the room shared out evenly.
#[must_use]
pub fn place<K: Copy>(columns: &[Column<K>], width: u16) -> Vec<Placed<K>> {
    let mut kept: Vec<(Column<K>, u16)> = columns
        .iter()
        .map(|column| (*column, column.least))
        .collect();
    let needs = |kept: &[(Column<K>, u16)]| -> u16 {
        let gaps = u16::try_from(kept.len().saturating_sub(1)).unwrap_or(u16::MAX);
        let widths: u16 = kept.iter().map(|(_, wide)| wide).sum();
        (MARGIN + 1)
            .saturating_add(gaps.saturating_mul(GAP))
            .saturating_add(widths)
    };
    while needs(&kept) > width {
        let last = kept
            .iter()
            .enumerate()
            .filter(|(_, (column, _))| column.drop > 0);
        match last
            .max_by_key(|(_, (column, _))| column.drop)
            .map(|(at, _)| at)
        {
            Some(at) => kept.remove(at),
            None => break,
        };
    }
    // One column at a time: no rounding is left over, and no width jumps.
    let mut left = width.saturating_sub(needs(&kept));
    while left > 0 {
        let before = left;
        for (column, wide) in &mut kept {
            if left > 0 && *wide < column.most {
                *wide += 1;
                left -= 1;
            }
        }
        if left == before {
            break;
        }
    }
    let mut x = MARGIN;
    let mut placed = Vec::with_capacity(kept.len());
    for (at, (column, wide)) in kept.into_iter().enumerate() {
        if at > 0 {
            x = x.saturating_add(GAP).min(width);
        }
        let wide = wide.min(width.saturating_sub(x));
        placed.push(Placed {
            key: column.key,
            title: column.title,
            align: column.align,
            x,
            width: wide,
        });
        x = x.saturating_add(wide).min(width);
    }
    placed
}

/// Which way the rows run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The smallest first.
    Ascending,
    /// The largest first.
    Descending,
}

/// What is drawn, and where.
pub struct Table<'a, K> {
    /// The columns.
    pub columns: &'a [Placed<K>],
    /// Where their names stand.
    pub header: Rect,
    /// Where the rows stand.
    pub body: Rect,
    /// The first row shown.
    pub top: usize,
    /// The selected row.
    pub at: usize,
    /// How many rows there are.
    pub len: usize,
    /// What they are sorted by.
    pub sort: Option<(K, Order)>,
}

impl<K: Copy + PartialEq> Table<'_, K> {
    /// Draws header and rows. `sign` is what stands before a row, `cell` draws one cell of it.
    pub fn draw(
        &self,
        canvas: &mut Canvas<'_>,
        sign: impl Fn(usize) -> Option<(&'static str, Role)>,
        mut cell: impl FnMut(&mut Canvas<'_>, Rect, K, usize),
    ) {
        self.draw_header(canvas);
        let rows = (self.top..self.len).take(usize::from(self.body.height));
        for (y, row) in (self.body.y..).zip(rows) {
            let area = Rect {
                y,
                height: 1,
                ..self.body
            };
            if row == self.at {
                canvas.set_ground(area, Role::Selected);
                let marker = canvas.glyphs().marker;
                canvas.text(cell_of(area, 1, 1), marker, Role::Marker);
            }
            if let Some((sign, role)) = sign(row) {
                canvas.text(cell_of(area, 0, 1), sign, role);
            }
            for placed in self.columns {
                cell(
                    canvas,
                    cell_of(area, placed.x, placed.width),
                    placed.key,
                    row,
                );
            }
            canvas.clear_ground();
        }
    }

    fn draw_header(&self, canvas: &mut Canvas<'_>) {
        if self.header.height == 0 {
            return;
        }
        for placed in self.columns {
            let area = cell_of(self.header, placed.x, placed.width);
            let order = self
                .sort
                .filter(|(key, _)| *key == placed.key)
                .map(|(_, order)| order);
            let sign = match order {
                Some(Order::Ascending) => canvas.glyphs().ascending,
                Some(Order::Descending) => canvas.glyphs().descending,
                None => "",
            };
            let role = match order {
                Some(_) => Role::Screen,
                None => Role::Muted,
            };
            let title = format!("{}{sign}", placed.title);
            match placed.align {
                Align::Right => canvas.text_right(area, title, role),
                Align::Left => {
                    canvas.text(area, title, role);
                }
            }
        }
    }
}

fn cell_of(area: Rect, x: u16, width: u16) -> Rect {
    Rect {
        x: area.x.saturating_add(x),
        width: width.min(area.width.saturating_sub(x)),
        ..area
    }
}

/// The column whose name stands at `at`.
#[must_use]
pub fn column_at<K: Copy>(columns: &[Placed<K>], header: Rect, at: Position) -> Option<K> {
    let stands = |placed: &&Placed<K>| cell_of(header, placed.x, placed.width).contains(at);
    columns.iter().find(stands).map(|placed| placed.key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column<char>] = &[
        Column {
            key: 'a',
            title: "A",
            align: Align::Left,
            least: 6,
            most: 20,
            drop: 0,
        },
        Column {
            key: 'b',
            title: "B",
            align: Align::Right,
            least: 5,
            most: 5,
            drop: 2,
        },
        Column {
            key: 'c',
            title: "C",
            align: Align::Left,
            least: 8,
            most: 40,
            drop: 1,
        },
    ];

    #[test]
    fn columns_go_in_their_order_and_never_overlap() {
        let keys = |width| {
            place(COLUMNS, width)
                .iter()
                .map(|placed| placed.key)
                .collect::<String>()
        };
        assert_eq!(keys(80), "abc");
        assert_eq!(keys(26), "ac");
        assert_eq!(keys(12), "a");
        assert_eq!(keys(0), "a");
        for width in 0..200 {
            let mut end = 0;
            for placed in place(COLUMNS, width) {
                assert!(placed.x >= end || placed.width == 0, "{width}");
                end = placed.x + placed.width;
                assert!(end <= width.max(placed.x), "{width}");
            }
        }
    }

    #[test]
    fn room_is_shared_up_to_what_is_enough() {
        let widths: Vec<_> = place(COLUMNS, 200)
            .iter()
            .map(|placed| placed.width)
            .collect();
        assert_eq!(widths, [20, 5, 40]);
    }
}
