//! The columns of the list. They follow from the width alone, never from the rows: nothing moves
//! sideways when values change.

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// Sign and word.
    State,
    /// `resource.action`.
    Type,
    /// Whose.
    Tenant,
    /// Who started it.
    By,
    /// How long ago, or when.
    Age,
    /// How long it took, or takes.
    Took,
    /// Bar, counts, failed.
    Progress,
    /// First failure code, or why it does not move.
    Code,
    /// Where there is no room for both: code, else counts.
    What,
}

impl Column {
    /// Its name.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::State => "STATE",
            Self::Type => "TYPE",
            Self::Tenant => "TENANT",
            Self::By => "BY",
            Self::Age => "AGE",
            Self::Took => "TOOK",
            Self::Progress => "PROGRESS",
            Self::Code => "CODE",
            Self::What => "RESULT",
        }
    }

    /// True where its values stand at its right end.
    #[must_use]
    pub const fn is_right(self) -> bool {
        matches!(self, Self::Age | Self::Took)
    }
}

/// Columns between two columns.
const GAP: u16 = 2;
/// The bar beside the selected row, and its gap.
pub(super) const MARGIN: u16 = 3;

/// The columns of a list of `width`, each with its place and its width.
#[must_use]
pub fn columns(width: u16) -> Vec<(Column, u16, u16)> {
    use Column::{Age, By, Code, Progress, State, Tenant, Took, Type, What};
    // (column, least width, share of what is left, most width)
    let plan: &[(Column, u16, u16, u16)] = match width {
        0..=31 => &[(State, 11, 0, 11), (Type, 4, 1, 40)],
        32..=59 => &[(State, 11, 0, 11), (Type, 10, 1, 31), (Age, 6, 0, 6)],
        60..=91 => &[
            (State, 11, 0, 11),
            (Type, 14, 3, 31),
            (Tenant, 9, 1, 20),
            (Age, 5, 0, 5),
            (Took, 6, 0, 6),
            (What, 10, 3, 40),
        ],
        92..=113 => &[
            (State, 11, 0, 11),
            (Type, 20, 2, 31),
            (Tenant, 10, 1, 24),
            (Age, 6, 0, 6),
            (Took, 6, 0, 6),
            (Progress, 15, 0, 15),
            (Code, 12, 2, 40),
        ],
        _ => &[
            (State, 11, 0, 11),
            (Type, 18, 3, 31),
            (Tenant, 9, 2, 28),
            (By, 9, 2, 24),
            (Age, 6, 0, 6),
            (Took, 6, 0, 6),
            (Progress, 21, 1, 30),
            (Code, 12, 3, 48),
        ],
    };
    place(plan, width)
}

fn place(plan: &[(Column, u16, u16, u16)], width: u16) -> Vec<(Column, u16, u16)> {
    let gaps = GAP * u16::try_from(plan.len().saturating_sub(1)).unwrap_or(0);
    let least: u16 = plan.iter().map(|(_, least, ..)| least).sum();
    let mut widths: Vec<u16> = plan.iter().map(|(_, least, ..)| *least).collect();
    let mut left = width.saturating_sub(MARGIN + 1 + gaps + least);
    // Shares are handed out one column at a time: no rounding is left over, and no width jumps.
    while left > 0 {
        let before = left;
        for (at, (_, _, share, most)) in plan.iter().enumerate() {
            let more = (*share).min(left).min(most - widths[at]);
            widths[at] += more;
            left -= more;
        }
        if left == before {
            break;
        }
    }
    let mut x = MARGIN;
    let mut placed = Vec::with_capacity(plan.len());
    for ((column, ..), wide) in plan.iter().zip(widths) {
        let wide = wide.min(width.saturating_sub(x));
        placed.push((*column, x, wide));
        x = x.saturating_add(wide + GAP).min(width);
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_never_overlap_nor_leave_the_list() {
        for width in 0..400 {
            let mut end = 0;
            for (column, x, wide) in columns(width) {
                assert!(x >= end || wide == 0, "{width}: {column:?}");
                end = x + wide;
                assert!(end <= width.max(x), "{width}: {column:?}");
            }
        }
    }
}
