//! Runs as rows of text: a table, JSON, CSV. Times are ISO 8601 in UTC, whole and uncut.

use super::document;
use crate::cli::Form;
use chrono::{DateTime, SecondsFormat, Utc};
use opsroom_read::RunRow;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

/// The version of the JSON shape.
pub(super) const JSON_VERSION: u32 = 1;

const HEADER: [&str; 9] = [
    "ID", "STATE", "TYPE", "TENANT", "BY", "CREATED", "TOOK", "PROGRESS", "CODE",
];

pub(super) fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub(super) fn object(row: &RunRow) -> Value {
    json!({
        "id": row.id,
        "tenant_id": row.tenant_id,
        "tenant": row.tenant,
        "type": row.run_type,
        "state": row.state.bucket(),
        "status": row.state.status(),
        "outcome": row.state.outcome(),
        "initiator": row.initiator,
        "user_id": row.user_id,
        "counts": row.counts,
        "code": row.code.as_ref().map(|(code, _)| code),
        "attempt": row.attempt,
        "max_attempts": row.max_attempts,
        "created_at": iso(row.created_at),
        "started_at": row.started_at.map(iso),
        "completed_at": row.completed_at.map(iso),
        "updated_at": iso(row.updated_at),
    })
}

/// Rows in one of the forms that are written row by row; JSON as one document is the caller's.
pub(super) fn lines(rows: &[impl AsRef<RunRow>], form: Form, with_header: Header) -> String {
    match form {
        Form::Table => table(rows, with_header),
        Form::Csv => csv(rows, with_header),
        Form::Json | Form::Jsonl => rows
            .iter()
            .map(|row| {
                let mut object = object(row.as_ref());
                object["v"] = json!(JSON_VERSION);
                document::line(&object)
            })
            .collect(),
    }
}

/// Whether the names of the columns come first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    Shown,
    Left,
}

fn cells(row: &RunRow) -> [String; 9] {
    let took = match (row.started_at, row.completed_at) {
        (Some(from), Some(till)) => crate::lapse::took(till - from),
        _ => String::new(),
    };
    let failed = row.counts.failed.filter(|failed| *failed > 0);
    let progress = match (row.counts.total, row.counts.is_empty()) {
        (_, true) => String::new(),
        (Some(total), _) => format!("{}/{total}", row.counts.done()),
        (None, _) => row.counts.done().to_string(),
    };
    let failed = failed
        .map(|failed| format!(" ({failed} failed)"))
        .unwrap_or_default();
    [
        row.id.to_string(),
        row.state.bucket().to_string(),
        row.run_type.to_string(),
        row.tenant.to_string(),
        row.initiator.to_string(),
        iso(row.created_at),
        took,
        format!("{progress}{failed}"),
        row.code
            .as_ref()
            .map(|(code, _)| code.to_string())
            .unwrap_or_default(),
    ]
}

fn table(rows: &[impl AsRef<RunRow>], with_header: Header) -> String {
    let mut lines = Vec::with_capacity(rows.len() + 1);
    if with_header == Header::Shown {
        lines.push(HEADER.map(str::to_owned));
    }
    lines.extend(rows.iter().map(|row| cells(row.as_ref())));
    let width = |at: usize| lines.iter().map(|line| line[at].width()).max().unwrap_or(0);
    let widths: [usize; 9] = std::array::from_fn(width);
    let mut out = String::new();
    for line in &lines {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(widths) {
            text.push_str(cell);
            text.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

fn csv(rows: &[impl AsRef<RunRow>], with_header: Header) -> String {
    let mut out = String::new();
    if with_header == Header::Shown {
        out.push_str("id,state,type,tenant,initiator,created_at,started_at,completed_at,total,success,failed,skipped,code\n");
    }
    let number = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
    let time = |at: Option<DateTime<Utc>>| at.map(iso).unwrap_or_default();
    for row in rows.iter().map(AsRef::as_ref) {
        let fields = [
            row.id.to_string(),
            row.state.bucket().to_string(),
            quoted(row.run_type.as_str()),
            quoted(row.tenant.as_str()),
            quoted(row.initiator.as_str()),
            iso(row.created_at),
            time(row.started_at),
            time(row.completed_at),
            number(row.counts.total),
            number(row.counts.success),
            number(row.counts.failed),
            number(row.counts.skipped),
            row.code
                .as_ref()
                .map(|(code, _)| code.to_string())
                .unwrap_or_default(),
        ];
        out.push_str(&fields.join(","));
        out.push('\n');
    }
    out
}

/// Quoted where a comma or a quote asks for it; a text that a spreadsheet would take for a formula
/// begins with an apostrophe.
fn quoted(text: &str) -> String {
    let safe = match text.chars().next() {
        Some('=' | '+' | '-' | '@') => format!("'{text}"),
        _ => text.to_owned(),
    };
    if safe.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_survives_commas_quotes_and_formulas() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted("a,b \"c\""), "\"a,b \"\"c\"\"\"");
        assert_eq!(quoted("=1+1"), "'=1+1");
    }
}
