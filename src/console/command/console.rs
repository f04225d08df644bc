//! The console itself: connects first, so that a bad login is one line and not a screen, then takes
//! the terminal.

use crate::app::{App, Data, Settings, Wants};
use crate::config::{Folders, Memory};
use crate::event_loop::{self, End, Line, World};
use crate::exit::{Code, Failure};
use crate::terminal::{Abilities, Ground, Guard, Watch, ask};
use crate::{feed, theme};
use opsroom_read::{ReadOptions, Reader};
use tokio::sync::{mpsc, watch};

/// Who chose the theme, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThemeBy {
    /// The command line: no profile has a say.
    CommandLine,
    /// The profile, or the configuration for all of them.
    Configuration,
    /// The terminal's ground, as far as it can be known.
    Ground,
}

/// What another profile says.
pub struct Profile {
    /// What it changes of the console.
    pub settings: Settings,
    /// Its database.
    pub url: Option<String>,
    /// The theme that is named for it, by whoever may; `None`: the one that suits the terminal.
    pub theme: Option<String>,
}

/// Shows the console until it is left. `profile` reads one by its name.
///
/// # Errors
/// No terminal, a database that does not let us in, a terminal that refuses.
pub async fn run(
    url: Option<&str>,
    mut app: App,
    abilities: &Abilities,
    theme_by: ThemeBy,
    profile: &dyn Fn(&str) -> Result<Profile, Failure>,
) -> Result<Code, Failure> {
    Abilities::require_screen().map_err(Failure::usage)?;
    let options = ReadOptions::new(url)?;
    let folders = Folders::of_environment();
    let memory = Memory::of(folders.looks_file(), options.place());
    app.remember(memory.last_look(), memory.read());
    let reader = Reader::connect(options).await?;
    let line = fed(&app, memory, |wanted, answering| {
        feed::run(reader, wanted, answering)
    });
    let signals = Watch::begin()?;
    let guard = Guard::take()?;
    let mut late = None;
    let mut ground = abilities.ground;
    let may_matter = match theme_by {
        ThemeBy::CommandLine => false,
        // The next profile may name none.
        ThemeBy::Configuration => !app.settings.profiles.is_empty(),
        ThemeBy::Ground => true,
    };
    if may_matter && abilities.may_be_asked() {
        let answer = ask();
        late = Some(answer.late);
        ground = answer.ground;
        if theme_by == ThemeBy::Ground {
            app.wear(suiting(ground)).map_err(Failure::usage)?;
        }
    }
    let turn = |app: &mut App, name: &str| {
        let found = turned(&folders, name, profile);
        let (profile, options, memory) = found.map_err(|failure| failure.message)?;
        app.turn(profile.settings);
        app.remember(memory.last_look(), memory.read());
        app.say(format!("profile: {name}"));
        // Not the former profile's: a theme says which database one looks at.
        let worn = app.wear(suiting(ground));
        if let Err(error) = profile.theme.map_or(worn, |named| app.wear(&named)) {
            app.say(error.to_string());
        }
        Ok(fed(app, memory, |wanted, answering| {
            feed::open(options, wanted, answering)
        }))
    };
    let world = World {
        line,
        turn: &turn,
        themes: theme::watch(folders.themes(), abilities.depth),
        signals: &signals,
        late,
    };
    let end = event_loop::run(app, world).await;
    drop(guard);
    match end? {
        End::Quit | End::Closed => Ok(Code::Ok),
        End::FeedGone => Err(Failure::error(
            "the console's connection to the database ended",
        )),
    }
}

/// The built-in theme for such a ground.
#[must_use]
pub const fn suiting(ground: Option<Ground>) -> &'static str {
    match ground {
        Some(Ground::Light) => "light",
        Some(Ground::Dark) | None => "dark",
    }
}

/// What it takes to turn to the profile called `name`.
fn turned(
    folders: &Folders,
    name: &str,
    profile: &dyn Fn(&str) -> Result<Profile, Failure>,
) -> Result<(Profile, ReadOptions, Memory), Failure> {
    let profile = profile(name)?;
    let options = ReadOptions::new(profile.url.as_deref())?;
    let memory = Memory::of(folders.looks_file(), options.place());
    Ok((profile, options, memory))
}

/// The line that `feed` feeds, in a task of its own.
fn fed<F>(
    app: &App,
    memory: Memory,
    feed: impl FnOnce(watch::Receiver<Wants>, mpsc::Sender<Data>) -> F,
) -> Line
where
    F: Future<Output = ()> + Send + 'static,
{
    let (wants, wanted) = watch::channel(app.wants());
    let (answering, answers) = mpsc::channel(8);
    tokio::spawn(feed(wanted, answering));
    Line {
        wants,
        answers,
        memory,
    }
}
