//! The servers of one database, of which one takes writes: a primary and standbys that may be promoted.
//! A URL may name several (`postgres://login@one:5432,two:5432/db`, or `?host=/run/a,/run/b`); the driver
//! takes one, so this finds the one that takes writes, and moves a pool there after a failover.

use crate::deadline::within;
use crate::error::EngineError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use thiserror::Error;

/// The longest wait for one of several servers, so that one that is silent does not hide the others.
const EACH: Duration = Duration::from_secs(2);
/// The longest wait for a connection that was idle, or came back, to say that it still is one.
const PING: Duration = Duration::from_secs(1);

/// Why a URL names no servers.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum HostsError {
    /// It is none of PostgreSQL's.
    #[error("the database URL is none of PostgreSQL's")]
    NotPostgres,
    /// It cannot be read. The URL itself is left out: it may hold a password.
    #[error("the database URL cannot be read")]
    Unreadable,
    /// As many ports as hosts, or one, or none.
    #[error("the database URL names {hosts} hosts and {ports} ports")]
    Ports {
        /// How many hosts.
        hosts: usize,
        /// How many ports.
        ports: usize,
    },
    /// A worker writes.
    #[error("target_session_attrs can only be read-write, primary or any")]
    Target,
}

/// One server or several, in the order in which they are tried.
#[derive(Clone)]
pub struct Hosts {
    servers: Arc<[PgConnectOptions]>,
}

impl Hosts {
    /// Of a URL.
    ///
    /// # Errors
    /// [`HostsError`], without the URL in it.
    pub fn parse(url: &str) -> Result<Self, HostsError> {
        let servers = split(url)?
            .iter()
            .map(|one| one.parse().map_err(|_| HostsError::Unreadable))
            .collect::<Result<Vec<PgConnectOptions>, _>>()?;
        Ok(Self {
            servers: servers.into(),
        })
    }

    /// The one server that the `PG*` variables name.
    #[must_use]
    pub fn from_env() -> Self {
        Self {
            servers: [PgConnectOptions::new()].into(),
        }
    }

    /// The same with every server's options changed.
    #[must_use]
    pub fn map(self, change: impl Fn(PgConnectOptions) -> PgConnectOptions) -> Self {
        Self {
            servers: self.servers.iter().cloned().map(change).collect(),
        }
    }

    /// How many servers.
    #[must_use]
    pub fn count(&self) -> usize {
        self.servers.len()
    }

    /// Where each is, as host and port or a socket's folder; nothing of logins.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        let address = |server: &PgConnectOptions| match server.get_socket() {
            Some(folder) => folder.display().to_string(),
            None => format!("{}:{}", server.get_host(), server.get_port()),
        };
        self.servers.iter().map(address).collect()
    }

    /// A connection to the server that takes writes; where there is only one server, to that one.
    ///
    /// # Errors
    /// The last server's, where none takes writes: SQLSTATE 25006 would be a standby's.
    pub async fn connect(&self) -> Result<PgConnection, EngineError> {
        self.find().await.map(|(_, connection)| connection)
    }

    async fn find(&self) -> Result<(usize, PgConnection), EngineError> {
        if let [only] = &*self.servers {
            return Ok((0, only.connect().await?));
        }
        let mut last = EngineError::Unreachable(
            "no server takes writes",
            crate::error::Opaque(sqlx::Error::PoolClosed),
        );
        for (place, server) in self.servers.iter().enumerate() {
            match within(EACH, writable(server)).await {
                Ok(Some(connection)) => return Ok((place, connection)),
                Ok(None) => {}
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// A pool on `first` connection's server options; connections are made when needed. An idle
    /// connection is used again only if it answers within a second; once one did not, all that are as
    /// old are replaced: behind a network that forgot them, each would cost that second.
    #[must_use]
    pub fn pool(&self, options: PgPoolOptions) -> PgPool {
        let distrust: Arc<Mutex<Option<Instant>>> = Arc::default();
        let several = self.count() > 1;
        options
            .test_before_acquire(false)
            .before_acquire(move |connection, meta| {
                let distrust = Arc::clone(&distrust);
                Box::pin(async move {
                    let since = *distrust.lock().unwrap_or_else(PoisonError::into_inner);
                    if since.is_some_and(|since| meta.age > since.elapsed()) {
                        return Err(sqlx::Error::PoolTimedOut);
                    }
                    match tokio::time::timeout(PING, connection.ping()).await {
                        Ok(Ok(())) => Ok(true),
                        _ => {
                            let mut since = distrust.lock().unwrap_or_else(PoisonError::into_inner);
                            *since = Some(Instant::now());
                            Err(sqlx::Error::PoolTimedOut)
                        }
                    }
                })
            })
            // The pool asks those that come back without a limit, and until they answer they count as in
            // use: a call that was given up on a silent network would cost the pool a connection.
            .after_release(|connection, _| {
                Box::pin(async move {
                    match tokio::time::timeout(PING, connection.ping()).await {
                        Ok(Ok(())) => Ok(true),
                        _ => Err(sqlx::Error::PoolTimedOut),
                    }
                })
            })
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if several && !takes_writes(connection).await? {
                        return Err(sqlx::Error::PoolTimedOut);
                    }
                    Ok(())
                })
            })
            .connect_lazy_with(self.servers[0].clone())
    }

    /// Points `pool` at the server that takes writes by now. Says whether that is another one than
    /// before. Open connections stay as they are.
    ///
    /// # Errors
    /// None takes writes.
    pub async fn follow(&self, pool: &PgPool) -> Result<Moved, EngineError> {
        let (place, connection) = self.find().await?;
        // Whether it ends politely makes no difference.
        let _ = tokio::time::timeout(PING, connection.close()).await;
        let (now, before) = (&self.servers[place], pool.connect_options());
        if same(now, &before) {
            return Ok(Moved::Stayed);
        }
        pool.set_connect_options(now.clone());
        Ok(Moved::To(place))
    }
}

/// Where the database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// Where it was.
    Stayed,
    /// On another of the servers, by its place in the URL.
    To(usize),
}

fn same(one: &PgConnectOptions, other: &PgConnectOptions) -> bool {
    one.get_host() == other.get_host()
        && one.get_port() == other.get_port()
        && one.get_socket() == other.get_socket()
}

async fn writable(server: &PgConnectOptions) -> Result<Option<PgConnection>, sqlx::Error> {
    let mut connection = server.connect().await?;
    Ok(takes_writes(&mut connection).await?.then_some(connection))
}

async fn takes_writes(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select current_setting('transaction_read_only') = 'off'")
        .fetch_one(connection)
        .await
}

/// One URL for each server.
fn split(url: &str) -> Result<Vec<String>, HostsError> {
    let (scheme, rest) = url.split_once("://").ok_or(HostsError::NotPostgres)?;
    if !matches!(scheme, "postgres" | "postgresql") {
        return Err(HostsError::NotPostgres);
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, hosts) = match authority.rsplit_once('@') {
        Some((login, hosts)) => (format!("{login}@"), hosts),
        None => (String::new(), authority),
    };
    let (mut named, mut ports, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=').unwrap_or((pair, "")) {
            ("host", list) => named = listed(list),
            ("port", list) => ports = listed(list),
            ("target_session_attrs", "read-write" | "primary" | "any") => {}
            ("target_session_attrs", _) => return Err(HostsError::Target),
            _ => others.push(pair),
        }
    }
    let count = named.len().max(hosts.split(',').count());
    if !matches!(ports.len(), 0 | 1) && ports.len() != count {
        return Err(HostsError::Ports {
            hosts: count,
            ports: ports.len(),
        });
    }
    let one = |place: usize| {
        let mut query: Vec<String> = others.iter().map(ToString::to_string).collect();
        query.extend(named.get(place).map(|host| format!("host={host}")));
        let port = ports.get(place).or_else(|| ports.first());
        query.extend(port.map(|port| format!("port={port}")));
        let host = match named.len() {
            0 => hosts.split(',').nth(place).unwrap_or_default(),
            1 => hosts,
            _ => "",
        };
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{scheme}://{login}{host}/{path}{mark}{}", query.join("&"))
    };
    Ok((0..count).map(one).collect())
}

/// The parts of a list in a query, where a comma may be encoded.
fn listed(list: &str) -> Vec<String> {
    list.replace("%2C", ",")
        .replace("%2c", ",")
        .split(',')
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_becomes_one_for_each_server() {
        for (url, servers) in [
            ("postgres://u@h/db", &["postgres://u@h/db"][..]),
            (
                "postgres://u:p%40@h1:1,h2:2/db?sslmode=disable&target_session_attrs=read-write",
                &[
                    "postgres://u:p%40@h1:1/db?sslmode=disable",
                    "postgres://u:p%40@h2:2/db?sslmode=disable",
                ],
            ),
            (
                "postgres:///db?host=/run/a,/run/b&port=5432&user=u",
                &[
                    "postgres:///db?user=u&host=/run/a&port=5432",
                    "postgres:///db?user=u&host=/run/b&port=5432",
                ],
            ),
            (
                "postgresql:///db?host=/run/a%2C/run/b&port=1,2",
                &[
                    "postgresql:///db?host=/run/a&port=1",
                    "postgresql:///db?host=/run/b&port=2",
                ],
            ),
            ("postgres://", &["postgres:///"]),
        ] {
            assert_eq!(split(url).unwrap(), servers, "{url}");
            assert_eq!(Hosts::parse(url).unwrap().count(), servers.len(), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_without_quoting_it() {
        for url in [
            "mysql://u:geheim@h/db",
            "h:5432",
            "postgres://u:geheim@h1,h2/db?port=1,2,3",
            "postgres://u:geheim@h/db?target_session_attrs=standby",
            "postgres://u:geheim@h:port/db",
        ] {
            let error = Hosts::parse(url).map(|_| ()).unwrap_err();
            assert!(!error.to_string().contains("geheim"), "{error}");
        }
    }
}
