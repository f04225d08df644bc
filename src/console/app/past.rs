//! Moving through the moments of the list.

use super::{App, Way};

impl App {
    pub(super) fn travel_by(&mut self, way: Way) {
        let moved = match way {
            Way::Up => self.travel.back(),
            Way::Down => self.travel.forward(),
        };
        if moved {
            self.arrive();
        } else {
            self.say(match way {
                Way::Up => "nothing before this was seen",
                Way::Down => "this is now",
            });
        }
    }

    /// Shows the moment travelled to, or now.
    pub(super) fn arrive(&mut self) {
        self.clock.freeze(self.travel.shown_at());
        let counts = match self.travel.shown() {
            Some(moment) => moment.headline.as_ref(),
            None => self.travel.counts(),
        };
        if let Some(counts) = counts {
            self.headline = Some(counts.clone());
        }
        let moment = self.travel.shown().or_else(|| self.travel.newest());
        if let Some(moment) = moment.cloned() {
            self.runs.show(&moment.page);
        }
        // Now is asked for anew.
        self.nudge += u64::from(self.travel.shown().is_none());
    }
}
