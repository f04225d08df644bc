//! Saved views: the team's, and one's own, which replace those of the team by their name and take
//! their keys.

use super::{ConfigError, read as read_text};
use crate::app::{Place, SavedView};
use opsroom_model::query::parse;
use serde::Deserialize;
use std::path::Path;
use toml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    #[serde(default)]
    view: Vec<StoredView>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredView {
    name: Spanned<String>,
    key: Option<Spanned<u8>>,
    query: Spanned<String>,
    screen: Option<Spanned<String>>,
}

/// The views of `path`; none where there is no such file.
///
/// # Errors
/// [`ConfigError`] points at the first mistake.
pub fn read(path: &Path) -> Result<Vec<SavedView>, ConfigError> {
    match read_text(path)? {
        Some(text) => views(path, &text),
        None => Ok(Vec::new()),
    }
}

fn views(path: &Path, text: &str) -> Result<Vec<SavedView>, ConfigError> {
    let stored: Stored =
        toml::from_str(text).map_err(|error| ConfigError::syntax(path, text, &error))?;
    let mut views: Vec<SavedView> = Vec::with_capacity(stored.view.len());
    for stored in stored.view {
        let wrong = |at: usize, reason: String| Err(ConfigError::at(path, text, at, reason));
        let name = stored.name.as_ref().trim();
        let place = stored.name.span().start;
        if name.is_empty() {
            return wrong(place, "a view needs a name".to_owned());
        }
        if views.iter().any(|known| known.name == name) {
            return wrong(place, format!("there are two views called '{name}'"));
        }
        if let Some(key) = &stored.key {
            let slot = *key.as_ref();
            if !(1..=9).contains(&slot) {
                return wrong(
                    key.span().start,
                    "a view's key is a number from 1 to 9".to_owned(),
                );
            }
            if let Some(other) = views.iter().find(|known| known.slot == Some(slot)) {
                let reason = format!("key {slot} is that of '{}' already", other.name);
                return wrong(key.span().start, reason);
            }
        }
        let query = match parse(stored.query.as_ref()) {
            Ok(query) => query,
            Err(error) => {
                let reason = format!("query, character {}: {}", error.at + 1, error.message);
                return wrong(stored.query.span().start, reason);
            }
        };
        views.push(SavedView {
            name: name.to_owned(),
            slot: stored.key.map(Spanned::into_inner),
            query,
            place: match stored.screen {
                None => Place::Runs,
                Some(screen) => match place_of(screen.as_ref()) {
                    Some(place) => place,
                    None => {
                        let reason = format!(
                            "there is no screen '{}': one of {}",
                            screen.as_ref(),
                            screens()
                        );
                        return wrong(screen.span().start, reason);
                    }
                },
            },
        });
    }
    Ok(views)
}

fn place_of(name: &str) -> Option<Place> {
    let is_it = |place: &&Place| place.title().eq_ignore_ascii_case(name);
    Place::OPEN.iter().find(is_it).copied()
}

fn screens() -> String {
    let names: Vec<_> = Place::OPEN
        .iter()
        .map(|place| place.title().to_lowercase())
        .collect();
    names.join(", ")
}

/// The team's views with those of one's own over them. Keys nobody asked for go to those without.
#[must_use]
pub fn merged(team: Vec<SavedView>, own: Vec<SavedView>) -> Vec<SavedView> {
    let is_own = |view: &SavedView| own.iter().any(|known| known.name == view.name);
    let mut views: Vec<_> = team.into_iter().filter(|view| !is_own(view)).collect();
    for view in &mut views {
        if view.slot.is_some() && own.iter().any(|known| known.slot == view.slot) {
            view.slot = None;
        }
    }
    views.extend(own);
    for at in 0..views.len() {
        let free = |slot: &u8| !views.iter().any(|view| view.slot == Some(*slot));
        if views[at].slot.is_none() {
            views[at].slot = (1..=9).find(free);
        }
    }
    views.sort_by_key(|view| view.slot.unwrap_or(u8::MAX));
    views
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<SavedView>, String> {
        views(Path::new("views.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn ones_own_views_replace_the_teams_and_free_keys_are_handed_out() {
        let team = of(
            "[[view]]\nname='a'\nkey=1\nquery='is:failed'\n[[view]]\nname='b'\nquery='x'\n\
                       [[view]]\nname='c'\nkey=2\nquery='y'",
        );
        let own = of("[[view]]\nname='a'\nkey=2\nquery='is:partial'");
        let all = merged(team.unwrap(), own.unwrap());
        let said: Vec<_> = all
            .iter()
            .map(|view| format!("{} {} {}", view.slot.unwrap_or(0), view.name, view.query))
            .collect();
        assert_eq!(said, ["1 b x", "2 a is:partial", "3 c y"]);
    }

    #[test]
    fn mistakes_are_pointed_at() {
        for (text, says) in [
            (
                "[[view]]\nname='a'\nquery='is:faild'",
                "views.toml, line 3: query, character 4: 'faild'",
            ),
            (
                "[[view]]\nname='a'\nkey=0\nquery=''",
                "views.toml, line 3: a view's key",
            ),
            (
                "[[view]]\nname='a'\nquery=''\n[[view]]\nname='a'\nquery=''",
                "line 5: there are two",
            ),
            (
                "[[view]]\nname='a'",
                "views.toml, line 1: missing field `query`",
            ),
            (
                "[[view]]\nname='a'\nquery=''\nscreen='x'",
                "line 4: there is no screen 'x'",
            ),
        ] {
            let error = of(text).unwrap_err();
            assert!(error.contains(says), "{text}\n{error}");
        }
    }
}
