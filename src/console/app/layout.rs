//! Where everything stands on a terminal of a given size. Known to updates, too: how far a page is,
//! depends on it.

use super::{Pane, Place};
use ratatui::layout::Rect;

/// From so many columns, the detail stands beside the list.
const BESIDE_FROM: u16 = 160;
/// From so many rows, it stands below it.
const BELOW_FROM: u16 = 28;

/// Rows that say what a failure code means.
const FAILURE_ROWS: u16 = 9;

/// The parts of the screen. A part that has no room is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Areas {
    /// Name, scope, health.
    pub title: Rect,
    /// Counts.
    pub headline: Rect,
    /// The filter.
    pub filter: Rect,
    /// Names of the columns.
    pub header: Rect,
    /// Rows.
    pub list: Rect,
    /// The rule between list and detail.
    pub rule: Option<Rect>,
    /// The detail.
    pub detail: Option<Rect>,
    /// Keys, or a word to the person.
    pub hints: Rect,
}

/// Lays the screen of `place` out on a terminal of `size`: a run and a comparison take all of it, a
/// list has a row of its own above its header, what the filter narrows has a row for it, and runs and
/// failures have a pane.
#[must_use]
pub(super) fn areas(size: (u16, u16), place: Place, pane: Pane, has_filter: bool) -> Areas {
    let (width, height) = size;
    let row = |y: u16| Rect {
        x: 0,
        y: y.min(height),
        width,
        height: u16::from(y < height),
    };
    let mut areas = Areas {
        title: row(0),
        ..Areas::default()
    };
    if height < 3 {
        return areas;
    }
    let bottom = height - 1;
    areas.hints = row(bottom);
    if matches!(place, Place::Run | Place::Comparison) {
        areas.detail = Some(Rect {
            x: 1,
            y: 1,
            width: width.saturating_sub(2),
            height: bottom - 1,
        });
        return areas;
    }
    let mut y = 1;
    areas.headline = row(y);
    y += 1;
    if place.is_filtered() && (has_filter || height >= 14) {
        areas.filter = row(y.min(bottom - 1));
        y = (y + 1).min(bottom);
    }
    if height >= 8 {
        areas.header = row(y);
        y += 1;
    }
    let body = Rect {
        x: 0,
        y,
        width,
        height: bottom.saturating_sub(y),
    };
    areas.list = body;
    if place == Place::Runs && pane == Pane::Beside {
        split(&mut areas, body, size, (height * 2 / 5).clamp(10, 18));
    } else if place == Place::Failures {
        split(&mut areas, body, size, FAILURE_ROWS);
    }
    areas
}

fn split(areas: &mut Areas, body: Rect, (width, height): (u16, u16), pane_rows: u16) {
    if width >= BESIDE_FROM {
        let pane = (width * 9 / 25).max(64);
        let list = width - pane;
        areas.list.width = list;
        areas.header.width = list;
        let top = areas.header.y;
        let tall = body.height + (body.y - top);
        areas.rule = Some(Rect {
            x: list,
            y: top,
            width: 1,
            height: tall,
        });
        areas.detail = Some(Rect {
            x: list + 2,
            y: top,
            width: width - list - 3,
            height: tall,
        });
    } else if height >= BELOW_FROM {
        let pane = pane_rows;
        let list = body.height - pane - 1;
        areas.list.height = list;
        areas.rule = Some(Rect {
            y: body.y + list,
            height: 1,
            ..body
        });
        areas.detail = Some(Rect {
            x: 1,
            y: body.y + list + 1,
            width: width.saturating_sub(2),
            height: pane,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stands_outside_the_screen_at_any_size() {
        for width in 0..220 {
            for height in 0..70 {
                for (place, pane) in [
                    (Place::Runs, Pane::Closed),
                    (Place::Runs, Pane::Beside),
                    (Place::Run, Pane::Beside),
                    (Place::Workers, Pane::Beside),
                    (Place::Failures, Pane::Beside),
                ] {
                    for has_filter in [false, true] {
                        let areas = areas((width, height), place, pane, has_filter);
                        let parts = [
                            areas.title,
                            areas.headline,
                            areas.filter,
                            areas.header,
                            areas.list,
                            areas.hints,
                        ];
                        for part in parts.into_iter().chain(areas.rule).chain(areas.detail) {
                            assert!(
                                part.right() <= width.max(part.x),
                                "{width}x{height} {part:?}"
                            );
                            assert!(part.bottom() <= height, "{width}x{height} {part:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_pane_stands_where_the_console_promises() {
        let areas = |size| areas(size, Place::Runs, Pane::Beside, false);
        assert!(areas((80, 24)).detail.is_none());
        assert_eq!(areas((120, 40)).detail.unwrap().x, 1);
        assert!(areas((160, 20)).detail.unwrap().x > 90);
        assert!(areas((40, 10)).list.height >= 6);
    }
}
