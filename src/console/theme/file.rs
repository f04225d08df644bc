//! A theme file: a palette, and which role uses which of its colours. A file may inherit another one
//! and say only what differs.

use super::color::{Paint, parse_ansi, parse_rgb};
use super::{Depth, Role, Theme};
use ratatui::style::{Modifier, Style};
use serde::Deserialize;
use std::collections::BTreeMap;
use thiserror::Error;

/// Why a theme cannot be used. Names the file's own words.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ThemeError {
    /// Not TOML, or not of a theme's shape.
    #[error("theme '{theme}': {reason}")]
    Syntax {
        /// Which.
        theme: String,
        /// Line, column and what is wrong.
        reason: String,
    },
    /// A colour that is none.
    #[error("theme '{theme}': palette.{color}: {reason}")]
    Color {
        /// Which theme.
        theme: String,
        /// Which colour.
        color: String,
        /// What would work.
        reason: String,
    },
    /// A role nobody asks for.
    #[error("theme '{theme}': there is no role '{role}': one of {}", role_names())]
    UnknownRole {
        /// Which theme.
        theme: String,
        /// The word that is no role.
        role: String,
    },
    /// A role that names a colour the palette lacks.
    #[error("theme '{theme}': roles.{role} names '{color}', which is not in the palette")]
    UnknownColor {
        /// Which theme.
        theme: String,
        /// Which role.
        role: &'static str,
        /// The missing colour.
        color: String,
    },
}

fn role_names() -> String {
    let names: Vec<_> = Role::ALL.iter().map(|role| role.name()).collect();
    names.join(", ")
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    name: String,
    inherits: Option<String>,
    #[serde(default)]
    palette: BTreeMap<String, StoredPaint>,
    #[serde(default)]
    roles: BTreeMap<String, StoredRole>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredPaint {
    rgb: String,
    ansi: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct StoredRole {
    fg: Option<String>,
    bg: Option<String>,
    bold: bool,
    italic: bool,
    underline: bool,
}

/// A theme file that was read, with the colours checked.
#[derive(Debug, Clone)]
pub(super) struct Sheet {
    pub name: String,
    pub inherits: Option<String>,
    palette: BTreeMap<String, Paint>,
    roles: BTreeMap<String, StoredRole>,
}

impl Sheet {
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, ThemeError> {
        let stored: Stored = toml::from_str(text).map_err(|error| ThemeError::Syntax {
            theme: name.to_owned(),
            reason: place(text, &error),
        })?;
        let known = |role: &String| Role::ALL.iter().any(|known| known.name() == role);
        if let Some(role) = stored.roles.keys().find(|role| !known(role)) {
            return Err(ThemeError::UnknownRole {
                theme: stored.name,
                role: role.clone(),
            });
        }
        let mut palette = BTreeMap::new();
        for (color, paint) in stored.palette {
            let paint = read_paint(&stored.name, &color, &paint)?;
            palette.insert(color, paint);
        }
        Ok(Self {
            name: stored.name,
            inherits: stored.inherits,
            palette,
            roles: stored.roles,
        })
    }

    /// This sheet with what it does not say taken from `base`.
    pub(super) fn over(mut self, base: &Self) -> Self {
        for (color, paint) in &base.palette {
            self.palette.entry(color.clone()).or_insert(*paint);
        }
        for (role, style) in &base.roles {
            self.roles
                .entry(role.clone())
                .or_insert_with(|| style.clone());
        }
        self
    }

    pub(super) fn theme(&self, depth: Depth) -> Result<Theme, ThemeError> {
        let mut styles = Vec::with_capacity(Role::ALL.len());
        for role in Role::ALL {
            styles.push(self.style(*role, depth)?);
        }
        Ok(Theme {
            name: self.name.clone(),
            styles,
        })
    }

    fn style(&self, role: Role, depth: Depth) -> Result<Style, ThemeError> {
        let plain = StoredRole::default();
        let stored = self.roles.get(role.name()).unwrap_or(&plain);
        let color = |name: &String| match self.palette.get(name) {
            Some(paint) => Ok(paint.at(depth)),
            None => Err(ThemeError::UnknownColor {
                theme: self.name.clone(),
                role: role.name(),
                color: name.clone(),
            }),
        };
        let mut style = Style {
            fg: stored.fg.as_ref().map(color).transpose()?.flatten(),
            bg: stored.bg.as_ref().map(color).transpose()?.flatten(),
            ..Style::default()
        };
        for (wanted, modifier) in [
            (stored.bold, Modifier::BOLD),
            (stored.italic, Modifier::ITALIC),
            (stored.underline, Modifier::UNDERLINED),
        ] {
            if wanted {
                style = style.add_modifier(modifier);
            }
        }
        if depth == Depth::None && matches!(role, Role::Stale | Role::Chip | Role::Found) {
            style = style.add_modifier(Modifier::REVERSED);
        }
        Ok(style)
    }
}

fn read_paint(theme: &str, color: &str, stored: &StoredPaint) -> Result<Paint, ThemeError> {
    let wrong = |reason: String| ThemeError::Color {
        theme: theme.to_owned(),
        color: color.to_owned(),
        reason,
    };
    let rgb = parse_rgb(&stored.rgb)
        .ok_or_else(|| wrong(format!("'{}' is no colour: write #rrggbb", stored.rgb)))?;
    let ansi = parse_ansi(&stored.ansi).ok_or_else(|| {
        wrong(format!(
            "'{}' is no ANSI colour: one of default, black, red, … lightcyan, white",
            stored.ansi
        ))
    })?;
    Ok(Paint { rgb, ansi })
}

/// "line 3, column 7: …", on one line.
fn place(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().lines().collect::<Vec<_>>().join(" ");
    let Some(span) = error.span() else {
        return message;
    };
    let before = text.get(..span.start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |last| last.chars().count())
        + 1;
    format!("line {line}, column {column}: {message}")
}
