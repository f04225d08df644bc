//! The terminal: what it can show, how it is taken and given back, and how a frame gets there.

mod abilities;
mod clipboard;
mod events;
mod guard;
mod painter;
mod watch;

pub use abilities::{Abilities, Refusal};
pub use clipboard::copy;
pub use events::events;
pub use guard::Guard;
pub(crate) use guard::end_on_panic;
pub use painter::Painter;
pub use watch::Watch;
