//! The configuration: what holds everywhere, keys, and profiles that say what differs.

use super::{ConfigError, read};
use crate::keymap::Keymap;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// What can be said at the top of the file, and again in a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// The database, without a password.
    pub url: Option<Spanned<String>>,
    /// The theme.
    pub theme: Option<String>,
    /// Whether the mouse is ours.
    pub mouse: Option<bool>,
    /// The address of a run elsewhere, with `{id}` in it.
    pub link: Option<Spanned<String>>,
    /// The address of what the team knows of a failure code, with `{code}` in it.
    pub runbook: Option<Spanned<String>>,
    /// The team's views.
    pub team_views: Option<PathBuf>,
}

impl Profile {
    fn over(self, base: Self) -> Self {
        Self {
            url: self.url.or(base.url),
            theme: self.theme.or(base.theme),
            mouse: self.mouse.or(base.mouse),
            link: self.link.or(base.link),
            runbook: self.runbook.or(base.runbook),
            team_views: self.team_views.or(base.team_views),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stored {
    profile: Option<Spanned<String>>,
    keys: BTreeMap<String, Spanned<Keys>>,
    profiles: BTreeMap<String, Profile>,
    // Flattening would lose unknown fields and places: the same fields once more.
    url: Option<Spanned<String>>,
    theme: Option<String>,
    mouse: Option<bool>,
    link: Option<Spanned<String>>,
    runbook: Option<Spanned<String>>,
    team_views: Option<PathBuf>,
}

/// `"p"` or `["p", "ctrl-p"]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a key in quotes, or several in brackets")]
enum Keys {
    One(String),
    Several(Vec<String>),
}

/// A configuration, read and checked.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The keys.
    pub keymap: Keymap,
    /// What the chosen profile says, over what holds everywhere.
    pub profile: Profile,
    /// The name of the chosen profile.
    pub name: Option<String>,
    /// The names of all.
    pub names: Vec<String>,
}

const FIELDS: &[&str] = &[
    "profile",
    "url",
    "theme",
    "mouse",
    "link",
    "runbook",
    "team_views",
    "keys",
    "profiles",
];

impl Config {
    /// Reads `path`, and takes the profile called `name`, or the one the file names. A file that does
    /// not exist says nothing, but has no profiles either.
    ///
    /// # Errors
    /// [`ConfigError`] points at the first mistake.
    pub fn load(path: &Path, name: Option<&str>) -> Result<Self, ConfigError> {
        match read(path)? {
            Some(text) => Self::parse(path, &text, name),
            None if name.is_some() => Err(ConfigError::new(
                path,
                "there is no such file, and so no profile",
            )),
            None => Ok(Self::default()),
        }
    }

    fn parse(path: &Path, text: &str, name: Option<&str>) -> Result<Self, ConfigError> {
        let syntax = |error: toml::de::Error| ConfigError::syntax(path, text, &error);
        let table: toml::Table = toml::from_str(text).map_err(syntax)?;
        if let Some(unknown) = table.keys().find(|key| !FIELDS.contains(&key.as_str())) {
            let line = text.find(unknown.as_str()).unwrap_or(0);
            let reason = format!("there is no '{unknown}': one of {}", FIELDS.join(", "));
            return Err(ConfigError::at(path, text, line, reason));
        }
        let stored: Stored = toml::from_str(text).map_err(syntax)?;
        let keymap = keymap(path, text, &stored.keys)?;
        let base = Profile {
            url: stored.url,
            theme: stored.theme,
            mouse: stored.mouse,
            link: stored.link,
            runbook: stored.runbook,
            team_views: stored.team_views,
        };
        let place = stored.profile.as_ref().map_or(0, |name| name.span().start);
        let name = name.or(stored.profile.as_ref().map(|name| name.as_ref().as_str()));
        let profile = match name {
            None => base,
            Some(name) => match stored.profiles.get(name) {
                Some(profile) => profile.clone().over(base),
                None => {
                    let known: Vec<_> = stored.profiles.keys().map(String::as_str).collect();
                    let reason = match known.is_empty() {
                        true => format!("there is no profile '{name}': write [profiles.{name}]"),
                        false => {
                            format!("there is no profile '{name}': one of {}", known.join(", "))
                        }
                    };
                    return Err(ConfigError::at(path, text, place, reason));
                }
            },
        };
        check(path, text, &profile)?;
        Ok(Self {
            keymap,
            profile,
            name: name.map(str::to_owned),
            names: stored.profiles.keys().cloned().collect(),
        })
    }
}

fn keymap(
    path: &Path,
    text: &str,
    stored: &BTreeMap<String, Spanned<Keys>>,
) -> Result<Keymap, ConfigError> {
    let mut keymap = Keymap::default();
    for (name, keys) in stored {
        let written = match keys.as_ref() {
            Keys::One(key) => std::slice::from_ref(key),
            Keys::Several(keys) => keys,
        };
        keymap
            .rebind(name, written)
            .map_err(|error| ConfigError::at(path, text, keys.span().start, error))?;
    }
    // Only now: two commands may have changed places.
    for (name, keys) in stored {
        keymap
            .check(name)
            .map_err(|error| ConfigError::at(path, text, keys.span().start, error))?;
    }
    Ok(keymap)
}

fn check(path: &Path, text: &str, profile: &Profile) -> Result<(), ConfigError> {
    if let Some(url) = &profile.url {
        let authority = url.as_ref().split("://").nth(1).unwrap_or_default();
        let login = authority.rsplit_once('@').map_or("", |(login, _)| login);
        let query = authority.split_once('?').map_or("", |(_, query)| query);
        if login.contains(':') || query.split('&').any(|part| part.starts_with("password=")) {
            let reason = "no password here: keep it in ~/.pgpass or PGPASSWORD";
            return Err(ConfigError::at(path, text, url.span().start, reason));
        }
    }
    for (address, place, reason) in [
        (
            &profile.link,
            "{id}",
            "a link has {id} where the run's id goes",
        ),
        (
            &profile.runbook,
            "{code}",
            "a runbook has {code} where the failure code goes",
        ),
    ] {
        if let Some(address) = address
            && !address.as_ref().contains(place)
        {
            return Err(ConfigError::at(path, text, address.span().start, reason));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, name: Option<&str>) -> Result<Config, String> {
        Config::parse(Path::new("config.toml"), text, name).map_err(|error| error.to_string())
    }

    #[test]
    fn a_profile_says_what_differs() {
        let text = "theme = 'dark'\nprofile = 'staging'\n[profiles.staging]\nurl = 'postgres://me@s/ops'\n\
                    [profiles.prod]\nurl = 'postgres://me@p/ops'\ntheme = 'high-contrast'";
        let url = |config: &Config| config.profile.url.clone().map(Spanned::into_inner);
        let staging = parse(text, None).unwrap();
        assert_eq!(url(&staging).as_deref(), Some("postgres://me@s/ops"));
        assert_eq!(staging.profile.theme.as_deref(), Some("dark"));
        let prod = parse(text, Some("prod")).unwrap();
        assert_eq!(prod.profile.theme.as_deref(), Some("high-contrast"));
    }

    #[test]
    fn mistakes_are_pointed_at() {
        for (text, says) in [
            (
                "theme = 'dark'\ntheem = 'x'",
                "config.toml, line 2: there is no 'theem'",
            ),
            ("theme = 3", "config.toml, line 1: invalid type"),
            (
                "profile = 'x'",
                "config.toml, line 1: there is no profile 'x'",
            ),
            (
                "\n[keys]\npause = 'f'",
                "config.toml, line 3: 'f' already means 'follow'",
            ),
            (
                "[keys]\npause = 3",
                "config.toml, line 2: a key in quotes, or several in brackets",
            ),
            (
                "[keys]\npauze = 'f'",
                "config.toml, line 2: there is no command 'pauze'",
            ),
            (
                "[keys]\npause = ['p', 'ö']",
                "config.toml, line 2: 'ö' is no key",
            ),
            (
                "url = 'postgres://me:pw@h/d'",
                "config.toml, line 1: no password here",
            ),
            (
                "url = 'postgres://me@h/d?password=x'",
                "line 1: no password here",
            ),
            ("link = 'https://x'", "config.toml, line 1: a link has {id}"),
            ("runbook = 'x'", "config.toml, line 1: a runbook has {code}"),
            (
                "[profiles.x]\nfoo = 1",
                "config.toml, line 2: unknown field `foo`",
            ),
        ] {
            let error = parse(text, None).unwrap_err();
            assert!(error.contains(says), "{text}\n{error}");
            assert!(!error.contains("pw"), "{error}");
        }
    }

    #[test]
    fn two_commands_may_change_places() {
        assert!(parse("[keys]\npause = 'f'\nfollow = 'p'", None).is_ok());
    }
}
