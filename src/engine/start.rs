//! Starting an operation: create its run, or find the active one that is the same. Enqueue only: no
//! remote work happens here. The run *is* the queue entry, so creating and dispatching commit
//! together, in the caller's transaction.

use crate::error::{EngineError, Opaque, Refusal, StartError};
use crate::operation::Identity;
use crate::registry::{Registered, Registry};
use chrono::{DateTime, SecondsFormat, Utc};
use opsroom_model::{RunId, TenantId, UserId, run_identity_hash};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long deadlocks are met by trying again.
const PATIENCE: Duration = Duration::from_secs(1);

/// What to start, for whom, by whom.
#[derive(Debug, Clone)]
pub struct Start<'a> {
    /// The tenant whose run it is.
    pub tenant: TenantId,
    /// A registered type.
    pub run_type: &'a str,
    /// The operation's input as JSON; `null` stands for an empty object.
    pub input: Value,
    /// Who starts it. Starter logins are always recorded as themselves, whatever stands here.
    pub initiator: Initiator,
    /// Whether idle workers are told at once.
    pub wake: Wake,
    /// Its place among what waits of the same tenant.
    pub priority: Priority,
    /// Who executes it.
    pub transport: Transport,
}

/// How urgent a run is within its tenant; other tenants' turns are not affected. Runs of starter logins
/// are always [`Priority::Normal`]: a person does not go before the rest of the tenant. A run that is
/// reused keeps its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Priority {
    /// Before all others.
    High,
    /// The usual.
    #[default]
    Normal,
    /// When nothing else is due.
    Low,
}

impl Priority {
    /// As stored: lower goes first.
    const fn stored(self) -> i16 {
        match self {
            Self::High => -10,
            Self::Normal => 0,
            Self::Low => 10,
        }
    }
}

/// Who executes a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    /// opsroom's workers: creating the run dispatches it.
    #[default]
    Workers,
    /// The application, by a queue of its own: see [`dispatch_or_fail`](crate::dispatch_or_fail) and
    /// [`update_run`](crate::update_run). Not for starter logins, whose runs are the workers'.
    Own,
}

/// Who starts a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Initiator {
    /// A scheduler, a migration, another program: recorded as `System`, gets no notifications.
    System,
    /// A person, with the name as it is now.
    User {
        /// `users.id`.
        id: UserId,
        /// The snapshot that stays on the run.
        name: String,
    },
}

/// Whether a commit wakes idle workers. They poll as well: this only saves them the wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wake {
    /// One notification per commit.
    #[default]
    Notify,
    /// None: for bulk starts, where notifications cost more than they save.
    Silent,
}

/// What became of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// A new run.
    Created(RunId),
    /// The active run with the same identity.
    Reused(RunId),
}

impl Confirmation {
    /// The run to look at, either way.
    #[must_use]
    pub const fn run(self) -> RunId {
        match self {
            Self::Created(run) | Self::Reused(run) => run,
        }
    }
}

/// Creates the run or returns the active one with the same identity, in one round trip.
///
/// Idempotent for operations that dedupe. `connection` may be a transaction of the caller's: the run
/// exists, and is dispatched, when that commits, and the caller's own writes with it; an error leaves
/// that transaction as it was. Waits at most a second for a competing transaction to commit. Dropped in
/// between outside of a transaction, it leaves open whether the run was created.
///
/// # Errors
/// [`StartError`]; nothing was created then.
pub async fn ensure_run(
    connection: &mut PgConnection,
    registry: &Registry,
    start: Start<'_>,
) -> Result<Confirmation, StartError> {
    ensure(connection, registry, start, None).await
}

/// The same for a fire time of a schedule: the run's identity is those two and the input, whatever the
/// operation's own rule, and its context names them.
///
/// # Errors
/// As [`ensure_run`].
pub(crate) async fn ensure_scheduled_run(
    connection: &mut PgConnection,
    registry: &Registry,
    start: Start<'_>,
    occasion: Occasion,
) -> Result<Confirmation, StartError> {
    ensure(connection, registry, start, Some(occasion)).await
}

/// Why a scheduled run is started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occasion {
    /// `schedules.id`.
    pub(crate) schedule: i64,
    /// The time it was meant for, in whole seconds.
    pub(crate) fire_at: DateTime<Utc>,
}

impl Occasion {
    fn name_in(self, map: &mut serde_json::Map<String, Value>) {
        let fire_at = self.fire_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        map.insert("schedule_id".to_owned(), self.schedule.into());
        map.insert("fire_at".to_owned(), fire_at.into());
    }
}

async fn ensure(
    connection: &mut PgConnection,
    registry: &Registry,
    start: Start<'_>,
    occasion: Option<Occasion>,
) -> Result<Confirmation, StartError> {
    let operation = registry.require(start.run_type)?;
    let input = operation.normalise(if start.input.is_null() {
        json!({})
    } else {
        start.input.clone()
    })?;
    let hash = identity_hash(operation.as_ref(), start.tenant, &input, occasion);
    let context = context(operation.as_ref(), input, occasion);

    let begun = Instant::now();
    loop {
        match attempt(connection, operation.as_ref(), &start, &hash, &context).await {
            Err(StartError::Engine(error)) if error.is_conflict() && begun.elapsed() < PATIENCE => {
            }
            result => return result,
        }
    }
}

/// One try. What fails in it leaves no trace, so that a deadlock is no reason to give up.
async fn attempt(
    connection: &mut PgConnection,
    operation: &dyn Registered,
    start: &Start<'_>,
    hash: &str,
    context: &Value,
) -> Result<Confirmation, StartError> {
    let (user, name) = match &start.initiator {
        Initiator::System => (None, "System"),
        Initiator::User { id, name } => (Some(id.0), name.as_str()),
    };
    let answer: Answer = sqlx::query_as(
        "select answer, run, detail, constraint_name from opsroom.ensure_run($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(start.tenant.0)
    .bind(operation.type_str())
    .bind(hash)
    .bind(context)
    .bind(user)
    .bind(name)
    .bind(start.priority.stored())
    .bind(start.transport == Transport::Workers)
    .bind(start.wake == Wake::Notify)
    .fetch_one(connection)
    .await?;
    understand(answer, operation.type_str(), start.tenant)
}

/// Which answer, the run, its detail, the constraint that was violated.
type Answer = (String, Option<i64>, Option<String>, Option<String>);

fn understand(
    (answer, run, detail, constraint): Answer,
    run_type: &'static str,
    tenant: TenantId,
) -> Result<Confirmation, StartError> {
    let detail = detail.unwrap_or_default();
    match (answer.as_str(), run) {
        ("created", Some(run)) => Ok(Confirmation::Created(RunId(run))),
        ("reused", Some(run)) => Ok(Confirmation::Reused(RunId(run))),
        ("taken", Some(run)) => Err(StartError::IdentityTaken {
            run,
            run_type: detail,
        }),
        ("isolation", _) => Err(StartError::Isolation(detail)),
        ("contended", _) => Err(StartError::Contended),
        _ => {
            let refusal = Refusal {
                sqlstate: detail,
                constraint: constraint.filter(|name| !name.is_empty()),
            };
            let caught = sqlx::Error::Protocol("refused within the database".to_owned());
            let error = EngineError::Refused(refusal, Opaque(caught));
            Err(refusal_of(error, run_type, tenant))
        }
    }
}

fn refusal_of(error: EngineError, run_type: &'static str, tenant: TenantId) -> StartError {
    match error.sqlstate() {
        Some("42501") => StartError::NotEntitled {
            run_type,
            tenant: tenant.0,
        },
        Some("55P03") => StartError::Busy,
        Some("23503") => StartError::UnknownTenant(tenant.to_string()),
        _ => StartError::Engine(error),
    }
}

fn identity_hash(
    operation: &dyn Registered,
    tenant: TenantId,
    input: &Value,
    occasion: Option<Occasion>,
) -> String {
    let inputs = match (occasion, operation.policy().identity) {
        (Some(occasion), _) => with(input, |inputs| occasion.name_in(inputs)),
        (None, Identity::DedupeActive) => input.clone(),
        (None, Identity::PerRequest) => with(input, |inputs| {
            inputs.insert("request_id".to_owned(), Uuid::new_v4().to_string().into());
        }),
    };
    run_identity_hash(tenant, operation.run_type(), &inputs)
}

/// The input with something added; an input that is no object goes in under `input`.
fn with(input: &Value, add: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Value {
    let mut inputs = match input.clone() {
        Value::Object(inputs) => inputs,
        input => [("input".to_owned(), input)].into_iter().collect(),
    };
    add(&mut inputs);
    Value::Object(inputs)
}

/// The input, and beside it the keys that filters may use.
fn context(operation: &dyn Registered, input: Value, occasion: Option<Occasion>) -> Value {
    let mut context = serde_json::Map::new();
    for key in &operation.policy().search_keys {
        if let Some(value) = input.get(key) {
            context.insert(key.clone(), value.clone());
        }
    }
    if let Some(occasion) = occasion {
        occasion.name_in(&mut context);
    }
    context.insert("input".to_owned(), input);
    Value::Object(context)
}

/// The tenant of that name, or of that id where the name is a number and no tenant has it as its name.
///
/// # Errors
/// [`StartError::UnknownTenant`] where this login sees none.
pub async fn find_tenant(
    connection: &mut PgConnection,
    name: &str,
) -> Result<TenantId, StartError> {
    let id: Option<i64> = sqlx::query_scalar(
        "select id from opsroom.tenants where name = $1 or id = $2 order by (name = $1) desc limit 1",
    )
    .bind(name)
    .bind(name.parse::<i64>().ok())
    .fetch_optional(connection)
    .await?;
    id.map(TenantId)
        .ok_or_else(|| StartError::UnknownTenant(name.chars().take(100).collect()))
}
