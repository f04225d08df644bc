//! What a configuration may change of the console, read and checked already.

use super::message::Capture;
use super::place::Place;
use crate::keymap::Keymap;
use opsroom_model::query::Query;

/// What a configuration says.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The keys.
    pub keymap: Keymap,
    /// Saved views, in the order they are offered.
    pub views: Vec<SavedView>,
    /// The address of a run elsewhere, with `{id}` where its id goes.
    pub link: Option<String>,
    /// The address of what a team knows of a failure code, with `{code}` where it goes.
    pub runbook: Option<String>,
    /// Whether the mouse is ours from the beginning.
    pub mouse: Capture,
    /// The name of the profile in use.
    pub profile: Option<String>,
    /// The profiles one can turn to.
    pub profiles: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            keymap: Keymap::default(),
            views: Vec::new(),
            link: None,
            runbook: None,
            mouse: Capture::On,
            profile: None,
            profiles: Vec::new(),
        }
    }
}

/// A filter somebody gave a name.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedView {
    /// Its name.
    pub name: String,
    /// Its key, from 1 to 9.
    pub slot: Option<u8>,
    /// Which runs.
    pub query: Query,
    /// The screen it opens.
    pub place: Place,
}
