//! Themes: what each meaning looks like. Widgets name a [`Role`]; the colours behind it come from a
//! TOML file and from what the terminal can show.

mod color;
mod file;
mod shelf;
mod watch;

pub use color::Depth;
pub use file::ThemeError;
pub use shelf::{Shelf, ShelfError};
pub use watch::watch;

use ratatui::style::Style;

macro_rules! roles {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// What a piece of text means. The only thing a widget may ask a theme for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Role { $($(#[$doc])* $variant),+ }

        impl Role {
            /// Every role.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in a theme file.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

roles! {
    /// Everything that has no other meaning, and the ground behind it all.
    Screen = "screen",
    /// Titles and what the eye should find.
    Strong = "strong",
    /// What is normal and secondary.
    Muted = "muted",
    /// Rules, empty parts of bars.
    Faint = "faint",
    /// Keys and names of things to act on.
    Accent = "accent",
    /// The bar beside the selected row.
    Marker = "marker",
    /// The selected row itself.
    Selected = "selected",
    /// Waiting to begin.
    Queued = "queued",
    /// Under way.
    Running = "running",
    /// Ended well.
    Succeeded = "succeeded",
    /// Ended with successes and failures.
    Partial = "partial",
    /// Ended badly.
    Failed = "failed",
    /// Ended by cancellation.
    Cancelled = "cancelled",
    /// Does not move.
    Stuck = "stuck",
    /// The data is old.
    Stale = "stale",
    /// What was typed cannot be understood.
    Problem = "problem",
    /// A term of the filter.
    Chip = "chip",
    /// What was searched for, where it stands.
    Found = "found",
}

/// A theme, made for one terminal.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    name: String,
    styles: Vec<Style>,
}

impl Theme {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What `role` looks like.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }
}
