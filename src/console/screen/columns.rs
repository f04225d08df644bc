//! The columns of the runs. Where there is no room they go in this order: who started it (below 118
//! columns), progress and code for one column that says either (below 92), tenant and duration (below
//! 60), age (below 32).

use crate::widget::table::{Align, GAP, MARGIN, Placed};

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

    const fn align(self) -> Align {
        match self {
            Self::Age | Self::Took => Align::Right,
            _ => Align::Left,
        }
    }
}

use Column::{Age, By, Code, Progress, State, Tenant, Took, Type, What};

/// What stands at the right of its column has a gap of its own making.
const fn gap_before(column: Column) -> u16 {
    match column.align() {
        Align::Right => GAP - 1,
        Align::Left => GAP,
    }
}

/// From so many columns, there is room for all of them.
const FULL_FROM: u16 = 118;

/// The columns of a list of `width`.
#[must_use]
pub fn columns(width: u16) -> Vec<Placed<Column>> {
    // (column, least width, share of what is left, most width)
    let plan: &[(Column, u16, u16, u16)] = match width {
        0..=31 => &[(State, 11, 0, 11), (Type, 4, 1, 40)],
        32..=59 => &[(State, 11, 0, 11), (Type, 10, 1, 31), (Age, 6, 0, 6)],
        60..=91 => &[
            (State, 11, 0, 11),
            (Type, 10, 3, 31),
            (Tenant, 7, 1, 20),
            (Age, 5, 0, 5),
            (Took, 6, 0, 6),
            (What, 9, 2, 40),
        ],
        92..FULL_FROM => &[
            (State, 11, 0, 11),
            (Type, 19, 4, 31),
            (Tenant, 10, 1, 24),
            (Age, 5, 0, 5),
            (Took, 6, 0, 6),
            (Progress, 14, 0, 14),
            (Code, 14, 2, 40),
        ],
        _ => &[
            (State, 11, 0, 11),
            (Type, 21, 4, 31),
            (Tenant, 12, 2, 28),
            (By, 9, 2, 24),
            (Age, 5, 0, 5),
            (Took, 6, 0, 6),
            (Progress, 20, 1, 29),
            (Code, 18, 2, 48),
        ],
    };
    place(plan, width)
}

fn place(plan: &[(Column, u16, u16, u16)], width: u16) -> Vec<Placed<Column>> {
    let gaps: u16 = plan
        .iter()
        .skip(1)
        .map(|(column, ..)| gap_before(*column))
        .sum();
    let least: u16 = plan.iter().map(|(_, least, ..)| least).sum();
    let mut widths: Vec<u16> = plan.iter().map(|(_, least, ..)| *least).collect();
    let mut left = width.saturating_sub(MARGIN + 1 + gaps + least);
    // First what is read most: the names of runs and people, then codes, then bars one can tell apart.
    if width >= 92 {
        for (wanted, enough) in [
            (Type, 25),
            (Tenant, 12),
            (By, 12),
            (Code, 19),
            (Progress, 24),
        ] {
            let has_no_bar = wanted == Progress && width < FULL_FROM;
            if let Some(at) = plan
                .iter()
                .position(|(column, ..)| *column == wanted && !has_no_bar)
            {
                let more = left.min(u16::saturating_sub(enough, widths[at]));
                widths[at] += more;
                left -= more;
            }
        }
    }
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
    for (at, ((column, ..), wide)) in plan.iter().zip(widths).enumerate() {
        if at > 0 {
            x = x.saturating_add(gap_before(*column)).min(width);
        }
        let wide = wide.min(width.saturating_sub(x));
        placed.push(Placed {
            key: *column,
            title: column.title(),
            align: column.align(),
            x,
            width: wide,
        });
        x = x.saturating_add(wide).min(width);
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
            for placed in columns(width) {
                assert!(placed.x >= end || placed.width == 0, "{width}: {placed:?}");
                end = placed.x + placed.width;
                assert!(end <= width.max(placed.x), "{width}: {placed:?}");
            }
        }
    }
}
