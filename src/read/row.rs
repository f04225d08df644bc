//! One run of a list: what membership alone lets a login see.

use crate::directory::Directory;
use crate::moment::{self, Moment};
use crate::stuck::{Facts, Waits};
use chrono::{DateTime, Utc};
use opsroom_model::{Bucket, Clean, Counts, RunId, RunState, TenantId, UserId};
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::sync::Arc;
use uuid::Uuid;

/// One run of a list. Every text is safe to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow {
    /// The run.
    pub id: RunId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The tenant's name.
    pub tenant: Clean,
    /// Who started it; `None` for the system and for schedules.
    pub user_id: Option<UserId>,
    /// The name at that time.
    pub initiator: Clean,
    /// `resource.action`.
    pub run_type: Clean,
    /// Where it stands.
    pub state: RunState,
    /// What it counted so far.
    pub counts: Counts,
    /// When it was recorded. A moment before 1900 or after 9999 stands as the nearest of these;
    /// the optional ones are left out then.
    pub created_at: DateTime<Utc>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// When anything of it last changed.
    pub updated_at: DateTime<Utc>,
    /// The attempt it is in, from 1; 0 before the first.
    pub attempt: i32,
    /// Attempts it has, at most.
    pub max_attempts: i32,
    /// Who holds it.
    pub worker_id: Option<Uuid>,
    /// Whether it may be claimed.
    pub waits: Waits,
    /// Its first failure code, and how often it came; none where it succeeded.
    pub code: Option<(Clean, i64)>,
    pub(crate) xid: i64,
    pub(crate) created: Moment,
    pub(crate) updated: Moment,
    pub(crate) raw_type: String,
}

/// A place in the list: the row it names is the last one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) created: Moment,
    pub(crate) id: RunId,
}

impl Cursor {
    /// When what stands there was recorded.
    #[must_use]
    pub fn created_at(self) -> DateTime<Utc> {
        self.created.nearest()
    }

    /// True where this place is further down the list than `other`.
    #[must_use]
    pub fn is_before(self, other: Self) -> bool {
        (self.created, self.id) < (other.created, other.id)
    }
}

impl RunRow {
    /// A queued run of which nothing more is known: for those who draw rows that no database gave.
    #[must_use]
    pub fn queued(id: RunId, run_type: &str, tenant: &str, created_at: DateTime<Utc>) -> Self {
        Self {
            id,
            tenant_id: TenantId(0),
            tenant: Clean::new(tenant),
            user_id: None,
            initiator: Clean::new("System"),
            run_type: Clean::new(run_type),
            state: Bucket::Queued.state(),
            counts: Counts::default(),
            created_at,
            started_at: None,
            completed_at: None,
            updated_at: created_at,
            attempt: 0,
            max_attempts: 1,
            worker_id: None,
            waits: Waits::ForWorker,
            code: None,
            xid: 0,
            created: created_at.into(),
            updated: created_at.into(),
            raw_type: run_type.to_owned(),
        }
    }

    /// The place of this row.
    #[must_use]
    pub const fn cursor(&self) -> Cursor {
        Cursor {
            created: self.created,
            id: self.id,
        }
    }

    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            status: self.state.status(),
            run_type: &self.raw_type,
            worker_id: self.worker_id,
            waits: self.waits,
            started_at: self.started_at,
        }
    }
}

/// The columns of a row as the arms of a filter hand them on.
pub(crate) const COLUMNS: &str = "r.id, r.tenant_id, r.user_id, r.initiator_name, r.type, r.status, \
     r.outcome, r.summary_counts, r.started_at, r.completed_at, r.created_at, r.updated_at, \
     r.changed_xid, r.attempt, r.max_attempts, r.available_at, r.worker_id";

/// What a row `p` must be to have a failure: most have not, and looking for it costs what finding the
/// row did.
pub(crate) const MAY_HAVE_FAILED: &str = "p.outcome <> 'succeeded'";

/// The columns that say what a run waits for; [`waits`] reads them.
pub(crate) const WAITS: [(&str, &str); 3] = [
    ("elsewhere", "available_at is null"),
    ("held_back", "coalesce(available_at = 'infinity', false)"),
    (
        "due_at",
        "case when isfinite(available_at) and available_at > now() then available_at end",
    ),
];

/// The columns that carry a row to us, from `p` (the page) and `f` (its first failure); [`decode`] reads
/// them. The tenant's name is in the directory.
pub(crate) const PAYLOAD: &[(&str, &str)] = &[
    ("tenant_id", "p.tenant_id"),
    ("user_id", "p.user_id"),
    ("initiator_name", "p.initiator_name"),
    ("type", "p.type"),
    ("status", "p.status"),
    ("outcome", "p.outcome"),
    ("summary_counts", "p.summary_counts"),
    ("started_at", "p.started_at"),
    ("completed_at", "p.completed_at"),
    ("created_at", "p.created_at"),
    ("updated_at", "p.updated_at"),
    ("xid", "p.changed_xid::text::int8"),
    ("attempt", "p.attempt"),
    ("max_attempts", "p.max_attempts"),
    WAITS[0],
    WAITS[1],
    WAITS[2],
    ("worker_id", "p.worker_id"),
    ("code", "f.code"),
    ("code_n", "f.n"),
];

pub(crate) fn decode(row: &PgRow, directory: &Directory) -> Result<RunRow, sqlx::Error> {
    let raw_type: String = row.try_get("type")?;
    let tenant_id = TenantId(row.try_get("tenant_id")?);
    let code: Option<String> = row.try_get("code")?;
    let code_n: Option<i64> = row.try_get("code_n")?;
    let (created, updated): (Moment, Moment) =
        (row.try_get("created_at")?, row.try_get("updated_at")?);
    let counts: Option<serde_json::Value> = row.try_get("summary_counts")?;
    Ok(RunRow {
        id: RunId(row.try_get("id")?),
        tenant_id,
        tenant: directory
            .tenant_name(tenant_id)
            .cloned()
            .unwrap_or_else(|| Clean::new(&format!("#{}", tenant_id.0))),
        user_id: row.try_get::<Option<i64>, _>("user_id")?.map(UserId),
        initiator: Clean::limited(row.try_get("initiator_name")?, 120),
        run_type: Clean::limited(&raw_type, 120),
        state: state(row.try_get("status")?, row.try_get("outcome")?)?,
        counts: counts
            .map(|value| Counts::from_json(&value))
            .unwrap_or_default(),
        created_at: created.nearest(),
        started_at: moment::optional(row, "started_at")?,
        completed_at: moment::optional(row, "completed_at")?,
        updated_at: updated.nearest(),
        attempt: row.try_get::<Option<i32>, _>("attempt")?.unwrap_or(0),
        max_attempts: row.try_get::<Option<i32>, _>("max_attempts")?.unwrap_or(1),
        worker_id: row.try_get("worker_id")?,
        waits: waits(row)?,
        code: code.map(|code| (Clean::limited(&code, 64), code_n.unwrap_or(1))),
        xid: row.try_get("xid")?,
        created,
        updated,
        raw_type,
    })
}

/// A row that is held, with its tenant's name as it is now.
pub(crate) fn renamed(row: &Arc<RunRow>, directory: &Directory) -> Arc<RunRow> {
    match directory.tenant_name(row.tenant_id) {
        Some(name) if *name != row.tenant => Arc::new(RunRow {
            tenant: name.clone(),
            ..row.as_ref().clone()
        }),
        _ => Arc::clone(row),
    }
}

/// Reads the columns of [`WAITS`].
pub(crate) fn waits(row: &PgRow) -> Result<Waits, sqlx::Error> {
    if row.try_get("elsewhere")? {
        return Ok(Waits::Elsewhere);
    }
    if row.try_get("held_back")? {
        return Ok(Waits::ForConfirmation);
    }
    let due_at: Option<Moment> = row.try_get("due_at")?;
    Ok(due_at.map_or(Waits::ForWorker, |due| Waits::Until(due.nearest())))
}

pub(crate) fn state(status: &str, outcome: &str) -> Result<RunState, sqlx::Error> {
    let unknown = |error: &dyn std::fmt::Display| sqlx::Error::Decode(error.to_string().into());
    let status = status.parse().map_err(|error| unknown(&error))?;
    let outcome = outcome.parse().map_err(|error| unknown(&error))?;
    RunState::new(status, outcome).map_err(|error| unknown(&error))
}
