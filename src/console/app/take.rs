//! What answers do to the state. One to a question that is asked no more changes nothing.

use super::{App, Data, Effect, Health, Topic, Trouble};
use opsroom_read::RunPage;

impl App {
    pub(super) fn take(&mut self, data: Data) -> Vec<Effect> {
        if !matches!(data, Data::Lost { .. }) {
            self.health = Health::Live;
            self.answered_at = Some(self.clock.now);
        }
        match data {
            Data::Page { generation, page } => {
                self.clock.learn(page.as_of);
                if generation == self.filter.generation() {
                    self.take_page(&page);
                }
            }
            Data::Headline {
                generation,
                headline,
            } => {
                if generation == self.filter.generation() {
                    self.headline = Some(headline);
                }
            }
            Data::Reach(reach) => self.reach = Some(reach),
            Data::Detail(answer) => self.detail.take(*answer),
            Data::Workers(answer) => self.workers.take(answer),
            Data::Watched(rows) => return self.ring(&rows),
            Data::Comparison(want, compared) => self.comparison.take(want, *compared),
            Data::Failed { topic, trouble } => self.fail(topic, trouble),
            Data::Lost { reason } => self.health = Health::Lost { reason },
        }
        Vec::new()
    }

    fn take_page(&mut self, page: &RunPage) {
        self.travel.keep(page, self.headline.as_ref());
        if self.travel.shown().is_none() {
            self.runs.take(page);
        }
    }

    /// An error about one question is said on its screen; elsewhere it is a word in passing.
    fn fail(&mut self, topic: Topic, trouble: Trouble) {
        match topic {
            Topic::Workers => self.workers.listing.fail(trouble),
            _ => self.say(trouble.what),
        }
    }
}
