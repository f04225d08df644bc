//! Where things are kept, as the XDG base directories say.

use std::ffi::OsString;
use std::path::PathBuf;

/// The folders of one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folders {
    /// Configuration, views and themes.
    pub config: Option<PathBuf>,
    /// What is remembered from one start to the next.
    pub state: Option<PathBuf>,
}

impl Folders {
    /// The folders the environment names.
    #[must_use]
    pub fn of_environment() -> Self {
        Self::of(&|name| std::env::var_os(name))
    }

    fn of(var: &impl Fn(&str) -> Option<OsString>) -> Self {
        let folder = |name: &str, below: &str| {
            // The standard wants relative paths passed over.
            let named = var(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute());
            let home = || Some(PathBuf::from(var("HOME")?).join(below));
            Some(named.or_else(home)?.join("opsroom"))
        };
        Self {
            config: folder("XDG_CONFIG_HOME", ".config"),
            state: folder("XDG_STATE_HOME", ".local/state"),
        }
    }

    /// The configuration's usual place.
    #[must_use]
    pub fn config_file(&self) -> Option<PathBuf> {
        Some(self.config.as_ref()?.join("config.toml"))
    }

    /// The views of one's own.
    #[must_use]
    pub fn views_file(&self) -> Option<PathBuf> {
        Some(self.config.as_ref()?.join("views.toml"))
    }

    /// The themes of one's own.
    #[must_use]
    pub fn themes(&self) -> Option<PathBuf> {
        Some(self.config.as_ref()?.join("themes"))
    }

    /// When one last looked.
    #[must_use]
    pub fn looks_file(&self) -> Option<PathBuf> {
        Some(self.state.as_ref()?.join("looks.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_folder_beats_the_home_folder_and_a_relative_one_is_no_folder() {
        let of = |config: &'static str| {
            Folders::of(&move |name: &str| match name {
                "HOME" => Some("/home/o".into()),
                "XDG_CONFIG_HOME" => Some(config.into()),
                _ => None,
            })
        };
        assert_eq!(of("/etc/me").config, Some("/etc/me/opsroom".into()));
        assert_eq!(of("me").config, Some("/home/o/.config/opsroom".into()));
        assert_eq!(of("").state, Some("/home/o/.local/state/opsroom".into()));
        assert_eq!(Folders::of(&|_: &str| None), Folders::default());
    }
}
