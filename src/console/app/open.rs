//! What `Enter` leads to from each list: runs, mostly.

use super::{App, Place};
use opsroom_model::query::{Condition, Pattern, Query, Term, parse};

impl App {
    /// The runs that carry the selected code.
    pub(super) fn open_code(&mut self) {
        if let Some(group) = self.failures.selected() {
            let code = Pattern::new(group.code.as_str()).map(|code| Condition::Code(vec![code]));
            self.show_runs_of(code);
        }
    }

    /// The runs of the selected tenant or type.
    pub(super) fn open_fare(&mut self) {
        let (fares, of): (_, fn(Vec<Pattern>) -> Condition) = match self.place() {
            Place::Tenants => (&self.tenants, Condition::Tenant),
            _ => (&self.types, Condition::Type),
        };
        if let Some(row) = fares.selected() {
            let name = Pattern::new(row.name.as_str()).map(|name| of(vec![name]));
            self.show_runs_of(name);
        }
    }

    /// The filter narrowed by `condition`; one on the same field gives way to it.
    fn show_runs_of(&mut self, condition: Option<Condition>) {
        let Some(condition) = condition else {
            return self.say("its name cannot be filtered by");
        };
        let same = |term: &Term| {
            std::mem::discriminant(&term.condition) == std::mem::discriminant(&condition)
        };
        let kept = self.filter.query().terms.iter();
        let mut terms: Vec<_> = kept.filter(|term| !same(term)).cloned().collect();
        terms.push(Term::plus(condition));
        self.show_runs(Query { terms });
    }

    /// A worker's runs, where it has any.
    pub(super) fn open_worker(&mut self) {
        let Some(row) = self.workers.selected() else {
            return;
        };
        let ids: Vec<_> = row.runs.iter().map(|run| run.id.to_string()).collect();
        match parse(&format!("id:{}", ids.join(","))) {
            Ok(query) if !ids.is_empty() => self.show_runs(query),
            _ => self.say("it runs nothing that this login may see"),
        }
    }

    /// The last run of the selected schedule.
    pub(super) fn open_schedule(&mut self) {
        match self.schedules.selected().map(|row| row.last_run) {
            Some(Some((run, Some(_)))) => self.open_run(run),
            Some(Some((run, None))) => self.say(format!("its last run #{run} was pruned")),
            Some(None) => self.say("it has not fired yet"),
            None => {}
        }
    }

    /// The run the selected notification tells of.
    pub(super) fn open_notification(&mut self) {
        if let Some(run) = self.notifications.board.selected().map(|row| row.run) {
            self.open_run(run);
        }
    }
}
