//! What answers do to the state. One to a question that is asked no more changes nothing.

use super::board::Moves;
use super::{App, Data, Effect, Health, Sort, Topic, Trouble, workers};
use opsroom_read::By;
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
                let listed = self.runs.sort == Sort::Created;
                if generation == self.filter.generation() && listed {
                    self.take_page(&page);
                }
            }
            Data::Older {
                generation,
                before,
                page,
            } => {
                if generation == self.filter.generation() && self.travel.shown().is_none() {
                    self.runs.take_older(before, &page);
                }
            }
            Data::Sorted {
                generation,
                sort,
                page,
            } => {
                self.clock.learn(page.page.as_of);
                if generation == self.filter.generation() && sort == self.runs.sort {
                    self.travel.keep(&page.page);
                    if self.travel.shown().is_none() {
                        self.runs.take_sorted(&page);
                    }
                }
            }
            Data::Sparkline { generation, points } => {
                if generation == self.filter.generation() {
                    self.sparkline = points;
                }
            }
            Data::Headline {
                generation,
                headline,
            } => {
                if generation == self.filter.generation() {
                    self.travel.count(&headline);
                    if self.travel.shown().is_none() {
                        self.headline = Some(headline);
                    }
                }
            }
            Data::Reach(reach) => self.reach = Some(reach),
            Data::Detail(answer) => self.detail.take(*answer),
            Data::History(id, answer) => self.detail.take_history(id, *answer),
            Data::Workers(answer) => self.workers.take(workers::rows(answer), ()),
            Data::Failures { generation, board } => {
                if generation == self.filter.generation() {
                    match board {
                        Some(board) => {
                            self.clock.learn(board.as_of);
                            self.failures.take_board(board);
                        }
                        None => self.failures.behind(),
                    }
                }
            }
            Data::Health {
                by,
                generation,
                board,
            } => {
                let fares = match by {
                    By::Tenant => &mut self.tenants,
                    By::Type => &mut self.types,
                };
                if generation == self.filter.generation() {
                    match board {
                        Some(board) => {
                            self.clock.learn(board.as_of);
                            fares.take_board(board);
                        }
                        None => fares.behind(),
                    }
                }
            }
            Data::Schedules(answer) => {
                self.clock.learn(answer.as_of);
                self.schedules.take(answer.rows, answer.more);
            }
            Data::Notifications(answer) => self.notifications.take(answer),
            Data::Watched(rows) => return self.ring(&rows),
            Data::Comparison(want, compared) => self.comparison.take(want, *compared),
            Data::Failed { topic, trouble } => self.fail(topic, trouble),
            Data::Lost { reason } => self.health = Health::Lost { reason },
        }
        Vec::new()
    }

    fn take_page(&mut self, page: &RunPage) {
        self.travel.keep(page);
        if self.travel.shown().is_none() {
            self.runs.take(page);
        }
    }

    /// An error about one question is said on its screen; elsewhere it is a word in passing.
    fn fail(&mut self, topic: Topic, trouble: Trouble) {
        match topic {
            Topic::Page => {
                self.order(Sort::Created);
                self.say(trouble.what);
            }
            Topic::Failures => self.failures.fail(trouble),
            Topic::Tenants => self.tenants.fail(trouble),
            Topic::Types => self.types.fail(trouble),
            Topic::Schedules => self.schedules.fail(trouble),
            Topic::Notifications => self.notifications.board.fail(trouble),
            Topic::Workers => self.workers.fail(trouble),
            Topic::Detail => {
                if self.detail.fail(&trouble) {
                    self.say(trouble.what);
                }
            }
            Topic::Comparison => self.comparison.fail(trouble),
            // Words about the runs before are a help, not what was asked for.
            Topic::History => {}
            _ => self.say(trouble.what),
        }
    }
}
