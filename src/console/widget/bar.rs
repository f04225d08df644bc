//! Bars: how far, and what came of it.

use super::line::Line;
use crate::glyphs::Glyphs;
use crate::theme::Role;
use opsroom_model::Counts;
use std::cmp::Ordering;

/// Columns of each part of a bar of `width` columns, in order, for `parts` of `total`. What is there
/// at all gets a column, what is complete fills the bar, and nothing overflows it.
#[must_use]
pub fn slices(parts: &[u64], total: u64, width: usize) -> Vec<usize> {
    let total = u128::from(total.max(parts.iter().fold(0, |sum, part| sum.saturating_add(*part))));
    if total == 0 {
        return vec![0; parts.len()];
    }
    let share = |part: u64| {
        let columns = u128::from(part) * width as u128 / total;
        usize::try_from(columns)
            .unwrap_or(0)
            .max(usize::from(part > 0))
    };
    let mut columns: Vec<usize> = parts.iter().map(|part| share(*part)).collect();
    let sum: u128 = parts.iter().map(|part| u128::from(*part)).sum();
    let filled = usize::try_from(sum * width as u128 / total).unwrap_or(width);
    let filled = filled
        .max(columns.iter().filter(|wide| **wide > 0).count())
        .min(width);
    loop {
        let taken: usize = columns.iter().sum();
        // Of several as wide, the first: what went well.
        let Some(widest) = columns.iter_mut().rev().max_by_key(|wide| **wide) else {
            return columns;
        };
        match taken.cmp(&filled) {
            Ordering::Less => *widest += 1,
            Ordering::Greater => *widest -= 1,
            Ordering::Equal => return columns,
        }
    }
}

/// `line` with a bar of `width` columns behind it: done, skipped, failed, still to do.
#[must_use]
pub fn bar(line: Line, counts: &Counts, width: usize, done: Role, glyphs: &Glyphs) -> Line {
    let [success, skipped, failed] =
        [counts.success, counts.skipped, counts.failed].map(|part| part.unwrap_or(0));
    let counted = success.saturating_add(skipped).saturating_add(failed);
    let other = counts.done().saturating_sub(counted);
    let parts = [success.saturating_add(other), skipped, failed];
    let columns = slices(&parts, counts.total.unwrap_or(0), width);
    let rest = width.saturating_sub(columns.iter().sum());
    line.and(glyphs.bar_done.repeat(columns[0]), done)
        .and(glyphs.bar_skipped.repeat(columns[1]), Role::Muted)
        .and(glyphs.bar_failed.repeat(columns[2]), Role::Failed)
        .and(glyphs.bar_rest.repeat(rest), Role::Faint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_never_overflows_and_shows_what_is_there() {
        assert_eq!(slices(&[31, 16, 3], 50, 10), [6, 3, 1]);
        assert_eq!(slices(&[31, 16, 3], 50, 34), [22, 10, 2]);
        assert_eq!(slices(&[799, 0, 1], 800, 10), [9, 0, 1]);
        assert_eq!(slices(&[0, 0, 0], 0, 10), [0, 0, 0]);
        assert_eq!(slices(&[u64::MAX, 1, 1], 5, 10).iter().sum::<usize>(), 10);
        for width in 0..5 {
            assert!(slices(&[5, 5, 5], 15, width).iter().sum::<usize>() <= width);
        }
    }
}
