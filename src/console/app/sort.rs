//! By which column the runs are sorted. Newest first is the list's own order, over all there is;
//! every other is that of the newest thousand, put in order by the database, and the screen says so.

use opsroom_read::{Direction, SortBy};

/// What the runs are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// When they were recorded, the newest first.
    #[default]
    Created,
    /// A column, from one end.
    By(SortBy, Direction),
}

impl Sort {
    /// Every one there is, each from the end that is asked for most.
    pub const ALL: &[Self] = &[
        Self::Created,
        Self::By(SortBy::State, Direction::Ascending),
        Self::By(SortBy::Type, Direction::Ascending),
        Self::By(SortBy::Tenant, Direction::Ascending),
        Self::By(SortBy::Initiator, Direction::Ascending),
        Self::By(SortBy::Took, Direction::Descending),
        Self::By(SortBy::Failed, Direction::Descending),
    ];

    /// Its name in a menu.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Created => "age, newest first",
            Self::By(SortBy::State, _) => "state",
            Self::By(SortBy::Type, _) => "type",
            Self::By(SortBy::Tenant, _) => "tenant",
            Self::By(SortBy::Initiator, _) => "who started it",
            Self::By(SortBy::Took, _) => "how long it took",
            Self::By(SortBy::Failed, _) => "failed items",
        }
    }

    /// The same from the other end; `None` where that is not read.
    #[must_use]
    pub const fn inverted(self) -> Option<Self> {
        match self {
            Self::Created => None,
            Self::By(by, Direction::Ascending) => Some(Self::By(by, Direction::Descending)),
            Self::By(by, Direction::Descending) => Some(Self::By(by, Direction::Ascending)),
        }
    }

    /// True where both are of one column.
    #[must_use]
    pub fn is_of_column(self, other: Self) -> bool {
        match (self, other) {
            (Self::Created, Self::Created) => true,
            (Self::By(one, _), Self::By(other, _)) => one == other,
            _ => false,
        }
    }
}
