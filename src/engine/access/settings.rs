//! The limits of each kind of login: settings of its role and how many connections it may hold. A
//! session may change most settings again, so they guard against accidents; grants guard against intent.

use super::AccessError;
use super::login::{LoginKind, utility};
use sqlx::{Connection as _, PgConnection};

impl LoginKind {
    const fn connection_limit(self) -> i32 {
        match self {
            Self::Reader => 10,
            Self::Starter | Self::App => 50,
            Self::Worker => 100,
        }
    }

    const fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Reader => &[
                ("default_transaction_read_only", "on"),
                ("statement_timeout", "8s"),
                ("lock_timeout", "1s"),
                ("idle_in_transaction_session_timeout", "10s"),
                ("jit", "off"),
                ("plan_cache_mode", "force_custom_plan"),
            ],
            Self::Starter | Self::App => &[
                ("statement_timeout", "10s"),
                ("lock_timeout", "2s"),
                ("idle_in_transaction_session_timeout", "60s"),
                ("jit", "off"),
            ],
            Self::Worker => &[
                ("statement_timeout", "60s"),
                ("lock_timeout", "10s"),
                ("idle_in_transaction_session_timeout", "60s"),
                ("jit", "off"),
            ],
        }
    }

    /// What only a superuser may set, and the login itself may not change.
    const fn superuser_settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Reader | Self::Starter | Self::App => &[("temp_file_limit", "256MB")],
            Self::Worker => &[("temp_file_limit", "2GB")],
        }
    }

    const ALL: [Self; 4] = [Self::Reader, Self::Starter, Self::Worker, Self::App];
}

/// What differs. `$1` is one login or null for all; the arrays hold kind, setting and value, and kind
/// and limit. One row a difference, a setting of null for the connection limit: login, setting, what it
/// is, what it should be.
const DIFFERENCES: &str = "
with login as (
  select l.login_role::text as login, l.kind, r.oid, r.rolconnlimit
    from opsroom.logins l join pg_catalog.pg_roles r on r.rolname = l.login_role
   where $1::text is null or l.login_role = $1::name
), has (login, setting, value) as (
  select l.login, pg_catalog.split_part(c, '=', 1), pg_catalog.substr(c, pg_catalog.strpos(c, '=') + 1)
    from login l join pg_catalog.pg_db_role_setting s on s.setrole = l.oid and s.setdatabase = 0
   cross join lateral pg_catalog.unnest(s.setconfig) c
)
select l.login, w.setting, coalesce(h.value, 'unset') as is, w.value as due
  from login l join unnest($2::text[], $3::text[], $4::text[]) with ordinality w (kind, setting, value, place)
    on w.kind = l.kind
  left join has h on h.login = l.login and h.setting = w.setting
 where h.value is distinct from w.value
union all
select l.login, null, l.rolconnlimit::text, w.n::text
  from login l join unnest($5::text[], $6::int[]) w (kind, n) on w.kind = l.kind
 where l.rolconnlimit <> w.n
 order by 1, 2";

/// Brings the limits of every login to what its kind has now, and says what that changed: for logins
/// made by an earlier version, and after one changed its own. Limits that only a superuser may set are
/// left as they are for anybody else. All or nothing, and idempotent: the second time it answers with
/// nothing. Sessions that are open keep what they have.
///
/// # Errors
/// [`AccessError::Engine`], refused where the login may not administer roles.
pub async fn refresh_logins(connection: &mut PgConnection) -> Result<Vec<String>, AccessError> {
    let mut transaction = connection.begin().await?;
    let done = apply(&mut transaction, None).await?;
    transaction.commit().await?;
    Ok(done)
}

/// The same for one login or for all, in the caller's transaction.
pub(super) async fn apply(
    connection: &mut PgConnection,
    login: Option<&str>,
) -> Result<Vec<String>, AccessError> {
    let superuser: bool =
        sqlx::query_scalar("select rolsuper from pg_catalog.pg_roles where rolname = current_user")
            .fetch_one(&mut *connection)
            .await?;
    let (mut kinds, mut names, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for kind in LoginKind::ALL {
        let beyond = kind.superuser_settings().iter().filter(|_| superuser);
        for (name, value) in kind.settings().iter().chain(beyond) {
            kinds.push(kind.as_str());
            names.push(*name);
            values.push(*value);
        }
    }
    let differences: Vec<(String, Option<String>, String, String)> = sqlx::query_as(DIFFERENCES)
        .bind(login)
        .bind(kinds)
        .bind(names)
        .bind(values)
        .bind(LoginKind::ALL.map(LoginKind::as_str))
        .bind(LoginKind::ALL.map(LoginKind::connection_limit))
        .fetch_all(&mut *connection)
        .await?;
    let mut done = Vec::with_capacity(differences.len());
    for (login, setting, is, due) in differences {
        match &setting {
            Some(setting) => {
                let parts = [login.as_str(), setting, &due];
                utility(connection, "alter role %I set %I = %L", &parts).await?;
            }
            None => {
                let parts = [login.as_str(), &due];
                utility(connection, "alter role %I connection limit %s", &parts).await?;
            }
        }
        let what = setting.as_deref().unwrap_or("connections");
        done.push(format!("login {login}: {what} {due} (was {is})"));
    }
    Ok(done)
}
