//! Starting an operation: create its run, or find the active one that is the same. Enqueue only: no
//! remote work happens here. The run *is* the queue entry, so creating and dispatching commit
//! together, in the caller's transaction.

use crate::error::{EngineError, StartError};
use crate::operation::Identity;
use crate::registry::{Registered, Registry};
use opsroom_model::{RunId, TenantId, UserId, run_identity_hash};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, Row};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long create-or-reuse goes round: the active run can end between finding it taken and looking at
/// it, and again. A round takes less than a millisecond, so this is as good as never reached.
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

/// Creates the run or returns the active one with the same identity.
///
/// Idempotent for operations that dedupe. `connection` may be a transaction of the caller's: the run
/// exists, and is dispatched, when that commits, and the caller's own writes with it; an error leaves
/// that transaction as it was. Cancelling is safe in the same sense. Waits at most a second for a competing
/// transaction to commit.
///
/// # Errors
/// [`StartError`]; nothing was created then.
pub async fn ensure_run(
    connection: &mut PgConnection,
    registry: &Registry,
    start: Start<'_>,
) -> Result<Confirmation, StartError> {
    let operation = registry.require(start.run_type)?;
    let input = operation.normalise(if start.input.is_null() {
        json!({})
    } else {
        start.input.clone()
    })?;
    let hash = identity_hash(operation.as_ref(), start.tenant, &input);
    let context = context(operation.as_ref(), input);

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
    // Within a transaction of the caller's this is a savepoint: a refusal leaves the rest usable.
    let mut step = connection.begin().await?;
    let session = Session::enter(&mut step).await?;
    let confirmation =
        create_or_reuse(&mut step, operation, start, &session, hash, context).await?;
    if matches!(confirmation, Confirmation::Created(_)) && start.wake == Wake::Notify {
        sqlx::query("select pg_notify('opsroom_runs', '')")
            .execute(&mut *step)
            .await?;
    }
    session.leave(&mut step).await?;
    step.commit().await?;
    Ok(confirmation)
}

/// What has to be known of the session, and what was changed in it for a moment.
struct Session {
    is_starter: bool,
    lock_timeout: String,
}

impl Session {
    /// Refuses isolation levels in which the other's commit stays invisible, and bounds the wait for it.
    async fn enter(connection: &mut PgConnection) -> Result<Self, StartError> {
        let (isolation, lock_timeout, is_starter): (String, String, bool) = sqlx::query_as(
            "select current_setting('transaction_isolation'), current_setting('lock_timeout'), opsroom.is_starter()",
        )
        .fetch_one(&mut *connection)
        .await?;
        if isolation != "read committed" {
            return Err(StartError::Isolation(isolation));
        }
        set_lock_timeout(connection, "1s").await?;
        Ok(Self {
            is_starter,
            lock_timeout,
        })
    }

    async fn leave(&self, connection: &mut PgConnection) -> Result<(), StartError> {
        set_lock_timeout(connection, &self.lock_timeout).await
    }
}

async fn set_lock_timeout(connection: &mut PgConnection, value: &str) -> Result<(), StartError> {
    sqlx::query("select set_config('lock_timeout', $1, true)")
        .bind(value)
        .execute(connection)
        .await?;
    Ok(())
}

async fn create_or_reuse(
    connection: &mut PgConnection,
    operation: &dyn Registered,
    start: &Start<'_>,
    session: &Session,
    hash: &str,
    context: &Value,
) -> Result<Confirmation, StartError> {
    let begun = Instant::now();
    loop {
        if let Some(run) = insert(connection, operation, start, session, hash, context).await? {
            return Ok(Confirmation::Created(run));
        }
        if let Some(run) = find_active(connection, operation, start.tenant, hash).await? {
            return Ok(Confirmation::Reused(run));
        }
        if begun.elapsed() >= PATIENCE {
            return Err(StartError::Contended);
        }
    }
}

fn identity_hash(operation: &dyn Registered, tenant: TenantId, input: &Value) -> String {
    let inputs = match operation.policy().identity {
        Identity::DedupeActive => input.clone(),
        Identity::PerRequest => {
            let request_id = Value::from(Uuid::new_v4().to_string());
            match input.clone() {
                Value::Object(mut inputs) => {
                    inputs.insert("request_id".to_owned(), request_id);
                    Value::Object(inputs)
                }
                input => json!({"input": input, "request_id": request_id}),
            }
        }
    };
    run_identity_hash(tenant, operation.run_type(), &inputs)
}

/// The input, and beside it the keys that filters may use.
fn context(operation: &dyn Registered, input: Value) -> Value {
    let mut context = serde_json::Map::new();
    for key in &operation.policy().search_keys {
        if let Some(value) = input.get(key) {
            context.insert(key.clone(), value.clone());
        }
    }
    context.insert("input".to_owned(), input);
    Value::Object(context)
}

async fn insert(
    connection: &mut PgConnection,
    operation: &dyn Registered,
    start: &Start<'_>,
    session: &Session,
    hash: &str,
    context: &Value,
) -> Result<Option<RunId>, StartError> {
    const AS_STARTER: &str = "insert into opsroom.operation_runs (tenant_id, type, run_identity_hash, context, available_at)
        values ($1, $2, $3, $4, clock_timestamp())
        on conflict (tenant_id, run_identity_hash) where status in ('queued', 'running') do nothing returning id";
    const FOR_SOMEBODY: &str = "insert into opsroom.operation_runs
          (tenant_id, type, run_identity_hash, context, available_at, user_id, initiator_name)
        values ($1, $2, $3, $4, clock_timestamp(), $5, $6)
        on conflict (tenant_id, run_identity_hash) where status in ('queued', 'running') do nothing returning id";
    let (user, name) = match &start.initiator {
        Initiator::System => (None, "System"),
        Initiator::User { id, name } => (Some(id.0), name.as_str()),
    };
    let query = sqlx::query(if session.is_starter {
        AS_STARTER
    } else {
        FOR_SOMEBODY
    })
    .bind(start.tenant.0)
    .bind(operation.type_str())
    .bind(hash)
    .bind(context);
    let query = if session.is_starter {
        query
    } else {
        query.bind(user).bind(name)
    };
    match query.fetch_optional(&mut *connection).await {
        Ok(row) => Ok(row.map(|row| RunId(row.get(0)))),
        Err(error) => Err(refusal(error.into(), operation.type_str(), start.tenant)),
    }
}

fn refusal(error: EngineError, run_type: &'static str, tenant: TenantId) -> StartError {
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

async fn find_active(
    connection: &mut PgConnection,
    operation: &dyn Registered,
    tenant: TenantId,
    hash: &str,
) -> Result<Option<RunId>, StartError> {
    let found: Option<(i64, String)> = sqlx::query_as(
        "select id, type from opsroom.operation_runs
          where tenant_id = $1 and run_identity_hash = $2 and status in ('queued', 'running')",
    )
    .bind(tenant.0)
    .bind(hash)
    .fetch_optional(connection)
    .await?;
    match found {
        Some((run, run_type)) if run_type != operation.type_str() => {
            Err(StartError::IdentityTaken { run, run_type })
        }
        found => Ok(found.map(|(run, _)| RunId(run))),
    }
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
