//! Sparklines: how a number went, one column a point.

use crate::glyphs::Glyphs;

/// `values` in at most `width` columns, the oldest first. Where there are more of them than columns,
/// neighbours are summed up, as many for each column, the newest column being whole. None at all has
/// the lowest sign, anything more than none never has.
#[must_use]
pub fn spark(values: &[u64], width: usize, glyphs: &Glyphs) -> String {
    if width == 0 || values.is_empty() {
        return String::new();
    }
    let each = values.len().div_ceil(width);
    let mut sums: Vec<u64> = values
        .rchunks(each)
        .map(|part| part.iter().fold(0, |sum: u64, n| sum.saturating_add(*n)))
        .collect();
    sums.reverse();
    let most = sums.iter().copied().max().unwrap_or(0);
    let steps = glyphs.spark.len() - 1;
    let sign = |n: &u64| match n {
        0 => glyphs.spark[0],
        n => {
            let height = u128::from(*n) * steps as u128 / u128::from(most.max(1));
            glyphs.spark[usize::try_from(height).unwrap_or(steps).clamp(1, steps)]
        }
    };
    sums.iter().map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glyphs::{ASCII, UNICODE};

    #[test]
    fn none_is_lowest_and_the_most_is_highest() {
        assert_eq!(spark(&[0, 1, 50, 100], 10, &UNICODE), "▁▂▄█");
        assert_eq!(spark(&[0, 0], 10, &ASCII), "__");
        assert_eq!(spark(&[1, 2, 3], 0, &ASCII), "");
        assert_eq!(spark(&[1, u64::MAX, u64::MAX], 2, &UNICODE), "▂█");
    }

    #[test]
    fn more_points_than_columns_are_summed_up_from_the_newest() {
        assert_eq!(spark(&[9, 1, 1, 1, 1], 3, &UNICODE).chars().count(), 3);
        for points in 0..100 {
            for width in 0..40 {
                let drawn = spark(&vec![1; points], width, &UNICODE);
                assert!(drawn.chars().count() <= width, "{points} in {width}");
            }
        }
    }
}
