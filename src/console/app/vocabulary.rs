//! The values a filter can be completed with: what the login's directory has, what the failure codes
//! mean something for, and who and what stands on the rows shown.

use super::App;
use opsroom_model::catalogue;
use opsroom_model::query::Field;
use opsroom_read::Directory;
use std::sync::Arc;

/// Values by field, as stored: for comparing and inserting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vocabulary {
    tenants: Vec<String>,
    workspaces: Vec<String>,
    types: Vec<String>,
    keys: Vec<String>,
}

impl Vocabulary {
    /// Of what the login sees.
    #[must_use]
    pub fn of(directory: &Directory) -> Self {
        let tenants = &directory.tenants;
        let types = &directory.types;
        let keys = types.iter().flat_map(|known| known.search_keys.clone());
        Self {
            tenants: tenants
                .iter()
                .map(|tenant| tenant.raw_name().to_owned())
                .collect(),
            workspaces: distinct(
                tenants
                    .iter()
                    .map(|tenant| tenant.raw_workspace().to_owned()),
            ),
            types: types
                .iter()
                .map(|known| known.raw_name().to_owned())
                .collect(),
            keys: distinct(keys),
        }
    }
}

/// What is offered right now.
pub(super) struct Live {
    words: Arc<Vocabulary>,
    types: Vec<String>,
    people: Vec<String>,
    codes: Vec<String>,
}

impl Live {
    pub(super) fn values(&self, field: &Field) -> Vec<String> {
        match field {
            Field::Tenant => self.words.tenants.clone(),
            Field::Workspace => self.words.workspaces.clone(),
            Field::Type => self.types.clone(),
            Field::Code => self.codes.clone(),
            Field::By => self.people.clone(),
            Field::Context(key) if key.is_empty() => self.words.keys.clone(),
            _ => Vec::new(),
        }
    }
}

impl App {
    pub(super) fn live_values(&self) -> Live {
        let rows = &self.runs.rows;
        let words = self.reach.as_ref().map(|reach| Arc::clone(&reach.words));
        let words = words.unwrap_or_default();
        let known = catalogue::ENTRIES.iter().map(|entry| entry.code.to_owned());
        let seen = rows.iter().filter_map(|row| row.code.as_ref());
        let types = rows.iter().map(|row| row.run_type.as_str().to_owned());
        Live {
            types: distinct(words.types.iter().cloned().chain(types)),
            people: distinct(rows.iter().map(|row| row.initiator.as_str().to_owned())),
            codes: distinct(known.chain(seen.map(|(code, _)| code.as_str().to_owned()))),
            words,
        }
    }
}

fn distinct(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}
