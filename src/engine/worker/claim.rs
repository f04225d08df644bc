//! Claiming: one short function call for the free slots, with a cursor over tenants so that every
//! lane gets its turn.

use super::attempt::Claimed;
use super::connection::OwnConnection;
use super::outage::Outage;
use super::{finish, meters};
use crate::deadline::{STATEMENT, within};
use crate::error::EngineError;
use crate::run::Attempt;
use opsroom_model::{Counts, RunId, TenantId};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// Stretches of lanes looked at for one request, each up to 128 lanes long.
const STRETCHES: usize = 16;
/// How often a claim that met a deadlock is tried again at once.
const CONFLICTS: usize = 5;
/// How long a claim may still come true after its answer got lost: the server ends statements of
/// workers after a minute.
const IN_DOUBT: Duration = Duration::from_secs(90);

pub(super) struct Claimer {
    connection: OwnConnection,
    worker: Uuid,
    name: String,
    types: Vec<String>,
    cursor: i64,
    held: Held,
    failed_at: Option<Instant>,
    outage: Outage,
}

/// The claims that this worker knows it holds: run and claim number, since it may claim a run again
/// before the end of its former claim is through.
#[derive(Clone, Default)]
struct Held(Arc<Mutex<HashSet<(i64, i32)>>>);

/// Kept as long as a run is held.
pub(super) struct Hold {
    claim: (i64, i32),
    held: Held,
}

impl Held {
    fn lock(&self) -> MutexGuard<'_, HashSet<(i64, i32)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self, run: RunId, claim_no: i32) -> Hold {
        let claim = (run.0, claim_no);
        self.lock().insert(claim);
        Hold {
            claim,
            held: self.clone(),
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.held.lock().remove(&self.claim);
    }
}

impl Claimer {
    pub(super) fn new(
        pool: PgPool,
        worker: Uuid,
        name: String,
        types: Vec<String>,
        outage: Outage,
    ) -> Self {
        Self {
            connection: OwnConnection::of(pool),
            worker,
            name,
            types,
            cursor: 0,
            held: Held::default(),
            failed_at: None,
            outage,
        }
    }

    /// Up to `free` runs. Nothing where there is no work, and nothing, with a line in the log, where
    /// the database is away: the next round asks again, and gives back what was claimed without this
    /// worker having heard of it.
    pub(super) async fn claim(&mut self, free: usize) -> Vec<Claimed> {
        let begun = Instant::now();
        let mut claimed = self.try_claim(free).await;
        // A deadlock left nothing behind, and is no outage.
        for _ in 0..CONFLICTS {
            if !matches!(&claimed, Err(error) if error.is_conflict()) {
                break;
            }
            claimed = self.try_claim(free).await;
        }
        ::metrics::histogram!(meters::POLL_SECONDS).record(begun.elapsed());
        match claimed {
            Ok(claimed) => {
                self.outage.answered();
                claimed
            }
            Err(error) => {
                self.outage.failed("claiming", &error);
                self.failed_at = Some(Instant::now());
                Vec::new()
            }
        }
    }

    async fn try_claim(&mut self, free: usize) -> Result<Vec<Claimed>, EngineError> {
        if let Some(failed_at) = self.failed_at {
            let settled = failed_at.elapsed() > IN_DOUBT;
            self.disown().await?;
            if settled {
                self.failed_at = None;
            }
        }
        let begun = self.cursor;
        let mut wrapped = false;
        for _ in 0..STRETCHES {
            match self.claim_from_cursor(free).await? {
                Found::Runs(claimed) => return Ok(claimed),
                Found::NothingUpTo(cursor) => {
                    wrapped |= cursor <= self.cursor;
                    self.cursor = cursor;
                    if wrapped && cursor >= begun {
                        break;
                    }
                }
                Found::Nothing => break,
            }
        }
        Ok(Vec::new())
    }

    async fn claim_from_cursor(&mut self, free: usize) -> Result<Found, EngineError> {
        let call = async {
            let mut connection = self.connection.take().await?;
            let rows = sqlx::query(
                "select run_id, tenant, run_type, claim, attempt_no, attempts, run_context, counts,
                        extract(epoch from clock_timestamp() - queued_at)::float8 as waited
                   from opsroom.claim($1, $2, $3, $4)",
            )
            .bind(self.worker)
            .bind(i32::try_from(free).unwrap_or(i32::MAX))
            .bind(&self.types)
            .bind(self.cursor)
            .fetch_all(&mut connection)
            .await?;
            self.connection.keep(connection);
            Ok::<_, EngineError>(rows)
        };
        let rows = within(STATEMENT, call).await?;
        let Some(last) = rows.last() else {
            return Ok(Found::Nothing);
        };
        let cursor = last.get("tenant");
        if last.get::<Option<i64>, _>("run_id").is_none() {
            return Ok(Found::NothingUpTo(cursor));
        }
        self.cursor = cursor;
        Ok(Found::Runs(
            rows.iter().map(|row| decode(row, &self.held)).collect(),
        ))
    }

    /// Gives back what is claimed for this worker and not held by it: the answer to that claim got
    /// lost, and as long as this worker beats nobody else would take the run.
    async fn disown(&mut self) -> Result<(), EngineError> {
        let held: Vec<_> = self.held.lock().iter().copied().collect();
        let call = async {
            let mut connection = self.connection.take().await?;
            finish::give_back(&mut connection, self.worker, &self.name, &held).await?;
            self.connection.keep(connection);
            Ok::<_, EngineError>(())
        };
        within(STATEMENT, call).await
    }
}

/// What one look at a stretch of lanes came to.
enum Found {
    /// At least one.
    Runs(Vec<Claimed>),
    /// None in this stretch; there are lanes from this cursor on.
    NothingUpTo(i64),
    /// None in any lane.
    Nothing,
}

fn decode(row: &PgRow, held: &Held) -> Claimed {
    let run_type: String = row.get("run_type");
    ::metrics::counter!(meters::CLAIMS, "type" => run_type.clone()).increment(1);
    if row.get::<i32, _>("claim") == 1 {
        ::metrics::histogram!(meters::WAIT_SECONDS, "type" => run_type.clone())
            .record(row.get::<f64, _>("waited"));
    }
    let attempt = |column| u32::try_from(row.get::<i32, _>(column)).unwrap_or(1);
    Claimed {
        run: RunId(row.get("run_id")),
        tenant: TenantId(row.get("tenant")),
        run_type,
        claim_no: row.get("claim"),
        attempt: Attempt {
            number: attempt("attempt_no"),
            of: attempt("attempts"),
        },
        context: row
            .get::<Option<Value>, _>("run_context")
            .unwrap_or_default(),
        prior: row
            .get::<Option<Value>, _>("counts")
            .map(|value| Counts::from_json(&value))
            .unwrap_or_default(),
        hold: held.hold(RunId(row.get("run_id")), row.get("claim")),
    }
}
