//! What the login's user was told of: their own runs, queued and ended. The database's policy leaves
//! no other row; nothing here marks one as read, since a console writes nothing.

use crate::error::ReadError;
use crate::moment;
use chrono::{DateTime, Utc};
use opsroom_model::{Clean, RunId, TenantId};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};

/// The most notifications one call returns.
pub const MOST: usize = 500;

/// The newest notifications of the login's user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notifications {
    /// Newest first.
    pub rows: Vec<Notification>,
    /// True where there are more than [`MOST`].
    pub more: bool,
    /// False where the login is nobody's: then nobody is told of anything.
    pub has_user: bool,
}

/// One notification. Every text is safe to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Never used again; greater than that of any earlier one.
    pub id: i64,
    /// Whose the run is.
    pub tenant_id: TenantId,
    /// The tenant's name.
    pub tenant: Clean,
    /// The run it tells of; it may have been pruned.
    pub run: RunId,
    /// What the run is.
    pub run_type: Clean,
    /// `queued`, or the outcome: `succeeded`, `partially_succeeded`, `failed`, `cancelled`.
    pub kind: Clean,
    /// The run's first failure code.
    pub code: Option<Clean>,
    /// When it was told.
    pub created_at: DateTime<Utc>,
}

/// The user is asked for by name of the login, so that the index on users serves it in order.
pub(crate) fn query() -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new(
        "select u.user_id is not null as has_user, n.id, n.tenant_id, n.run_id, n.kind, n.run_type, n.code, n.created_at, t.name as tenant \
           from (select (select m.user_id from opsroom.my_user m limit 1) as user_id) u \
           left join lateral (select x.id, x.tenant_id, x.run_id, x.kind, x.run_type, x.code, x.created_at \
                 from opsroom.notifications x where x.user_id = u.user_id order by x.created_at desc, x.id desc limit ",
    );
    sql.push_bind(MOST as i64 + 1).push(
        ") n on true left join opsroom.tenants t on t.id = n.tenant_id \
          order by n.created_at desc, n.id desc",
    );
    sql
}

pub(crate) fn decode(rows: &[PgRow]) -> Result<Notifications, ReadError> {
    let all = || -> Result<Notifications, sqlx::Error> {
        let mut found = Notifications {
            more: rows.len() > MOST,
            has_user: rows
                .first()
                .map_or(Ok(false), |row| row.try_get("has_user"))?,
            ..Notifications::default()
        };
        for row in rows.iter().take(MOST) {
            if let Some(id) = row.try_get("id")? {
                found.rows.push(notification(row, id)?);
            }
        }
        Ok(found)
    };
    all().map_err(ReadError::malformed)
}

fn notification(row: &PgRow, id: i64) -> Result<Notification, sqlx::Error> {
    let tenant_id: i64 = row.try_get("tenant_id")?;
    let tenant: Option<String> = row.try_get("tenant")?;
    let code: Option<String> = row.try_get("code")?;
    Ok(Notification {
        id,
        tenant_id: TenantId(tenant_id),
        tenant: tenant.map_or_else(
            || Clean::new(&format!("#{tenant_id}")),
            |name| Clean::limited(&name, 120),
        ),
        run: RunId(row.try_get("run_id")?),
        run_type: Clean::limited(row.try_get("run_type")?, 120),
        kind: Clean::limited(row.try_get("kind")?, 20),
        code: code.map(|code| Clean::limited(&code, 64)),
        created_at: moment::always(row, "created_at")?,
    })
}
