//! `opsroom --linear`: changes as lines, without a screen.

use crate::app::{App, Data, Message};
use crate::exit::{Code, Failure};
use crate::feed;
use crate::linear::Linear;
use chrono::Utc;
use opsroom_read::{ReadOptions, Reader};
use std::io::{self, Write};
use tokio::sync::{mpsc, watch};

/// Says what changes until it is stopped, or until nobody reads it any more.
///
/// # Errors
/// A database that does not let us in.
pub async fn run(url: Option<&str>, mut app: App) -> Result<Code, Failure> {
    let reader = Reader::connect(ReadOptions::new(url)?).await?;
    let (wants, wanted) = watch::channel(app.wants());
    let (answering, mut answers) = mpsc::channel(8);
    let feed = tokio::spawn(feed::run(reader, wanted, answering));
    let mut linear = Linear::default();
    while let Some(data) = answers.recv().await {
        app.update(Message::Tick(Utc::now()));
        let mut lines = Vec::new();
        match &data {
            Data::Lost { reason } => lines.extend(linear.lost(reason, &app.clock)),
            _ => lines.extend(linear.answered(&app.clock)),
        }
        match &data {
            Data::Page { page, .. } => lines.extend(linear.page(page, &app.clock)),
            Data::Headline { headline, .. } => lines.extend(linear.headline(headline, &app.clock)),
            _ => {}
        }
        app.update(Message::Data(data));
        for line in lines {
            // Whoever read it went away: that is its end, and no error.
            if let Err(error) = writeln!(io::stdout(), "{line}") {
                feed.abort();
                return match error.kind() {
                    io::ErrorKind::BrokenPipe => Ok(Code::Ok),
                    _ => Err(error.into()),
                };
            }
        }
        let wanted = app.wants();
        wants.send_if_modified(|known| {
            let differs = *known != wanted;
            *known = wanted;
            differs
        });
    }
    Err(Failure::error("the connection to the database ended"))
}
