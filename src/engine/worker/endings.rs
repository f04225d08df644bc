//! Endings of many attempts in one statement: while one is under way, those that end meanwhile wait
//! together for the next. Not here: what an ending says, and what happens when it is not taken
//! (`finish`).

use super::connection::OwnConnection;
use crate::deadline::{STATEMENT, within};
use crate::error::EngineError;
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// Endings written with one statement at most.
const MOST: usize = 256;
/// How often a batch that no longer grows lets others run before it is written: jobs that begin together
/// and do little end together. A turn takes microseconds where nobody wants to run.
const TURNS: usize = 16;

/// One ending as the database takes it; the words are those of `opsroom.end_claims`.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    pub(super) run: i64,
    pub(super) claim_no: i32,
    pub(super) attempt: i32,
    pub(super) ended: &'static str,
    pub(super) wait_s: f64,
    pub(super) counts: Option<Value>,
    pub(super) failures: Option<Value>,
}

/// Where jobs of one worker hand in how they ended. The writer behind it ends with the last clone.
#[derive(Clone)]
pub(super) struct Endings {
    sender: mpsc::Sender<(Ending, oneshot::Sender<bool>)>,
}

impl Endings {
    /// Starts the writer of `worker`.
    pub(super) fn start(pool: PgPool, worker: Uuid, name: String) -> Self {
        let (sender, receiver) = mpsc::channel(MOST);
        let connection = OwnConnection::of(pool);
        tokio::spawn(write_batches(connection, worker, name, receiver));
        Self { sender }
    }

    /// True once it is committed. False where it is not known to be: the claim is lost, the row is
    /// held by somebody, or the whole batch failed.
    pub(super) async fn write(&self, ending: Ending) -> bool {
        let (tell, told) = oneshot::channel();
        self.sender.send((ending, tell)).await.is_ok() && told.await.unwrap_or(false)
    }
}

async fn write_batches(
    mut own: OwnConnection,
    worker: Uuid,
    name: String,
    mut receiver: mpsc::Receiver<(Ending, oneshot::Sender<bool>)>,
) {
    let mut batch = Vec::new();
    while receiver.recv_many(&mut batch, MOST).await > 0 {
        let mut turns = 0;
        while turns < TURNS && batch.len() < MOST {
            tokio::task::yield_now().await;
            turns += 1;
            while batch.len() < MOST
                && let Ok(more) = receiver.try_recv()
            {
                batch.push(more);
                turns = 0;
            }
        }
        let (endings, tells): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        let call = async {
            let mut connection = own.take().await?;
            let ended = end_claims(&mut connection, worker, &name, &endings).await?;
            own.keep(connection);
            Ok::<_, EngineError>(ended)
        };
        match within(STATEMENT, call).await {
            Ok(ended) => {
                let ended: std::collections::HashSet<i64> = ended.into_iter().collect();
                for (ending, tell) in endings.iter().zip(tells) {
                    // Whoever was aborted meanwhile does not listen.
                    let _ = tell.send(ended.contains(&ending.run));
                }
            }
            // Their senders are dropped: each is written by itself then, and tells what is wrong.
            Err(error) => {
                tracing::debug!(%error, endings = endings.len(), "a batch of endings failed")
            }
        }
    }
}

/// Ends the claims whose fence holds, and returns their runs.
pub(super) async fn end_claims(
    connection: &mut PgConnection,
    worker: Uuid,
    name: &str,
    endings: &[Ending],
) -> Result<Vec<i64>, sqlx::Error> {
    fn each<T>(endings: &[Ending], part: impl Fn(&Ending) -> T) -> Vec<T> {
        endings.iter().map(part).collect()
    }
    sqlx::query_scalar(
        "select end_claims from opsroom.end_claims($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(worker)
    .bind(name)
    .bind(each(endings, |one| one.run))
    .bind(each(endings, |one| one.claim_no))
    .bind(each(endings, |one| one.attempt))
    .bind(each(endings, |one| one.ended))
    .bind(each(endings, |one| one.wait_s))
    .bind(each(endings, |one| one.counts.clone()))
    .bind(each(endings, |one| one.failures.clone()))
    .fetch_all(connection)
    .await
}
