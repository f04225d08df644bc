//! Connections that a part of the worker keeps for itself, outside the pool: its statements stay
//! prepared, jobs that hold all the others do not hold it up, and a network that swallowed what was
//! sent costs a second, not a deadline. Not here: which server takes writes (`hosts`).

use crate::deadline::{STATEMENT, within};
use crate::error::EngineError;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// When another connection is tried beside those that have not come about yet: what was sent before a
/// network healed may never be answered.
const HEDGE: Duration = Duration::from_secs(1);
/// So long after its last answer a connection is asked before it is used.
const TRUSTED: Duration = Duration::from_secs(1);
/// The longest wait for that answer.
const PING: Duration = Duration::from_secs(1);

/// A new connection to wherever `pool` connects by now. Dropped, nothing stays behind.
///
/// # Errors
/// The first attempt that failed, or that took longer than a statement may.
pub(super) async fn connect(pool: &PgPool) -> Result<PgConnection, EngineError> {
    let mut attempts = JoinSet::new();
    loop {
        let options = pool.connect_options();
        attempts.spawn(async move { within(STATEMENT, options.connect()).await });
        tokio::select! {
            Some(Ok(attempt)) = attempts.join_next() => return attempt,
            () = tokio::time::sleep(HEDGE) => {}
        }
    }
}

/// One connection of its own, made when needed. Taken for each call and kept again after it: one whose
/// call failed or was dropped is not used again.
pub(super) struct OwnConnection {
    pool: PgPool,
    kept: Option<(PgConnection, Instant)>,
}

impl OwnConnection {
    /// None yet, and to be made as `pool` makes them.
    pub(super) fn of(pool: PgPool) -> Self {
        Self { pool, kept: None }
    }

    /// One that answers: the kept one, or a new one.
    ///
    /// # Errors
    /// None could be made.
    pub(super) async fn take(&mut self) -> Result<PgConnection, EngineError> {
        if let Some((mut connection, answered)) = self.kept.take()
            && (answered.elapsed() < TRUSTED
                || matches!(
                    tokio::time::timeout(PING, connection.ping()).await,
                    Ok(Ok(()))
                ))
        {
            return Ok(connection);
        }
        connect(&self.pool).await
    }

    /// The same without asking the kept one: for a call that is made again soon, and where a server
    /// that is slow must not look like one that is gone.
    ///
    /// # Errors
    /// None could be made.
    pub(super) async fn take_unasked(&mut self) -> Result<PgConnection, EngineError> {
        match self.kept.take() {
            Some((connection, _)) => Ok(connection),
            None => connect(&self.pool).await,
        }
    }

    /// `connection` has answered and is used for the next call.
    pub(super) fn keep(&mut self, connection: PgConnection) {
        self.kept = Some((connection, Instant::now()));
    }
}
