//! What screens are drawn with. Widgets take roles, never colours, and text that is safe to draw.

mod bar;
pub(crate) mod canvas;
mod line;
mod notice;
pub mod popup;
pub mod spark;
pub mod table;
mod wrap;

pub use bar::{bar, slices};
pub use canvas::{Canvas, Ink};
pub use line::{Line, Piece};
pub use notice::Notice;
pub use wrap::wrap;
