//! Which screens there are, and which of them lie under the one that is shown.

use crate::keymap::Action;

/// One screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// The list of runs: where the console begins.
    Runs,
    /// One run over the whole screen.
    Run,
    /// Two runs beside each other.
    Comparison,
    /// What failed, by code.
    Failures,
    /// How the tenants fare.
    Tenants,
    /// How the types fare.
    Types,
    /// Who executes.
    Workers,
    /// What fires when.
    Schedules,
    /// What the login's user was told of.
    Notifications,
}

impl Place {
    /// The screens one can go to from anywhere. (A run and a comparison are of something.)
    pub const OPEN: &[Self] = &[
        Self::Runs,
        Self::Failures,
        Self::Tenants,
        Self::Types,
        Self::Workers,
        Self::Schedules,
        Self::Notifications,
    ];

    /// Its name, as its title and the palette say it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Runs => "Runs",
            Self::Run => "Run",
            Self::Comparison => "Comparison",
            Self::Failures => "Failures",
            Self::Tenants => "Tenants",
            Self::Types => "Types",
            Self::Workers => "Workers",
            Self::Schedules => "Schedules",
            Self::Notifications => "Notifications",
        }
    }

    /// True for a list beside the runs: one leads to no other.
    #[must_use]
    const fn is_board(self) -> bool {
        !matches!(self, Self::Runs | Self::Run | Self::Comparison)
    }

    /// True where the filter narrows what is shown.
    #[must_use]
    pub const fn is_filtered(self) -> bool {
        matches!(
            self,
            Self::Runs | Self::Failures | Self::Tenants | Self::Types
        )
    }

    /// True where `action` means something here. What does not is neither hinted at nor offered.
    #[must_use]
    pub const fn takes(self, action: Action) -> bool {
        let is_about_runs = matches!(
            action,
            Action::Search
                | Action::NextFound
                | Action::PreviousFound
                | Action::ToggleFailures
                | Action::Follow
                | Action::NextFailed
                | Action::PreviousFailed
                | Action::NextPane
                | Action::PreviousPane
                | Action::Fold
                | Action::Unfold
                | Action::Mark
                | Action::Compare
                | Action::Sort
                | Action::Invert
                | Action::CopyId
                | Action::CopyMenu
                | Action::Bell
                | Action::Earlier
                | Action::Later
        );
        match self {
            Self::Runs | Self::Run => true,
            Self::Comparison => !is_about_runs && !matches!(action, Action::Filter | Action::Open),
            _ => !is_about_runs && (self.is_filtered() || !matches!(action, Action::Filter)),
        }
    }
}

/// The screens from the root to the one that is shown. Never empty, and no screen is in it twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack(Vec<Place>);

impl Default for Stack {
    fn default() -> Self {
        Self(vec![Place::Runs])
    }
}

impl Stack {
    /// The one that is shown.
    #[must_use]
    pub fn top(&self) -> Place {
        self.0.last().copied().unwrap_or(Place::Runs)
    }

    /// The screens, the root first.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.0
    }

    /// Shows `place`. One that lies below comes back to the top, and what lay on it goes; a board takes
    /// the place of another.
    pub fn go(&mut self, place: Place) {
        if let Some(at) = self.0.iter().position(|known| *known == place) {
            return self.0.truncate(at + 1);
        }
        if place.is_board() && self.top().is_board() {
            self.0.pop();
        }
        self.0.push(place);
    }

    /// Back to the screen before; the one that was left, or `None` at the root.
    pub fn back(&mut self) -> Option<Place> {
        (self.0.len() > 1).then(|| self.0.pop()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_do_not_pile_up() {
        let mut stack = Stack::default();
        for board in [Place::Tenants, Place::Types, Place::Workers] {
            stack.go(board);
        }
        assert_eq!(stack.places(), [Place::Runs, Place::Workers]);
        stack.go(Place::Run);
        assert_eq!(stack.back(), Some(Place::Run));
        assert_eq!(stack.top(), Place::Workers, "a run leads back to its list");
    }

    #[test]
    fn going_back_ends_at_the_root() {
        let mut stack = Stack::default();
        stack.go(Place::Workers);
        stack.go(Place::Run);
        stack.go(Place::Workers);
        assert_eq!(stack.places(), [Place::Runs, Place::Workers]);
        assert_eq!(stack.back(), Some(Place::Workers));
        assert_eq!(stack.back(), None);
        assert_eq!(stack.top(), Place::Runs);
    }
}
