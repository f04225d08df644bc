//! COPY through every trigger, a transaction a chunk.

use crate::Stage;
use crate::error::SeedError;
use crate::history::{self, History, Rows};
use sqlx::PgConnection;
use tokio::sync::mpsc;

/// Rows per COPY.
const CHUNK: u64 = 50_000;

pub(crate) async fn load(
    owner: &mut PgConnection,
    history: History,
    told: &mut (dyn FnMut(Stage) + Send),
) -> Result<(), SeedError> {
    copy(owner, history, told).await
}

/// Copies all of it, the next chunk being made while this one is on its way.
pub(crate) async fn copy(
    owner: &mut PgConnection,
    mut history: History,
    told: &mut (dyn FnMut(Stage) + Send),
) -> Result<(), SeedError> {
    let of = history.runs();
    let (sender, mut receiver) = mpsc::channel::<Rows>(1);
    let maker = tokio::task::spawn_blocking(move || {
        while let Some(rows) = history.chunk(CHUNK) {
            if sender.blocking_send(rows).is_err() {
                break;
            }
        }
    });
    let mut done = 0;
    while let Some(rows) = receiver.recv().await {
        let mut copy = owner.copy_in_raw(history::COPY).await?;
        copy.send(rows.text.into_bytes()).await?;
        copy.finish().await?;
        done += rows.count;
        told(Stage::Runs { done, of });
    }
    drop(receiver);
    maker.await.map_err(|_| SeedError::Unfinished)?;
    if done < of {
        Err(SeedError::Unfinished)
    } else {
        Ok(())
    }
}
