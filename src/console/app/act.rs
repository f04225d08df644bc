//! What each command does to the state.

use super::choose::sorts;
use super::comparison::{ComparisonWant, With};
use super::menu::MenuKind;
use super::message::Capture;
use super::tree::Fold;
use super::{App, Effect, Focus, Overlay, Pane, Place, Sort, Way};
use crate::keymap::{Action, Step};
use crate::screen;

impl App {
    pub(super) fn act(&mut self, action: Action) -> Vec<Effect> {
        if !self.place().takes(action) {
            self.say(format!("not in {}", self.place().title()));
            return Vec::new();
        }
        match action {
            Action::Quit => return self.quit(),
            Action::QuitNow => return vec![Effect::Quit],
            Action::Suspend => return vec![Effect::Suspend],
            Action::Redraw => return vec![Effect::Redraw],
            Action::CopyId => return self.copy_id(),
            Action::Open => return self.open(),
            Action::Mouse => return self.toggle_mouse(),
            Action::Back => self.back(),
            Action::Go(place) => self.go(place),
            Action::Filter => {
                self.filter.open();
                self.offer();
            }
            Action::NextOffer => self.filter.choose(Way::Down),
            Action::PreviousOffer => self.filter.choose(Way::Up),
            Action::Complete => {
                self.filter.take_offer();
                self.offer();
            }
            Action::Search => self.open_search(),
            Action::NextFound => self.find(Way::Down),
            Action::PreviousFound => self.find(Way::Up),
            Action::ToggleFailures => {
                let query = self.filter.with_failures_toggled();
                self.show_runs(query);
            }
            Action::View(slot) => self.view_of_slot(slot),
            Action::Palette => self.open_menu(MenuKind::Palette, self.palette()),
            Action::Themes => self.open_themes(),
            Action::Sort => self.open_menu(MenuKind::Sort, sorts()),
            Action::CopyMenu => self.open_menu(MenuKind::Copy, self.copies()),
            Action::Invert => self.invert(),
            Action::Help => self.overlay = Some(Overlay::Help { top: 0 }),
            Action::TimeMode => {
                self.clock.mode = self.clock.mode.next();
                self.say(self.clock.mode.label());
            }
            Action::Pause => {
                self.paused = !self.paused;
                self.nudge += u64::from(!self.paused);
            }
            Action::Refresh => self.nudge += 1,
            Action::NextPane | Action::PreviousPane => self.other_pane(),
            Action::Fold => self.fold(Fold::Close),
            Action::Unfold => self.fold(Fold::Open),
            Action::Mark => self.mark(),
            Action::Compare => self.compare(),
            Action::Bell => self.toggle_bell(),
            Action::Follow => self.follow(),
            Action::NextFailed => self.walk_failed(Way::Down),
            Action::PreviousFailed => self.walk_failed(Way::Up),
            Action::Earlier => self.travel_by(Way::Up),
            Action::Later => self.travel_by(Way::Down),
            Action::Move(step) => self.step(step),
        }
        Vec::new()
    }

    /// `q`: one level back, and out of the root.
    fn quit(&mut self) -> Vec<Effect> {
        if self.close_overlay() || self.leave() {
            return Vec::new();
        }
        vec![Effect::Quit]
    }

    /// `Esc`: what lies on top, the input, the past, the pane, the last term of the filter, the
    /// screen.
    fn back(&mut self) {
        let on_runs = self.place() == Place::Runs;
        let filtered = self.place().is_filtered() && !self.filter.query().is_empty();
        if self.close_overlay() || self.filter.unchoose() {
            return;
        }
        if self.filter.is_open() {
            self.filter.close();
        } else if self.detail.search.input.take().is_some() {
        } else if on_runs && self.travel.end() {
            self.arrive();
        } else if on_runs && self.detail_takes_keys() {
            self.focus = Focus::List;
        } else if on_runs && self.areas().detail.is_some() {
            self.detail.pane = Pane::Closed;
        } else if filtered {
            let query = self.filter.query().clone().without_last();
            self.query_changed(query);
        } else {
            self.leave();
        }
    }

    /// Closes what lies over the screen; a theme that was only tried on goes with it.
    fn close_overlay(&mut self) -> bool {
        match self.overlay.take() {
            Some(Overlay::Menu(menu)) => {
                if let Some(theme) = menu.before {
                    self.theme = theme;
                }
                true
            }
            other => other.is_some(),
        }
    }

    /// Back to the screen before. False at the root.
    fn leave(&mut self) -> bool {
        let left = self.stack.back();
        if left == Some(Place::Run) {
            self.detail.pinned = None;
            self.detail.rewind();
        }
        self.focus = Focus::List;
        left.is_some()
    }

    /// To another screen.
    pub(super) fn go(&mut self, place: Place) {
        self.filter.close();
        self.stack.go(place);
        if place != Place::Run {
            self.detail.pinned = None;
        }
        self.focus = Focus::List;
    }

    /// To the runs that fit `query`.
    pub(super) fn show_runs(&mut self, query: opsroom_model::query::Query) {
        self.go(Place::Runs);
        self.query_changed(query);
    }

    /// `Enter`: accepts what is typed or chosen; otherwise goes in.
    fn open(&mut self) -> Vec<Effect> {
        if matches!(self.overlay, Some(Overlay::Menu(_))) {
            return self.choose();
        }
        if self.detail.search.input.is_some() {
            self.accept_search();
        } else if self.filter.has_choice() {
            self.filter.take_offer();
            self.offer();
        } else if self.filter.is_open() {
            if let Some(query) = self.filter.accept() {
                self.query_changed(query);
            }
        } else {
            match self.place() {
                Place::Runs => self.open_detail(),
                Place::Run => self.fold(Fold::Toggle),
                Place::Failures => self.open_code(),
                Place::Tenants | Place::Types => self.open_fare(),
                Place::Workers => self.open_worker(),
                Place::Schedules => self.open_schedule(),
                Place::Notifications => self.open_notification(),
                Place::Comparison => {}
            }
        }
        Vec::new()
    }

    fn open_detail(&mut self) {
        if self.runs.selected().is_none() {
            return;
        }
        if self.detail_takes_keys() && self.on_a_branch() {
            return self.fold(Fold::Toggle);
        }
        if self.detail.pane == Pane::Closed {
            self.detail.pane = Pane::Beside;
            if self.areas().detail.is_some() {
                return;
            }
        }
        self.detail.rewind();
        self.stack.go(Place::Run);
    }

    fn on_a_branch(&self) -> bool {
        let head = self.detail_head();
        let Some((row, value)) = self.detail.at.checked_sub(head).zip(self.detail.context()) else {
            return false;
        };
        let rows = self.detail.tree.window(value, row, 1);
        matches!(
            rows.first().map(|row| &row.what),
            Some(super::tree::What::Branch { .. })
        )
    }

    fn detail_head(&self) -> usize {
        let width = self.areas().detail.map_or(0, |area| area.width);
        screen::detail_head(self, usize::from(width)).len()
    }

    pub(super) fn fold(&mut self, fold: Fold) {
        let head = self.detail_head();
        let Some(node) = self.tree_node(head) else {
            return;
        };
        let mut tree = std::mem::take(&mut self.detail.tree);
        if let Some(value) = self.detail.context()
            && let Some(changed) = tree.fold(value, node, fold)
        {
            self.detail.at = head + tree.row_of(value, changed);
        }
        self.detail.tree = tree;
        self.show_detail_line(self.detail.at);
    }

    fn other_pane(&mut self) {
        if self.place() == Place::Runs && self.areas().detail.is_some() {
            self.focus = match self.focus {
                Focus::List => Focus::Detail,
                Focus::Detail => Focus::List,
            };
        }
    }

    fn copy_id(&mut self) -> Vec<Effect> {
        let Some(id) = self.run_in_hand() else {
            return Vec::new();
        };
        self.say(format!("copied {id}"));
        vec![Effect::Copy(id.to_string())]
    }

    pub(super) fn toggle_mouse(&mut self) -> Vec<Effect> {
        self.mouse = match self.mouse {
            Capture::On => Capture::Off,
            Capture::Off => Capture::On,
        };
        self.say(match self.mouse {
            Capture::On => "mouse: clicks come to the console",
            Capture::Off => "mouse: select text with it",
        });
        vec![Effect::Mouse(self.mouse)]
    }

    fn follow(&mut self) {
        self.detail.pinned = None;
        self.runs.follow = true;
        self.runs.select(0);
    }

    fn walk_failed(&mut self, way: Way) {
        self.detail.pinned = None;
        self.runs.select_failed(way);
    }

    fn mark(&mut self) {
        self.runs.toggle_mark();
        match self.runs.marked {
            Some(id) => self.say(format!("marked #{id}: = compares another with it")),
            None => self.say("no run is marked"),
        }
    }

    fn compare(&mut self) {
        let Some(run) = self.run_in_hand() else {
            return;
        };
        let with = match self.runs.marked.filter(|marked| *marked != run) {
            Some(marked) => With::Run(marked),
            None => With::LastSuccess,
        };
        self.comparison.begin(ComparisonWant { run, with });
        self.stack.go(Place::Comparison);
    }

    fn invert(&mut self) {
        match self.runs.sort.inverted() {
            Some(sort) => self.order(sort),
            None => self.say("the newest come first: the other end is not read"),
        }
    }

    /// Puts the runs in another order. Moments of the former order are no way back.
    pub(super) fn order(&mut self, sort: Sort) {
        if self.runs.sort != sort {
            self.runs.order(sort);
            self.runs.follow = sort == Sort::Created;
            self.travel.clear();
            self.clock.freeze(None);
        }
    }

    pub(super) fn step(&mut self, step: Step) {
        let list_height = usize::from(self.areas().list.height);
        match &mut self.overlay {
            Some(Overlay::Help { top }) => {
                let (height, lines) = screen::help_extent(self.size);
                *top = step.from(*top, height, lines.saturating_sub(height));
                return;
            }
            Some(Overlay::Menu(menu)) => {
                let last = menu.shown().len().saturating_sub(1);
                menu.at = step.from(menu.at, 8, last);
                return self.preview();
            }
            None => {}
        }
        if self.detail_takes_keys() {
            return self.step_in_detail(step);
        }
        match self.place() {
            Place::Comparison => {
                let height = usize::from(self.areas().detail.map_or(1, |area| area.height)).max(1);
                let last = screen::comparison_height(self).saturating_sub(height);
                self.comparison.top = step.from(self.comparison.top, height, last);
            }
            Place::Runs | Place::Run => {
                let last = self.runs.rows.len().saturating_sub(1);
                self.runs.follow = step == Step::Top;
                self.runs
                    .select(step.from(self.runs.at(), list_height.max(1), last));
            }
            _ => {
                if let Some(list) = self.list_mut() {
                    list.step(step, list_height);
                }
            }
        }
    }

    fn step_in_detail(&mut self, step: Step) {
        let Some(area) = self.areas().detail else {
            return;
        };
        let last = screen::detail_height(self, usize::from(area.width)).saturating_sub(1);
        let at = step.from(
            self.detail.at.min(last),
            usize::from(area.height).max(1),
            last,
        );
        self.show_detail_line(at);
        if at >= last {
            self.detail.want_more_items();
        }
    }

    /// Makes the line at `at` the one the keys are about, and shows it.
    pub(super) fn show_detail_line(&mut self, at: usize) {
        let height = usize::from(self.areas().detail.map_or(1, |area| area.height)).max(1);
        self.detail.at = at;
        self.detail.top = self.detail.top.min(at).max((at + 1).saturating_sub(height));
    }
}
