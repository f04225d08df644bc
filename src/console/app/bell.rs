//! Bells: asked for on a run that is under way, rung once it ended.

use super::{App, Effect};
use opsroom_read::RunRow;
use std::sync::Arc;

/// Runs a bell can be asked for at a time.
const MAX_WATCHED: usize = 50;

impl App {
    pub(super) fn toggle_bell(&mut self) {
        let Some(id) = self.run_in_hand() else {
            return;
        };
        if let Some(at) = self.watched.iter().position(|known| *known == id) {
            self.watched.remove(at);
            return self.say(format!("no bell for #{id}"));
        }
        let ended = self
            .runs
            .rows
            .iter()
            .any(|row| row.id == id && !row.state.is_active());
        if ended {
            self.say(format!("#{id} has ended already"));
        } else if self.watched.len() == MAX_WATCHED {
            self.say(format!("there are {MAX_WATCHED} bells already"));
        } else {
            self.watched.push(id);
            self.say(format!("a bell rings when #{id} ends"));
        }
    }

    /// A bell for each run that has ended.
    pub(super) fn ring(&mut self, rows: &[Arc<RunRow>]) -> Vec<Effect> {
        let mut effects = Vec::new();
        for row in rows.iter().filter(|row| !row.state.is_active()) {
            let Some(at) = self.watched.iter().position(|known| *known == row.id) else {
                continue;
            };
            self.watched.remove(at);
            let state = row.state.outcome().label().to_lowercase();
            let word = format!("#{} {} {}: {state}", row.id, row.run_type, row.tenant);
            self.say(word.clone());
            effects.push(Effect::Bell(word));
        }
        effects
    }
}
