//! One connection: its settings, the checks it must pass before anything is read, and a deadline on
//! every call. Whatever goes wrong in the middle of a call, the connection is given up, not mended.

use crate::error::ReadError;
use crate::options::ReadOptions;
use opsroom_model::Clean;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{ConnectOptions, Executor, Postgres, QueryBuilder, Row};
use std::time::Duration;

/// The newest migration this crate was written against.
pub(crate) const KNOWN_SCHEMA: i64 = 18;

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

/// A query whose client is gone ends, instead of running into its timeout. PostgreSQL before 14 does
/// not know the setting, and where the system cannot tell a closed connection it refuses it: either
/// way the timeout remains.
const WATCH_CLIENT: &str = "set client_connection_check_interval = '500ms'";

/// What the login could write, if anything, by itself or as any role it may become; asked before the
/// schema's own functions are. A handful of catalogue look-ups: no row of ours is read.
const CHECK: &str = "with me as materialized (select r.* from pg_catalog.pg_roles r \
        where pg_catalog.pg_has_role(session_user, r.oid, 'member')), \
     home as materialized (select n.* from pg_catalog.pg_namespace n where n.nspname = 'opsroom'), \
     found (rank, what) as ( \
       select a.rank, a.what from me cross join lateral (values (0, me.rolsuper, 'SUPERUSER'), \
            (1, me.rolbypassrls, 'BYPASSRLS'), (1, me.rolcreaterole, 'CREATEROLE'), \
            (1, me.rolreplication, 'REPLICATION')) a (rank, has, what) where a.has \
       union select 2, 'member of ' || me.rolname from me where me.rolname in ('opsroom_owner', 'opsroom_worker', \
            'opsroom_starter', 'opsroom_app', 'pg_write_all_data', 'pg_write_server_files', 'pg_execute_server_program') \
       union select 3, 'owner of the database' from pg_catalog.pg_database d join me on me.oid = d.datdba \
        where d.datname = pg_catalog.current_database() \
       union select 4, 'owner of schema opsroom' from home join me on me.oid = home.nspowner \
       union select 5, 'CREATE in schema opsroom' from home join me on pg_catalog.has_schema_privilege(me.oid, home.oid, 'create') \
       union select 6, 'owner of ' || c.relname from home join pg_catalog.pg_class c on c.relnamespace = home.oid \
         join me on me.oid = c.relowner \
       union select 7, 'writes ' || c.relname from home join pg_catalog.pg_class c on c.relnamespace = home.oid \
         join me on pg_catalog.has_any_column_privilege(me.oid, c.oid, 'insert, update') \
           or pg_catalog.has_table_privilege(me.oid, c.oid, 'delete, truncate') \
        where c.relkind in ('r', 'p', 'v', 'm', 'f')) \
     select to_regclass('opsroom.operation_runs') is not null as migrated, \
       to_regprocedure('opsroom.schema_version()') is not null as versioned, \
       coalesce((select string_agg(w.what, ', ' order by w.rank, w.what) \
          from (select * from found order by rank, what limit 3) w), '') as writes, \
       coalesce((select pg_catalog.has_schema_privilege(session_user, home.oid, 'usage') from home), false) as reads";

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
        match connection.execute(WATCH_CLIENT).await {
            Ok(_) | Err(sqlx::Error::Database(_)) => {}
            Err(error) => return Err(refused(error)),
        }
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
    let writes: String = facts.try_get("writes").map_err(|_| Refusal::Malformed)?;
    if !writes.is_empty() {
        return Err(Refusal::CanWrite(
            Clean::limited(&writes, 120).as_str().to_owned(),
        ));
    }
    if truth("reads")? {
        Ok(())
    } else {
        Err(Refusal::NoReader)
    }
}
