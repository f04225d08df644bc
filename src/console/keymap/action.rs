//! What keys ask for, and where they are pressed.

use crate::app::Place;

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table says in words what each does")]
pub enum Action {
    Move(Step),
    Open,
    Back,
    Quit,
    QuitNow,
    Go(Place),
    Filter,
    Search,
    Complete,
    NextOffer,
    PreviousOffer,
    NextFound,
    PreviousFound,
    ToggleFailures,
    View(u8),
    Palette,
    Follow,
    NextFailed,
    PreviousFailed,
    NextPane,
    PreviousPane,
    Fold,
    Unfold,
    Mark,
    Compare,
    Sort,
    Invert,
    CopyId,
    CopyMenu,
    Bell,
    Pause,
    Refresh,
    Redraw,
    Earlier,
    Later,
    Themes,
    TimeMode,
    Mouse,
    Help,
    Suspend,
}

/// How far to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is its own name")]
pub enum Step {
    Up,
    Down,
    Top,
    Bottom,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
}

impl Step {
    /// Where it leads from `at`, on pages of `height`, no further than `last`.
    #[must_use]
    pub fn from(self, at: usize, height: usize, last: usize) -> usize {
        let (page, half) = (height.saturating_sub(1).max(1), (height / 2).max(1));
        let to = match self {
            Self::Up => at.saturating_sub(1),
            Self::Down => at + 1,
            Self::Top => 0,
            Self::Bottom => last,
            Self::PageUp => at.saturating_sub(page),
            Self::PageDown => at + page,
            Self::HalfUp => at.saturating_sub(half),
            Self::HalfDown => at + half,
        };
        to.min(last)
    }
}

/// Where a key is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// In a list.
    List,
    /// In the detail.
    Detail,
    /// While text is being typed.
    Input,
    /// In a menu, typed into or not.
    Menu,
    /// While the help lies over the screen.
    Help,
}
