//! What keys do.

use super::{App, Effect, Focus, Overlay, Pane};
use crate::keymap::{self, Context, Step};
use crossterm::event::{Event, KeyEvent};
use tui_input::backend::crossterm::to_input_request;

impl App {
    pub(super) fn key(&mut self, key: KeyEvent) -> Vec<Effect> {
        self.last_key_at = self.clock.now;
        let context = self.context();
        if let Some(action) = keymap::action(context, key) {
            return self.act(action);
        }
        if context == Context::Input
            && let Some(request) = to_input_request(&Event::Key(key))
        {
            self.filter.edit(request);
        }
        Vec::new()
    }

    /// `q`: one level back, and out of the root.
    pub(super) fn quit(&mut self) -> Vec<Effect> {
        if self.overlay.take().is_some() {
            return Vec::new();
        }
        if self.detail.pane == Pane::Full {
            self.detail.pane = Pane::Beside;
            self.focus = Focus::List;
            return Vec::new();
        }
        vec![Effect::Quit]
    }

    /// `Enter`: accepts what is typed; otherwise gives the detail more room.
    pub(super) fn open(&mut self) {
        if self.filter.is_open() {
            if let Some(query) = self.filter.accept() {
                self.query_changed(query);
            }
            return;
        }
        if self.runs.selected().is_none() {
            return;
        }
        let pane_fits = self.areas().detail.is_some();
        self.detail.pane = match self.detail.pane {
            Pane::Closed => Pane::Beside,
            Pane::Beside | Pane::Full => Pane::Full,
        };
        if self.detail.pane == Pane::Beside && !pane_fits && self.areas().detail.is_none() {
            self.detail.pane = Pane::Full;
        }
        if self.detail.pane == Pane::Full {
            self.focus = Focus::Detail;
        }
    }

    /// `Esc`: leaves what lies on top, then the input, the detail, the last term of the filter.
    pub(super) fn back(&mut self) {
        if self.overlay.take().is_some() {
        } else if self.filter.is_open() {
            self.filter.close();
        } else if self.detail.pane == Pane::Full {
            self.detail.pane = Pane::Beside;
            self.detail.top = 0;
            self.focus = Focus::List;
        } else if self.focus == Focus::Detail {
            self.focus = Focus::List;
        } else if self.areas().detail.is_some() {
            self.detail.pane = Pane::Closed;
        } else if !self.filter.query().is_empty() {
            let query = self.filter.query().clone().without_last();
            self.query_changed(query);
        }
    }

    /// A filter is about the list: what covers it goes.
    pub(super) fn uncover_list(&mut self) {
        if self.detail.pane == Pane::Full {
            self.detail.pane = Pane::Beside;
        }
        self.focus = Focus::List;
    }

    pub(super) fn toggle_failures(&mut self) {
        let query = self.filter.with_failures_toggled();
        self.query_changed(query);
    }

    pub(super) fn other_pane(&mut self) {
        if self.detail.pane == Pane::Beside && self.areas().detail.is_some() {
            self.focus = match self.focus {
                Focus::List => Focus::Detail,
                Focus::Detail => Focus::List,
            };
        }
    }

    pub(super) fn copy_id(&mut self) -> Vec<Effect> {
        let Some(id) = self.runs.selected() else {
            return Vec::new();
        };
        self.say(format!("copied {id}"));
        vec![Effect::Copy(id.to_string())]
    }

    pub(super) fn step(&mut self, step: Step) {
        if let Some(Overlay::Help { top }) = self.overlay {
            let height = usize::from(self.size.1).saturating_sub(4).max(1);
            let last = keymap::help_lines().saturating_sub(height);
            let top = step.from(top, height, last);
            self.overlay = Some(Overlay::Help { top });
        } else if self.detail_takes_keys() {
            self.scroll_detail(step);
        } else {
            let height = usize::from(self.areas().list.height).max(1);
            let last = self.runs.rows.len().saturating_sub(1);
            self.runs.follow = step == Step::Top;
            self.runs.select(step.from(self.runs.at(), height, last));
        }
    }

    fn scroll_detail(&mut self, step: Step) {
        let Some(area) = self.areas().detail else {
            return;
        };
        let height = usize::from(area.height).max(1);
        let lines = crate::screen::detail_height(self, usize::from(area.width));
        let last = lines.saturating_sub(height);
        self.detail.top = step.from(self.detail.top, height, last);
        if self.detail.top >= last {
            self.detail.want_more_items();
        }
    }
}
