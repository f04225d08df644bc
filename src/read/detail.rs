//! One run: the whole record where the login holds the capability of its type, its items, its
//! attempts. Whether a run exists for the login is decided by the database's own function.

use crate::error::ReadError;
use crate::moment;
use crate::row;
use crate::stuck::Waits;
use chrono::{DateTime, Utc};
use opsroom_model::{Clean, Counts, RunId, RunState, TenantId};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use uuid::Uuid;

/// Items of a page, at most.
pub const MAX_ITEMS: u32 = 500;

/// What the database says to a login that asks for a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup {
    /// Here it is.
    Found(Box<RunDetail>),
    /// The login sees the run in lists but lacks the capability of its type.
    Forbidden {
        /// What it lacks.
        capability: Clean,
    },
    /// No such run, or none for this login.
    NotFound,
}

/// One line of a run's failures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureLine {
    /// The stable code.
    pub code: Clean,
    /// What happened.
    pub message: Clean,
    /// How often.
    pub count: u64,
}

/// A run in full.
#[derive(Debug, Clone, PartialEq)]
pub struct RunDetail {
    /// The run.
    pub id: RunId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The tenant's name.
    pub tenant: Clean,
    /// Who started it.
    pub initiator: Clean,
    /// `resource.action`.
    pub run_type: Clean,
    /// Where it stands.
    pub state: RunState,
    /// What makes it "the same" as another.
    pub identity: Clean,
    /// What it counted so far.
    pub counts: Counts,
    /// Most frequent first, as its last attempt left them.
    pub failures: Vec<FailureLine>,
    /// Run-specific metadata, as stored; its texts are not safe to draw as they are.
    pub context: Option<Value>,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// When anything of it last changed.
    pub updated_at: DateTime<Utc>,
    /// The attempt it is in.
    pub attempt: i64,
    /// Attempts it has, at most.
    pub max_attempts: i64,
    /// Whether it may be claimed.
    pub waits: Waits,
    /// Who holds it.
    pub worker_id: Option<Uuid>,
    /// That worker's name.
    pub worker: Option<Clean>,
}

/// What an attempt ended with.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// From 1.
    pub attempt: i32,
    /// Which claim it was.
    pub claim_no: i32,
    /// Who executed it.
    pub worker: Clean,
    /// When it began, where that is known.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// How: `succeeded`, `partially_succeeded`, `failed`, `retry`, `lost`, `released`.
    pub ended: Option<Clean>,
    /// What it failed with.
    pub failures: Vec<FailureLine>,
}

/// The result of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Unique within the run; the place to go on after.
    pub key: Clean,
    /// What a person calls it.
    pub label: Clean,
    /// `succeeded`, `failed`, `skipped`.
    pub status: Clean,
    /// The failure code, where it failed.
    pub code: Option<Clean>,
    /// The message beside it.
    pub message: Option<Clean>,
    /// When it was written.
    pub updated_at: Option<DateTime<Utc>>,
}

/// Items in the order of their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ItemPage {
    /// The items.
    pub items: Vec<Item>,
    /// Ask for items after this key to see more; `None` at the end.
    pub next: Option<String>,
}

pub(crate) fn query(id: RunId) -> QueryBuilder<Postgres> {
    let mut sql =
        QueryBuilder::new("select answer, capability, run, now() as now from opsroom.run_detail(");
    sql.push_bind(id.0).push(")");
    sql
}

pub(crate) fn decode(row: &PgRow) -> Result<Lookup, ReadError> {
    let answer: String = row.try_get("answer").map_err(ReadError::malformed)?;
    match answer.as_str() {
        "not_found" => Ok(Lookup::NotFound),
        "forbidden" => {
            let capability: Option<String> =
                row.try_get("capability").map_err(ReadError::malformed)?;
            Ok(Lookup::Forbidden {
                capability: Clean::limited(&capability.unwrap_or_default(), 100),
            })
        }
        "ok" => {
            let run: Value = row.try_get("run").map_err(ReadError::malformed)?;
            let now: DateTime<Utc> = row.try_get("now").map_err(ReadError::malformed)?;
            Ok(Lookup::Found(Box::new(from_json(&run, now)?)))
        }
        other => Err(ReadError::malformed(format_args!(
            "run_detail answered '{other}'"
        ))),
    }
}

fn from_json(run: &Value, now: DateTime<Utc>) -> Result<RunDetail, ReadError> {
    let missing = |name: &str| ReadError::malformed(format_args!("the run's {name}"));
    let int = |name: &str| run[name].as_i64().ok_or_else(|| missing(name));
    let text = |name: &str, max| Clean::limited(run[name].as_str().unwrap_or_default(), max);
    let due_at = moment::of_json(&run["available_at"]).filter(|due| *due > now);
    let state = row::state(
        run["status"].as_str().unwrap_or_default(),
        run["outcome"].as_str().unwrap_or_default(),
    )
    .map_err(ReadError::malformed)?;
    Ok(RunDetail {
        id: RunId(int("id")?),
        tenant_id: TenantId(int("tenant_id")?),
        tenant: text("tenant_name", 120),
        initiator: text("initiator_name", 120),
        run_type: text("type", 120),
        state,
        identity: text("run_identity_hash", 64),
        counts: Counts::from_json(&run["summary_counts"]),
        failures: failures(&run["failure_summary"]),
        context: Some(run["context"].clone()).filter(|context| !context.is_null()),
        created_at: moment::of_json(&run["created_at"]).ok_or_else(|| missing("created_at"))?,
        started_at: moment::of_json(&run["started_at"]),
        completed_at: moment::of_json(&run["completed_at"]),
        updated_at: moment::of_json(&run["updated_at"]).ok_or_else(|| missing("updated_at"))?,
        attempt: run["attempt"].as_i64().unwrap_or(0),
        max_attempts: run["max_attempts"].as_i64().unwrap_or(1),
        waits: match (&run["available_at"], due_at) {
            (Value::Null, _) => Waits::Elsewhere,
            (Value::String(text), _) if text == "infinity" => Waits::ForConfirmation,
            (_, Some(due_at)) => Waits::Until(due_at),
            _ => Waits::ForWorker,
        },
        worker_id: run["worker_id"].as_str().and_then(|id| id.parse().ok()),
        worker: run["worker_name"]
            .as_str()
            .map(|name| Clean::limited(name, 80)),
    })
}

/// Reads stored failures leniently: another application may have written them.
fn failures(value: &Value) -> Vec<FailureLine> {
    let lines = value.as_array().map(Vec::as_slice).unwrap_or_default();
    lines
        .iter()
        .take(200)
        .map(|line| FailureLine {
            code: Clean::limited(line["code"].as_str().unwrap_or("unclassified"), 64),
            message: Clean::limited(line["message"].as_str().unwrap_or_default(), 200),
            count: line["count"].as_u64().unwrap_or(1),
        })
        .collect()
}

pub(crate) fn items_query(id: RunId, after: &str, limit: u32) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new(
        "select item_key, label, status, code, message, updated_at from opsroom.run_items(",
    );
    sql.push_bind(id.0).push(", ").push_bind(after.to_owned());
    let wanted = i32::try_from(limit.clamp(1, MAX_ITEMS)).unwrap_or(1) + 1;
    sql.push(", ").push_bind(wanted).push(")");
    sql
}

pub(crate) fn decode_items(rows: &[PgRow], limit: u32) -> Result<ItemPage, ReadError> {
    let item = |row: &PgRow| -> Result<Item, sqlx::Error> {
        let raw_key: String = row.try_get("item_key")?;
        let optional = |name: &str, max| -> Result<Option<Clean>, sqlx::Error> {
            let text: Option<String> = row.try_get(name)?;
            Ok(text.map(|text| Clean::limited(&text, max)))
        };
        Ok(Item {
            key: Clean::limited(&raw_key, 200),
            label: optional("label", 200)?.unwrap_or_default(),
            status: optional("status", 40)?.unwrap_or_default(),
            code: optional("code", 64)?,
            message: optional("message", 200)?,
            updated_at: moment::optional(row, "updated_at")?,
        })
    };
    let mut items = rows
        .iter()
        .map(item)
        .collect::<Result<Vec<_>, _>>()
        .map_err(ReadError::malformed)?;
    let limit = limit.clamp(1, MAX_ITEMS) as usize;
    let more = items.len() > limit;
    items.truncate(limit);
    let last = rows.get(limit.saturating_sub(1)).filter(|_| more);
    let next = last
        .map(|row| row.try_get("item_key"))
        .transpose()
        .map_err(ReadError::malformed)?;
    Ok(ItemPage { items, next })
}

pub(crate) fn attempts_query(id: RunId) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new(
        "select attempt, claim_no, worker_id, worker_name, started_at, ended_at, ended, failure_summary \
         from opsroom.run_attempts_of(",
    );
    sql.push_bind(id.0).push(")");
    sql
}

pub(crate) fn decode_attempt(row: &PgRow) -> Result<Attempt, ReadError> {
    let read = || -> Result<Attempt, sqlx::Error> {
        let name: Option<String> = row.try_get("worker_name")?;
        let id: Option<Uuid> = row.try_get("worker_id")?;
        let short = id.map(|id| id.to_string().chars().take(8).collect::<String>());
        let summary: Option<Value> = row.try_get("failure_summary")?;
        let ended: Option<String> = row.try_get("ended")?;
        Ok(Attempt {
            attempt: row.try_get("attempt")?,
            claim_no: row.try_get("claim_no")?,
            worker: Clean::limited(&name.or(short).unwrap_or_default(), 80),
            started_at: moment::optional(row, "started_at")?,
            ended_at: moment::optional(row, "ended_at")?,
            ended: ended.map(|text| Clean::limited(&text, 40)),
            failures: summary.map(|value| failures(&value)).unwrap_or_default(),
        })
    };
    read().map_err(ReadError::malformed)
}
