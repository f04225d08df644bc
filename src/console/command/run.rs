//! `opsroom run ID`: one run in full.

use super::rows::{JSON_VERSION, iso};
use super::{document, print};
use crate::app::{Clock, DetailAnswer, DetailWant};
use crate::cli::Form;
use crate::exit::{Code, Failure};
use crate::glyphs::Glyphs;
use crate::{feed, screen};
use opsroom_model::{Clean, RunId};
use opsroom_read::{FailureLine, Lookup, ReadOptions, Reader, RunDetail};
use serde_json::{Value, json};

/// Prints the run called `id`.
///
/// # Errors
/// Not found and forbidden have codes of their own.
pub async fn run(
    url: Option<&str>,
    id: &str,
    form: Form,
    clock: &Clock,
    glyphs: &'static Glyphs,
) -> Result<Code, Failure> {
    let id: RunId = id.parse().map_err(|_| {
        let word = Clean::limited(id, 40);
        Failure::usage(format!(
            "'{word}' is no run id: a number, as in opsroom run 48213"
        ))
    })?;
    if matches!(form, Form::Jsonl | Form::Csv) {
        return Err(Failure::usage("one run is printed as -o table or -o json"));
    }
    let mut reader = Reader::connect(ReadOptions::new(url)?).await?;
    let answer = feed::detail(&mut reader, DetailWant { id, items: 500 }).await?;
    match &answer.lookup {
        Lookup::NotFound => Err(Failure {
            code: Code::NotFound,
            message: format!("run {id} does not exist, or not for this login"),
        }),
        Lookup::Forbidden { capability } => Err(Failure {
            code: Code::Forbidden,
            message: format!("run {id}: {}", screen::forbidden(capability.as_str())),
        }),
        Lookup::Found(run) => {
            if form == Form::Json {
                print(&document::page(&document(run, &answer)))?;
            } else {
                let lines = screen::detail_plain(&answer, clock, glyphs, None);
                print(&format!("{}\n", lines.join("\n")))?;
            }
            Ok(Code::Ok)
        }
    }
}

fn document(run: &RunDetail, answer: &DetailAnswer) -> Value {
    let attempts: Vec<_> = answer
        .attempts
        .iter()
        .map(|attempt| {
            json!({
                "attempt": attempt.attempt,
                "worker": attempt.worker,
                "started_at": attempt.started_at.map(iso),
                "ended_at": attempt.ended_at.map(iso),
                "ended": attempt.ended,
                "failures": failures(&attempt.failures),
            })
        })
        .collect();
    let items: Vec<_> = answer
        .items
        .items
        .iter()
        .map(|item| {
            json!({
                "key": item.key, "label": item.label, "status": item.status,
                "code": item.code, "message": item.message,
            })
        })
        .collect();
    json!({
        "version": JSON_VERSION,
        "id": run.id,
        "tenant_id": run.tenant_id,
        "tenant": run.tenant,
        "type": run.run_type,
        "state": run.state.bucket(),
        "status": run.state.status(),
        "outcome": run.state.outcome(),
        "initiator": run.initiator,
        "run_identity_hash": run.identity,
        "counts": run.counts,
        "failures": failures(&run.failures),
        "context": run.context,
        "attempt": run.attempt,
        "max_attempts": run.max_attempts,
        "worker": run.worker,
        "created_at": iso(run.created_at),
        "started_at": run.started_at.map(iso),
        "completed_at": run.completed_at.map(iso),
        "updated_at": iso(run.updated_at),
        "attempts": attempts,
        "items": items,
        "more_items": answer.items.next.is_some(),
    })
}

fn failures(lines: &[FailureLine]) -> Vec<Value> {
    lines
        .iter()
        .map(|line| json!({"code": line.code, "message": line.message, "count": line.count}))
        .collect()
}
