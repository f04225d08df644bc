//! When to look for work again: a notification, a run put off that is due, or the poll interval with
//! jitter. Notifications only save waiting, so a listener that breaks is replaced at leisure.

use super::Listen;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;
use tokio::time::Instant;

/// How often the wait of a worker that finds nothing is doubled, as long as it is notified.
const CALM: u32 = 2;
/// A little later than due: the database's clock decides.
const AFTER: Duration = Duration::from_millis(5);

pub(super) struct Wakes {
    pool: PgPool,
    poll: Duration,
    listen: Listen,
    listener: Option<PgListener>,
    empty: u32,
    due: BinaryHeap<Reverse<Instant>>,
}

impl Wakes {
    pub(super) fn new(pool: PgPool, poll: Duration, listen: Listen) -> Self {
        Self {
            pool,
            poll,
            listen,
            listener: None,
            empty: 0,
            due: BinaryHeap::new(),
        }
    }

    /// What the last look came to: a worker with nothing to do asks less and less often.
    pub(super) fn found(&mut self, runs: usize) {
        self.empty = if runs == 0 {
            (self.empty + 1).min(CALM + 1)
        } else {
            0
        };
    }

    /// A run that was put off is due then. Its own worker needs no poll to know.
    pub(super) fn expect(&mut self, wait: Duration) {
        self.due.push(Reverse(Instant::now() + wait + AFTER));
    }

    /// Waits. May be dropped and called again.
    pub(super) async fn next(&mut self) {
        let now = Instant::now();
        while self.due.peek().is_some_and(|Reverse(due)| *due <= now) {
            self.due.pop();
        }
        if self.listener.is_none() && self.listen == Listen::Notifications {
            let until = now + self.poll;
            self.listener = tokio::time::timeout_at(until, listen(&self.pool))
                .await
                .ok()
                .and_then(Result::ok);
            if self.listener.is_some() {
                // What was committed before the LISTEN was not announced to us.
                return;
            }
        }
        let calm = match self.listener {
            Some(_) => 1 << self.empty.saturating_sub(1).min(CALM),
            None => 1,
        };
        let jitter = 0.75 + 0.5 * super::finish::spread();
        let mut until = now + (self.poll * calm).mul_f64(jitter);
        if let Some(Reverse(due)) = self.due.peek() {
            until = until.min(*due);
        }
        let Some(listener) = &mut self.listener else {
            return tokio::time::sleep_until(until).await;
        };
        match tokio::time::timeout_at(until, listener.recv()).await {
            // One look answers all that arrived until now.
            Ok(Ok(_)) => while let Some(_notification) = listener.next_buffered() {},
            Ok(Err(_)) => {
                self.listener = None;
                tokio::time::sleep_until(until.min(now + self.poll)).await;
            }
            Err(_) => {}
        }
    }
}

async fn listen(pool: &PgPool) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen("opsroom_runs").await?;
    Ok(listener)
}
