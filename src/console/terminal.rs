//! The terminal: what it can show, how it is taken and given back, and how a frame gets there.

mod abilities;
mod clipboard;
mod events;
mod ground;
mod guard;
mod painter;
mod signal;
mod watch;

pub use abilities::{Abilities, Refusal};
pub use clipboard::copy;
pub use events::events;
pub use ground::{Answer, Ground, Late, ask};
pub use guard::Guard;
pub(crate) use guard::end_on_panic;
pub use painter::Painter;
pub use signal::{capture_mouse, ring};
pub use watch::Watch;
