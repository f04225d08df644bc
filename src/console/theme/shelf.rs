//! The themes there are: those built in, and those of a folder of the person's own, which may
//! replace a built-in one by its name.

use super::file::Sheet;
use super::{Depth, Theme, ThemeError};
use std::path::Path;
use thiserror::Error;

const BUILT_IN: &[(&str, &str)] = &[
    ("dark", include_str!("../../../themes/dark.toml")),
    ("light", include_str!("../../../themes/light.toml")),
    (
        "high-contrast",
        include_str!("../../../themes/high-contrast.toml"),
    ),
    (
        "colour-blind-safe",
        include_str!("../../../themes/colour-blind-safe.toml"),
    ),
    (
        "monochrome",
        include_str!("../../../themes/monochrome.toml"),
    ),
];

/// Why a theme was not to be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ShelfError {
    /// No theme has that name.
    #[error("there is no theme '{name}': one of {known}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// Those there are.
        known: String,
    },
    /// Themes inherit each other in a circle.
    #[error("theme '{0}' inherits itself")]
    Circle(String),
    /// A file cannot be used.
    #[error(transparent)]
    Theme(#[from] ThemeError),
}

/// Every theme at hand, by name.
#[derive(Debug, Clone)]
pub struct Shelf {
    sheets: Vec<Sheet>,
    depth: Depth,
}

impl Shelf {
    /// The built-in themes, and every `*.toml` of `folder`, where there is one.
    ///
    /// # Errors
    /// The first file that is no theme.
    pub fn open(folder: Option<&Path>, depth: Depth) -> Result<Self, ShelfError> {
        let mut sheets = Vec::new();
        for (name, text) in BUILT_IN {
            sheets.push(Sheet::parse(name, text)?);
        }
        let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok());
        let mut paths: Vec<_> = entries
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        paths.sort();
        for path in paths
            .iter()
            .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
        {
            let name = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let Ok(text) = std::fs::read_to_string(path) else {
                continue;
            };
            let sheet = Sheet::parse(&name, &text)?;
            sheets.retain(|known: &Sheet| known.name != sheet.name);
            sheets.push(sheet);
        }
        Ok(Self { sheets, depth })
    }

    /// The names, in order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.sheets
            .iter()
            .map(|sheet| sheet.name.as_str())
            .collect()
    }

    /// The theme called `name`.
    ///
    /// # Errors
    /// [`ShelfError`] where there is none, or where it or one it inherits cannot be used.
    pub fn theme(&self, name: &str) -> Result<Theme, ShelfError> {
        let mut sheet = self.sheet(name)?.clone();
        let mut next = sheet.inherits.clone();
        for _ in 0..=self.sheets.len() {
            let Some(base) = next else {
                return Ok(sheet.theme(self.depth)?);
            };
            let base = self.sheet(&base)?;
            next = base.inherits.clone();
            sheet = sheet.over(base);
        }
        Err(ShelfError::Circle(name.to_owned()))
    }

    /// The theme after the one called `name`.
    ///
    /// # Errors
    /// As [`Shelf::theme`].
    pub fn after(&self, name: &str) -> Result<Theme, ShelfError> {
        let names = self.names();
        let at = names
            .iter()
            .position(|known| *known == name)
            .map_or(0, |at| at + 1);
        self.theme(names[at % names.len()])
    }

    fn sheet(&self, name: &str) -> Result<&Sheet, ShelfError> {
        let found = self.sheets.iter().find(|sheet| sheet.name == name);
        found.ok_or_else(|| ShelfError::Unknown {
            name: name.chars().take(40).collect(),
            known: self.names().join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::Role;

    #[test]
    fn every_built_in_theme_names_every_role_at_every_depth() {
        for depth in [Depth::None, Depth::Ansi16, Depth::Ansi256, Depth::True] {
            let shelf = Shelf::open(None, depth).unwrap();
            for name in shelf.names() {
                let theme = shelf.theme(name).unwrap();
                if depth > Depth::None {
                    for role in Role::ALL {
                        assert!(theme.style(*role).fg.is_some(), "{name} {role:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_text_of_a_built_in_theme_can_be_read() {
        let shelf = Shelf::open(None, Depth::True).unwrap();
        let mut weak = Vec::new();
        for name in shelf.names() {
            let theme = shelf.theme(name).unwrap();
            let least = if name == "high-contrast" { 7.0 } else { 4.5 };
            // Rules and empty parts of bars are no text.
            for role in Role::ALL.iter().filter(|role| **role != Role::Faint) {
                for ground in [Role::Screen, Role::Selected] {
                    let contrast = theme.contrast(*role, ground).unwrap();
                    if contrast < least {
                        weak.push(format!("{name} {role:?} on {ground:?}: {contrast:.2}"));
                    }
                }
            }
        }
        assert!(weak.is_empty(), "{weak:#?}");
    }

    #[test]
    fn every_theme_file_of_the_repository_is_built_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../themes");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                entry
                    .unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        files.sort();
        let mut built_in: Vec<_> = BUILT_IN
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        built_in.sort();
        assert_eq!(files, built_in);
    }

    #[test]
    fn mistakes_are_pointed_at() {
        let says = |text: &str| Sheet::parse("mine", text).unwrap_err().to_string();
        assert!(says("name = \"mine\"\nname = 3").contains("line 2"));
        assert!(says("name = \"mine\"\n[roles]\nfoo = {}").contains("no role 'foo'"));
        let text = "name = \"mine\"\n[palette]\nx = { rgb = \"red\", ansi = \"red\" }";
        assert!(says(text).contains("palette.x: 'red' is no colour"));
    }

    #[test]
    fn a_circle_ends() {
        let mut shelf = Shelf::open(None, Depth::True).unwrap();
        let text = "name = \"a\"\ninherits = \"a\"";
        shelf.sheets.push(Sheet::parse("a", text).unwrap());
        assert_eq!(shelf.theme("a"), Err(ShelfError::Circle("a".into())));
    }
}
