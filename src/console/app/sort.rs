//! By which column the runs are sorted, as far as the read side can: what a page does not come
//! sorted by cannot be sorted here, where only the newest rows are.

/// What the runs are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// When they were recorded, the newest first.
    #[default]
    Created,
}

impl Sort {
    /// Every one there is.
    pub const ALL: &[Self] = &[Self::Created];

    /// Its name in a menu.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Created => "age, newest first",
        }
    }
}
