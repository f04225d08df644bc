//! One connection, to a server or to a pooler before it: the checks it must pass before anything is
//! read, what each call runs under, and a deadline on every call. Whatever goes wrong in the middle of
//! a call, the connection is given up, not mended.

use crate::error::ReadError;
use crate::options::ReadOptions;
use opsroom_model::Clean;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Postgres, QueryBuilder, Row};
use std::time::Duration;

/// The newest migration this crate was written against.
pub(crate) const KNOWN_SCHEMA: i64 = 21;

/// The oldest one that has all it reads.
const OLDEST_SCHEMA: i64 = 16;

/// How long a connection may take to come about.
pub(crate) const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// How long the server works on one query before it cancels it.
pub(crate) const STATEMENT_DEADLINE: Duration = Duration::from_secs(8);
/// How long an answer is waited for; longer than the server's, so that its word is heard first.
pub(crate) const CALL_DEADLINE: Duration = Duration::from_secs(10);

/// What every call runs under. A login made by `access login add` carries most of it, which costs
/// nothing; what this one lacks is set for the length of each call. Nothing is ever set for the
/// session: behind a pooler the next call may be on another one. `jit=off` and custom plans are
/// measured choices. The last one ends a query whose client is gone.
const SETTINGS: &[(&str, &str)] = &[
    ("statement_timeout", "8s"),
    ("lock_timeout", "1s"),
    ("idle_in_transaction_session_timeout", "10s"),
    ("jit", "off"),
    ("plan_cache_mode", "force_custom_plan"),
    WATCH_CLIENT,
];

/// Where the system cannot tell a closed connection PostgreSQL refuses it: the timeout remains.
const WATCH_CLIENT: (&str, &str) = ("client_connection_check_interval", "500ms");

/// Which of the settings the session does not have by itself.
fn lacking() -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("select w.name, w.value from unnest(");
    let (names, values): (Vec<&str>, Vec<&str>) = SETTINGS.iter().copied().unzip();
    sql.push_bind(names).push(", ").push_bind(values).push(
        ") with ordinality w (name, value, place) \
         where pg_catalog.current_setting(w.name, true) is distinct from w.value order by w.place",
    );
    sql
}

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
    /// How a call begins.
    begin: String,
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
        let facts = sqlx::raw_sql(CHECK)
            .fetch_one(&mut connection)
            .await
            .map_err(refused)?;
        admit(&facts).map_err(|refusal| refusal.named(&login))?;
        let mut session = Self {
            connection,
            login,
            begin: "begin read only".to_owned(),
        };
        session.complete_settings().await?;
        session.check_version().await?;
        Ok(session)
    }

    /// Finds out what each call has to set.
    async fn complete_settings(&mut self) -> Result<(), ReadError> {
        for row in self.all(lacking()).await? {
            let name: &str = row.try_get("name").map_err(ReadError::malformed)?;
            let value: &str = row.try_get("value").map_err(ReadError::malformed)?;
            let longer = format!("{}; set local {name} = '{value}'", self.begin);
            if name != WATCH_CLIENT.0 || self.accepts(&longer).await? {
                self.begin = longer;
            }
        }
        Ok(())
    }

    /// May a call begin so?
    async fn accepts(&mut self, begin: &str) -> Result<bool, ReadError> {
        let begin = AssertSqlSafe(format!("{begin}; rollback"));
        match sqlx::raw_sql(begin).execute(&mut self.connection).await {
            Ok(_) => Ok(true),
            Err(sqlx::Error::Database(_)) => {
                let ended = sqlx::raw_sql("rollback")
                    .execute(&mut self.connection)
                    .await;
                ended.map_err(|error| ReadError::from_sqlx(error, &self.login))?;
                Ok(false)
            }
            Err(error) => Err(ReadError::from_sqlx(error, &self.login)),
        }
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

    /// Every row of a query, which is a transaction of its own: the driver sends its parts in two
    /// exchanges, and a pooler in transaction mode may give each to another connection otherwise.
    pub(crate) async fn all(
        &mut self,
        query: QueryBuilder<Postgres>,
    ) -> Result<Vec<PgRow>, ReadError> {
        match tokio::time::timeout(CALL_DEADLINE, self.call(query)).await {
            Ok(answer) => answer.map_err(|error| ReadError::from_sqlx(error, &self.login)),
            Err(_) => Err(ReadError::Deadline {
                after: CALL_DEADLINE,
            }),
        }
    }

    async fn call(&mut self, mut query: QueryBuilder<Postgres>) -> Result<Vec<PgRow>, sqlx::Error> {
        let begin = AssertSqlSafe(self.begin.clone());
        let mut transaction = self.connection.begin_with(begin).await?;
        let rows = query
            .build()
            .persistent(false)
            .fetch_all(&mut *transaction)
            .await?;
        // There is nothing to commit: its end is sent at once, and waited for by the next call.
        drop(transaction);
        self.connection.flush().await?;
        Ok(rows)
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
