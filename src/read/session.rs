//! One connection: its settings, the checks it must pass before anything is read, and a deadline on
//! every call. Whatever goes wrong in the middle of a call, the connection is given up, not mended.

use crate::error::ReadError;
use crate::options::ReadOptions;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{ConnectOptions, Executor, Postgres, QueryBuilder, Row};
use std::time::Duration;

/// The newest migration this crate was written against.
pub(crate) const KNOWN_SCHEMA: i64 = 10;

/// The oldest one that has all it reads.
const OLDEST_SCHEMA: i64 = 10;

/// How long a connection may take to come about.
pub(crate) const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// How long the server works on one query before it cancels it.
pub(crate) const STATEMENT_DEADLINE: Duration = Duration::from_secs(8);
/// How long an answer is waited for; longer than the server's, so that its word is heard first.
pub(crate) const CALL_DEADLINE: Duration = Duration::from_secs(10);

/// Settings of the session. A login made by `access login add` carries them already; here they are
/// set once more for one that was made by hand. `jit=off` and custom plans are measured choices.
const SETTINGS: &str = "set default_transaction_read_only = on; \
     set statement_timeout = '8s'; set lock_timeout = '1s'; \
     set idle_in_transaction_session_timeout = '10s'; \
     set jit = off; set plan_cache_mode = force_custom_plan; set client_min_messages = 'error';";

/// What the login could write, if anything; asked before the schema's own functions are.
const CHECK: &str = "select session_user::text as login, \
     (select rolsuper from pg_catalog.pg_roles where rolname = session_user) as super, \
     to_regclass('opsroom.operation_runs') is not null as migrated, \
     to_regprocedure('opsroom.schema_version()') is not null as versioned, \
     coalesce((select string_agg(r.rolname, ', ' order by r.rolname) from pg_catalog.pg_roles r \
        where r.rolname in ('opsroom_owner', 'opsroom_worker', 'opsroom_starter', 'opsroom_app') \
          and pg_catalog.pg_has_role(session_user, r.oid, 'member')), '') as writing_roles, \
     coalesce((select pg_catalog.has_any_column_privilege(session_user, c.oid, 'insert') \
          or pg_catalog.has_any_column_privilege(session_user, c.oid, 'update') \
          or pg_catalog.has_table_privilege(session_user, c.oid, 'delete') \
          or pg_catalog.has_table_privilege(session_user, c.oid, 'truncate') \
        from pg_catalog.pg_class c where c.oid = to_regclass('opsroom.operation_runs')), false) as writes, \
     coalesce((select pg_catalog.has_schema_privilege(session_user, n.oid, 'usage') \
        from pg_catalog.pg_namespace n where n.nspname = 'opsroom'), false) as reads";

/// A checked, read-only connection.
#[derive(Debug)]
pub(crate) struct Session {
    connection: PgConnection,
    login: String,
}

impl Session {
    /// Connects and checks. Dropping the future gives the connection up.
    pub(crate) async fn open(options: &ReadOptions) -> Result<Self, ReadError> {
        let deadline = ReadError::Unreachable {
            reason: format!("no answer within {} s", CONNECT_DEADLINE.as_secs()),
        };
        tokio::time::timeout(CONNECT_DEADLINE, Self::open_unbounded(options))
            .await
            .unwrap_or(Err(deadline))
    }

    async fn open_unbounded(options: &ReadOptions) -> Result<Self, ReadError> {
        let login = options.login().to_owned();
        let refused = |error| ReadError::from_sqlx(error, &login);
        let quiet = options.connect.clone().disable_statement_logging();
        let mut connection = quiet.connect().await.map_err(refused)?;
        connection.execute(SETTINGS).await.map_err(refused)?;
        let facts = sqlx::raw_sql(CHECK)
            .fetch_one(&mut connection)
            .await
            .map_err(refused)?;
        admit(&facts).map_err(|refusal| refusal.named(&login))?;
        let mut session = Self { connection, login };
        session.check_version().await?;
        Ok(session)
    }

    async fn check_version(&mut self) -> Result<(), ReadError> {
        let row = self
            .one(QueryBuilder::new("select opsroom.schema_version()"))
            .await?;
        let found: Option<i64> = row.try_get(0).map_err(ReadError::malformed)?;
        match found {
            None => Err(ReadError::NotMigrated),
            Some(found) if found > KNOWN_SCHEMA => Err(ReadError::TooNew {
                found,
                known: KNOWN_SCHEMA,
            }),
            Some(found) if found < OLDEST_SCHEMA => Err(ReadError::TooOld {
                found,
                known: OLDEST_SCHEMA,
            }),
            Some(_) => Ok(()),
        }
    }

    /// Every row of a query.
    pub(crate) async fn all(
        &mut self,
        mut query: QueryBuilder<Postgres>,
    ) -> Result<Vec<PgRow>, ReadError> {
        let call = query
            .build()
            .persistent(false)
            .fetch_all(&mut self.connection);
        match tokio::time::timeout(CALL_DEADLINE, call).await {
            Ok(answer) => answer.map_err(|error| ReadError::from_sqlx(error, &self.login)),
            Err(_) => Err(ReadError::Deadline {
                after: CALL_DEADLINE,
            }),
        }
    }

    /// The only row of a query.
    pub(crate) async fn one(&mut self, query: QueryBuilder<Postgres>) -> Result<PgRow, ReadError> {
        let rows = self.all(query).await?;
        rows.into_iter()
            .next()
            .ok_or_else(|| ReadError::malformed("a row was expected"))
    }
}

/// Why a login is not let in, before its name is known to be printable.
enum Refusal {
    NotMigrated,
    NoReader,
    CanWrite(String),
    Malformed,
}

impl Refusal {
    fn named(self, login: &str) -> ReadError {
        let login = login.to_owned();
        match self {
            Self::NotMigrated => ReadError::NotMigrated,
            Self::NoReader => ReadError::NoReader { login },
            Self::CanWrite(what) => ReadError::CanWrite { login, what },
            Self::Malformed => ReadError::malformed("the login's rights"),
        }
    }
}

fn admit(facts: &PgRow) -> Result<(), Refusal> {
    let truth = |name: &str| {
        facts
            .try_get::<bool, _>(name)
            .map_err(|_| Refusal::Malformed)
    };
    if !(truth("migrated")? && truth("versioned")?) {
        return Err(Refusal::NotMigrated);
    }
    let roles: String = facts
        .try_get("writing_roles")
        .map_err(|_| Refusal::Malformed)?;
    if truth("super")? {
        return Err(Refusal::CanWrite("it is a superuser".to_owned()));
    }
    if !roles.is_empty() {
        return Err(Refusal::CanWrite(format!("it is a member of {roles}")));
    }
    if truth("writes")? {
        return Err(Refusal::CanWrite(
            "it holds INSERT, UPDATE or DELETE on operation_runs".to_owned(),
        ));
    }
    if truth("reads")? {
        Ok(())
    } else {
        Err(Refusal::NoReader)
    }
}
