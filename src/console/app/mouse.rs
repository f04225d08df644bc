//! What the mouse does: a click selects, a second one opens, the wheel moves.

use super::{App, Effect, Focus, Overlay, Place};
use crate::keymap::{Action, Step};
use crate::screen;
use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

/// Rows the wheel moves by.
const WHEEL: usize = 3;

impl App {
    pub(super) fn pointed(&mut self, event: MouseEvent) -> Vec<Effect> {
        self.last_key_at = self.clock.now;
        let at = Position::new(event.column, event.row);
        match event.kind {
            MouseEventKind::ScrollDown => self.wheel(at, Step::Down),
            MouseEventKind::ScrollUp => self.wheel(at, Step::Up),
            MouseEventKind::Down(MouseButton::Left) => return self.click(at),
            _ => {}
        }
        Vec::new()
    }

    fn wheel(&mut self, at: Position, step: Step) {
        if self.overlay.is_none() && self.place() == Place::Runs {
            let over_detail = self.areas().detail.is_some_and(|area| area.contains(at));
            self.focus = if over_detail {
                Focus::Detail
            } else {
                Focus::List
            };
        }
        for _ in 0..WHEEL {
            self.step(step);
        }
    }

    fn click(&mut self, at: Position) -> Vec<Effect> {
        match &mut self.overlay {
            Some(Overlay::Help { .. }) => {
                self.overlay = None;
                return Vec::new();
            }
            Some(Overlay::Menu(menu)) => {
                return match screen::menu_line(self.size, menu, at) {
                    Some(line) => {
                        menu.at = line;
                        self.choose()
                    }
                    None => Vec::new(),
                };
            }
            None => {}
        }
        let areas = self.areas();
        if let Some(area) = areas.detail.filter(|area| area.contains(at)) {
            return self.click_detail(area, at);
        }
        if areas.filter.contains(at) && !self.filter.is_open() {
            return self.act(Action::Filter);
        }
        if areas.header.contains(at) && self.place() == Place::Runs {
            self.click_header(at);
        } else if areas.list.contains(at) {
            return self.click_list(areas.list, at);
        }
        Vec::new()
    }

    fn click_detail(&mut self, area: Rect, at: Position) -> Vec<Effect> {
        if !matches!(self.place(), Place::Runs | Place::Run) {
            return Vec::new();
        }
        if self.place() == Place::Runs {
            self.focus = Focus::Detail;
        }
        let line = self.detail.top + usize::from(at.y - area.y);
        let last = screen::detail_height(self, usize::from(area.width)).saturating_sub(1);
        self.show_detail_line(line.min(last));
        self.fold(super::tree::Fold::Toggle);
        Vec::new()
    }

    fn click_header(&mut self, at: Position) {
        match screen::sort_at(self, at) {
            Some(sort) if sort.is_of_column(self.runs.sort) => {
                self.act(Action::Invert);
            }
            Some(sort) => self.order(sort),
            None => self.say("the runs cannot be sorted by this column"),
        }
    }

    fn click_list(&mut self, list: Rect, at: Position) -> Vec<Effect> {
        let row = usize::from(at.y - list.y);
        self.focus = Focus::List;
        match self.place() {
            Place::Runs => {
                let row = self.runs.top() + row;
                let again = row == self.runs.at() && !self.runs.follow;
                if row < self.runs.rows.len() {
                    self.runs.follow = false;
                    self.runs.select(row);
                    if again {
                        return self.act(Action::Open);
                    }
                }
            }
            _ => {
                let Some(list) = self.list_mut() else {
                    return Vec::new();
                };
                let row = list.top() + row;
                let again = row == list.at();
                if row < list.len() {
                    list.select(row);
                    if again {
                        return self.act(Action::Open);
                    }
                }
            }
        }
        Vec::new()
    }
}
