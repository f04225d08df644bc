//! What is set for all workers at once, in the database: limits, wake-ups, how long notifications stay.
//! Takes the owner's login. Every change stands in the audit trail. Not here: limits of types, which
//! their operations declare ([`Limits`](crate::operation::Limits)).

use crate::error::EngineError;
use opsroom_model::TenantId;
use sqlx::PgConnection;

/// All of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Runs of one tenant executed at the same time, where the tenant has no limit of its own.
    pub tenant_limit: Option<i32>,
    /// Whether starting a run notifies idle workers.
    pub wake: bool,
    /// Days that notifications stay.
    pub notification_days: i32,
}

/// A change of some of them; `None` leaves what is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    /// See [`Settings::tenant_limit`].
    pub tenant_limit: Option<Limit>,
    /// See [`Settings::wake`].
    pub wake: Option<bool>,
    /// See [`Settings::notification_days`]; at least 1.
    pub notification_days: Option<i32>,
}

/// How many at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// So many; at least 1.
    AtMost(i32),
    /// As many as there are slots.
    None,
}

impl Limit {
    const fn stored(self) -> Option<i32> {
        match self {
            Self::AtMost(runs) => Some(runs),
            Self::None => None,
        }
    }
}

/// What is set.
///
/// # Errors
/// Where the database fails or refuses.
pub async fn settings(connection: &mut PgConnection) -> Result<Settings, EngineError> {
    let (tenant_limit, wake, notification_days) = sqlx::query_as(
        "select tenant_limit, wake, (extract(epoch from notifications_kept) / 86400)::int from opsroom.settings",
    )
    .fetch_one(connection)
    .await?;
    Ok(Settings {
        tenant_limit,
        wake,
        notification_days,
    })
}

/// Changes them. Workers follow at their next claim; what is running goes on. Idempotent.
///
/// # Errors
/// Where the database fails or refuses, a limit or a number of days below 1 included.
pub async fn change_settings(
    connection: &mut PgConnection,
    change: Change,
) -> Result<(), EngineError> {
    sqlx::query(
        "update opsroom.settings
            set tenant_limit = case when $1 then $2 else tenant_limit end,
                wake = coalesce($3, wake),
                notifications_kept = coalesce(make_interval(days => $4), notifications_kept)",
    )
    .bind(change.tenant_limit.is_some())
    .bind(change.tenant_limit.and_then(Limit::stored))
    .bind(change.wake)
    .bind(change.notification_days)
    .execute(connection)
    .await?;
    Ok(())
}

/// Each tenant with a limit of its own, by name; or `only` one, with or without.
///
/// # Errors
/// Where the database fails or refuses.
pub async fn tenant_limits(
    connection: &mut PgConnection,
    only: Option<TenantId>,
) -> Result<Vec<(String, Option<i32>)>, EngineError> {
    let limits = sqlx::query_as(
        "select name, running_limit from opsroom.tenants
          where case when $1::bigint is null then running_limit is not null else id = $1 end order by name",
    )
    .bind(only.map(|tenant| tenant.0))
    .fetch_all(connection)
    .await?;
    Ok(limits)
}

/// Sets one tenant's own limit, which goes before the general one; [`Limit::None`] takes it away.
/// Idempotent.
///
/// # Errors
/// Where the database fails or refuses.
pub async fn limit_tenant(
    connection: &mut PgConnection,
    tenant: TenantId,
    limit: Limit,
) -> Result<(), EngineError> {
    sqlx::query("update opsroom.tenants set running_limit = $2 where id = $1")
        .bind(tenant.0)
        .bind(limit.stored())
        .execute(connection)
        .await?;
    Ok(())
}
