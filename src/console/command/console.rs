//! The console itself: connects first, so that a bad login is one line and not a screen, then takes
//! the terminal.

use crate::app::App;
use crate::event_loop::{self, End};
use crate::exit::{Code, Failure};
use crate::feed;
use crate::terminal::{Abilities, Guard, Watch};
use opsroom_read::{ReadOptions, Reader};
use tokio::sync::{mpsc, watch};

/// Shows the console until it is left.
///
/// # Errors
/// No terminal, a database that does not let us in, a terminal that refuses.
pub async fn run(url: Option<&str>, app: App) -> Result<Code, Failure> {
    Abilities::require_screen().map_err(Failure::usage)?;
    let reader = Reader::connect(ReadOptions::new(url)?).await?;
    let (wants, wanted) = watch::channel(app.wants());
    let (answering, answers) = mpsc::channel(8);
    let feed = tokio::spawn(feed::run(reader, wanted, answering));
    let signals = Watch::begin()?;
    let guard = Guard::take()?;
    let end = event_loop::run(app, wants, answers, &signals).await;
    drop(guard);
    feed.abort();
    match end? {
        End::Quit | End::Closed => Ok(Code::Ok),
        End::FeedGone => Err(Failure::error(
            "the console's connection to the database ended",
        )),
    }
}
