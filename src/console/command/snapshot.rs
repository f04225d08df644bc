//! `opsroom --snapshot`: one frame as plain text, for a ticket or a pipe.

use super::print;
use crate::app::{App, Data, DetailWant, Message};
use crate::exit::{Code, Failure};
use crate::{feed, screen};
use chrono::Utc;
use opsroom_read::{ReadOptions, Reader};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Prints one frame of `app`.
///
/// # Errors
/// Where the database does not answer.
pub async fn run(url: Option<&str>, mut app: App) -> Result<Code, Failure> {
    let mut reader = Reader::connect(ReadOptions::new(url)?).await?;
    for data in feed::once(&mut reader, &app.wants()).await? {
        app.update(Message::Tick(Utc::now()));
        app.update(Message::Data(data));
    }
    if let Some(DetailWant { id, items }) = app.wants().detail() {
        let answer = feed::detail(&mut reader, DetailWant { id, items }).await?;
        app.update(Message::Data(Data::Detail(Box::new(answer))));
    }
    let mut buffer = Buffer::empty(Rect::new(0, 0, app.size.0, app.size.1));
    screen::view(&app, &mut buffer);
    print(&plain(&buffer))?;
    Ok(Code::Ok)
}

/// The text of a frame, without blanks at the ends of its rows.
#[must_use]
pub fn plain(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut row = String::new();
        let mut x = buffer.area.left();
        while x < buffer.area.right() {
            let symbol = buffer.cell((x, y)).map_or(" ", |cell| cell.symbol());
            row.push_str(symbol);
            let wide = unicode_width::UnicodeWidthStr::width(symbol).max(1);
            x += u16::try_from(wide).unwrap_or(1);
        }
        out.push_str(row.trim_end());
        out.push('\n');
    }
    out
}
