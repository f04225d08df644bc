//! What `opsroom doctor` asks of the database, once the session was let in.

use crate::error::ReadError;
use chrono::{DateTime, TimeDelta, Utc};
use opsroom_model::Clean;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};

/// What is known about the way to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// A socket of this machine, where it needs none.
    Socket,
    /// The server says so.
    Yes,
    /// The server says so.
    No,
    /// The database is hardened: this login may not read the server's statistics.
    Untold,
}

/// The state of the connection and of what the login can do and see.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkup {
    /// The login.
    pub login: Clean,
    /// The server's version, as it says it.
    pub server: Clean,
    /// True on a hot standby.
    pub standby: bool,
    /// The newest migration applied.
    pub schema: i64,
    /// True where the session refuses to write even where a right were there.
    pub read_only: bool,
    /// Whether the connection is encrypted.
    pub encryption: Encryption,
    /// Tenants the login sees.
    pub tenants: usize,
    /// Workers that are alive.
    pub live_workers: usize,
    /// The database's clock minus this machine's.
    pub skew: TimeDelta,
}

/// May the login ask whether its connection is encrypted? Not so on a hardened database.
pub(crate) fn may_ask() -> QueryBuilder<Postgres> {
    QueryBuilder::new(
        "select has_table_privilege('pg_catalog.pg_stat_ssl', 'select') \
            and has_function_privilege('pg_catalog.pg_stat_get_activity(int)', 'execute')",
    )
}

pub(crate) fn query(may_ask: bool) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select session_user::text as login, current_setting('server_version') as server, \
         pg_is_in_recovery() as standby, opsroom.schema_version() as schema, \
         current_setting('transaction_read_only') = 'on' as read_only, \
         inet_server_addr() is null as on_socket, \
         clock_timestamp() as now, ",
    );
    query.push(if may_ask {
        "(select s.ssl from pg_catalog.pg_stat_ssl s where s.pid = pg_backend_pid()) as encrypted"
    } else {
        "null::boolean as encrypted"
    });
    query
}

pub(crate) fn decode(
    row: &PgRow,
    tenants: usize,
    live_workers: usize,
) -> Result<Checkup, ReadError> {
    let read = || -> Result<Checkup, sqlx::Error> {
        let now: DateTime<Utc> = row.try_get("now")?;
        let on_socket: bool = row.try_get("on_socket")?;
        let encrypted: Option<bool> = row.try_get("encrypted")?;
        Ok(Checkup {
            login: Clean::limited(row.try_get("login")?, 80),
            server: Clean::limited(row.try_get("server")?, 80),
            standby: row.try_get("standby")?,
            schema: row.try_get("schema")?,
            read_only: row.try_get("read_only")?,
            encryption: match encrypted {
                _ if on_socket => Encryption::Socket,
                Some(true) => Encryption::Yes,
                Some(false) => Encryption::No,
                None => Encryption::Untold,
            },
            tenants,
            live_workers,
            skew: now - Utc::now(),
        })
    };
    read().map_err(ReadError::malformed)
}
