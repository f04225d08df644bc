//! The console itself: connects first, so that a bad login is one line and not a screen, then takes
//! the terminal.

use crate::app::App;
use crate::config::{Folders, Memory};
use crate::event_loop::{self, End, World};
use crate::exit::{Code, Failure};
use crate::terminal::{Abilities, Ground, Guard, Watch, ask};
use crate::{feed, theme};
use opsroom_read::{ReadOptions, Reader};
use tokio::sync::{mpsc, watch};

/// Who chose the theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThemeBy {
    /// A person.
    Name,
    /// The terminal's ground, as far as it can be known.
    Ground,
}

/// Shows the console until it is left.
///
/// # Errors
/// No terminal, a database that does not let us in, a terminal that refuses.
pub async fn run(
    url: Option<&str>,
    mut app: App,
    abilities: &Abilities,
    theme_by: ThemeBy,
) -> Result<Code, Failure> {
    Abilities::require_screen().map_err(Failure::usage)?;
    let options = ReadOptions::new(url)?;
    let folders = Folders::of_environment();
    let memory = Memory::of(folders.looks_file(), options.place());
    app.remember(memory.last_look(), memory.read());
    let reader = Reader::connect(options).await?;
    let (wants, wanted) = watch::channel(app.wants());
    let (answering, answers) = mpsc::channel(8);
    let feed = tokio::spawn(feed::run(reader, wanted, answering));
    let signals = Watch::begin()?;
    let guard = Guard::take()?;
    let mut late = None;
    if theme_by == ThemeBy::Ground && abilities.may_be_asked() {
        let answer = ask();
        late = Some(answer.late);
        if answer.ground == Some(Ground::Light) {
            app.wear("light");
        }
    }
    let world = World {
        wants,
        answers,
        themes: theme::watch(folders.themes(), abilities.depth),
        signals: &signals,
        memory,
        late,
    };
    let end = event_loop::run(app, world).await;
    drop(guard);
    feed.abort();
    match end? {
        End::Quit | End::Closed => Ok(Code::Ok),
        End::FeedGone => Err(Failure::error(
            "the console's connection to the database ended",
        )),
    }
}
