//! What of a run can be copied, and for whom.

use super::menu::{Choice, Entry};
use super::{App, Shown};
use chrono::SecondsFormat;
use opsroom_model::{Bucket, RunId};
use opsroom_read::{Lookup, RunRow};

impl App {
    /// The run the keys are about, as far as the list or the detail knows it.
    pub(super) fn run_in_hand(&self) -> Option<RunId> {
        self.detail.pinned.or_else(|| self.runs.selected())
    }

    /// What can be copied of that run.
    pub(super) fn copies(&self) -> Vec<Entry> {
        let Some(id) = self.run_in_hand() else {
            return Vec::new();
        };
        let copy = |label: &str, text: String| Entry::new(label, text.clone(), Choice::Copy(text));
        let row = self.runs.rows.iter().find(|row| row.id == id);
        let mut entries = vec![copy("id", id.to_string())];
        if let Some(link) = &self.settings.link {
            entries.push(copy("link", link.replace("{id}", &id.to_string())));
        }
        if let Some(code) = row.and_then(|row| row.code.as_ref()) {
            entries.push(copy("failure code", code.0.to_string()));
        }
        entries.push(copy("command for this run", format!("opsroom run {id}")));
        let query = self.filter.query().to_string();
        let list = match query.is_empty() {
            true => "opsroom runs".to_owned(),
            false => format!("opsroom runs -q {}", quoted(&query)),
        };
        entries.push(copy("command for this list", list));
        if let Some(summary) = row
            .map(|row| summary(row))
            .or_else(|| self.summary_of_detail(id))
        {
            entries.push(copy("summary for a customer", summary));
        }
        entries
    }

    fn summary_of_detail(&self, id: RunId) -> Option<String> {
        let Shown::Answer(answer) = &self.detail.shown else {
            return None;
        };
        let Lookup::Found(run) = &answer.lookup else {
            return None;
        };
        let mut row = RunRow::queued(
            id,
            run.run_type.as_str(),
            run.tenant.as_str(),
            run.created_at,
        );
        row.state = run.state;
        row.counts = run.counts.clone();
        row.started_at = run.started_at;
        row.completed_at = run.completed_at;
        (answer.id == id).then(|| summary(&row))
    }
}

/// Fit for a customer: what was done, when, how it ended, and the number to ask by. No codes, no
/// names of people or machines.
fn summary(row: &RunRow) -> String {
    let at = |at: chrono::DateTime<chrono::Utc>| {
        let text = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        text.replace('T', " ").replace('Z', " UTC")
    };
    let what = row.run_type.as_str().replace(['.', '_'], " ");
    let how = match row.state.bucket() {
        Bucket::Queued => "is waiting to begin".to_owned(),
        Bucket::Running => "is under way".to_owned(),
        Bucket::Succeeded => "succeeded".to_owned(),
        Bucket::Partial => "succeeded in part".to_owned(),
        Bucket::Failed => "did not succeed".to_owned(),
        Bucket::Cancelled => "was cancelled".to_owned(),
    };
    let mut text = format!("{what} for {} {how}.", row.tenant);
    match (row.started_at, row.completed_at) {
        (_, Some(till)) => text.push_str(&format!(" It ended at {}.", at(till))),
        (Some(from), None) => text.push_str(&format!(" It began at {}.", at(from))),
        (None, None) => text.push_str(&format!(" It was asked for at {}.", at(row.created_at))),
    }
    if let Some(total) = row.counts.total.filter(|total| *total > 0) {
        let done = row.counts.success.unwrap_or(0);
        text.push_str(&format!(" {done} of {total} items were done"));
        match row.counts.failed.filter(|failed| *failed > 0) {
            Some(failed) => text.push_str(&format!(", {failed} were not.")),
            None => text.push('.'),
        }
    }
    text.push_str(&format!(" Reference {}.", row.id));
    text
}

/// As a shell takes it for one word.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use opsroom_model::{Clean, Counts};

    #[test]
    fn a_summary_holds_no_internals() {
        let mut row = RunRow::queued(RunId(7), "restore.execute", "contoso", DateTime::UNIX_EPOCH);
        row.state = Bucket::Partial.state();
        row.completed_at = Some(DateTime::UNIX_EPOCH);
        row.initiator = Clean::new("Alice Meyer");
        row.code = Some((Clean::new("graph.conflict"), 3));
        row.counts = Counts {
            total: Some(50),
            success: Some(47),
            failed: Some(3),
            ..Counts::default()
        };
        let text = "restore execute for contoso succeeded in part. It ended at 1970-01-01 00:00:00 UTC. \
                    47 of 50 items were done, 3 were not. Reference 7.";
        assert_eq!(summary(&row), text);
    }

    #[test]
    fn a_query_is_one_word_for_a_shell() {
        assert_eq!(quoted("tenant:\"o'neill\""), r#"'tenant:"o'\''neill"'"#);
    }
}
