//! Which runs do not move: the facts are fetched here, the verdict is [`stuck::diagnose`]'s.

use super::{P95_AGE, Reader};
use crate::active::{self, Suspect};
use crate::error::ReadError;
use crate::health;
use crate::list::RunPage;
use crate::scope::Scope;
use crate::stuck::{self, Facts, Stuck};
use crate::workers::Worker;
use chrono::{DateTime, TimeDelta, Utc};
use opsroom_model::RunId;
use sqlx::{Postgres, QueryBuilder, Row};
use std::collections::HashMap;
use std::time::Instant;

impl Reader {
    /// The runs of `scopes` that do not move, and how many had to be judged.
    pub(super) async fn stuck_among(
        &mut self,
        scopes: &[Scope],
        workers: &[Worker],
    ) -> Result<(Vec<RunId>, usize), ReadError> {
        let suspects = self.suspects(scopes, workers).await?;
        Ok((self.judge(&suspects, workers).await?, suspects.len()))
    }

    pub(super) async fn suspects(
        &mut self,
        scopes: &[Scope],
        workers: &[Worker],
    ) -> Result<Vec<Suspect>, ReadError> {
        let rows = self.all(active::suspects(scopes, workers)).await?;
        let suspects = rows.iter().map(Suspect::decode).collect::<Result<_, _>>();
        suspects.map_err(ReadError::malformed)
    }

    /// Those of `suspects` that do not move.
    pub(super) async fn judge(
        &mut self,
        suspects: &[Suspect],
        workers: &[Worker],
    ) -> Result<Vec<RunId>, ReadError> {
        let Some(now) = suspects.first().map(|suspect| suspect.as_of) else {
            return Ok(Vec::new());
        };
        let facts: Vec<_> = suspects.iter().map(Suspect::facts).collect();
        let verdicts = self.diagnose(&facts, workers, now).await?;
        let judged = suspects.iter().zip(verdicts);
        let stuck = judged.filter_map(|(suspect, verdict)| verdict.map(|_| suspect.id));
        Ok(stuck.collect())
    }

    /// Verdicts of the page's active runs; asks nothing where none is.
    pub(super) async fn diagnose_page(
        &mut self,
        page: &RunPage,
    ) -> Result<HashMap<RunId, Stuck>, ReadError> {
        let active: Vec<_> = page
            .rows
            .iter()
            .filter(|row| row.state.is_active())
            .collect();
        if active.is_empty() {
            return Ok(HashMap::new());
        }
        let workers = self.workers().await?;
        let facts: Vec<_> = active.iter().map(|row| row.facts()).collect();
        let verdicts = self.diagnose(&facts, &workers, page.as_of).await?;
        let named = active.iter().zip(verdicts);
        Ok(named
            .filter_map(|(row, verdict)| Some((row.id, verdict?)))
            .collect())
    }

    pub(super) async fn diagnose(
        &mut self,
        facts: &[Facts<'_>],
        workers: &[Worker],
        now: DateTime<Utc>,
    ) -> Result<Vec<Option<Stuck>>, ReadError> {
        for fact in facts {
            let long = fact
                .started_at
                .is_some_and(|at| now - at > stuck::SLOW_FLOOR);
            if long && fact.status == opsroom_model::Status::Running {
                self.know_p95(fact.run_type).await?;
            }
        }
        let p95 = |run_type: &str| self.p95.get(run_type).and_then(|(_, p95)| *p95);
        let judge = |fact| stuck::diagnose(fact, workers, p95, now);
        Ok(facts.iter().map(judge).collect())
    }

    pub(super) async fn know_p95(&mut self, run_type: &str) -> Result<(), ReadError> {
        let known = self.p95.get(run_type);
        if known.is_some_and(|(since, _)| since.elapsed() < P95_AGE) {
            return Ok(());
        }
        let scope = Scope::of_type(run_type, self.directory().await?);
        let counted = self.all(health::durations(&scope)).await?;
        if let Some(percentiles) = health::decode_durations(&counted)? {
            let enough = percentiles.samples >= stuck::MIN_SAMPLES.unsigned_abs();
            let p95 = enough.then_some(percentiles.p95);
            self.p95.insert(run_type.to_owned(), (Instant::now(), p95));
            return Ok(());
        }
        let row = self.one(stuck_p95(&scope)).await?;
        let samples: i64 = row.try_get("samples").map_err(ReadError::malformed)?;
        let seconds: Option<f64> = row.try_get("p95").map_err(ReadError::malformed)?;
        let p95 = seconds
            .filter(|_| samples >= stuck::MIN_SAMPLES)
            .map(|seconds| TimeDelta::milliseconds((seconds * 1000.0) as i64));
        self.p95.insert(run_type.to_owned(), (Instant::now(), p95));
        Ok(())
    }
}

/// The p95 of the newest completed runs of the scope's type, in seconds, and how many there were.
fn stuck_p95(scope: &Scope) -> QueryBuilder<Postgres> {
    use crate::filter::{Order, Search, Take, push_rows};
    let mut sql = QueryBuilder::new(
        "select count(*) as samples, percentile_disc(0.95) within group \
         (order by extract(epoch from s.completed_at - s.started_at)::float8) as p95 from ",
    );
    let take = Take {
        columns: "r.created_at, r.id, r.started_at, r.completed_at",
        limit: 200,
        before: None,
        since: None,
        order: Order::NewestFirst,
        search: Search::Whole,
    };
    push_rows(&mut sql, std::slice::from_ref(scope), take);
    sql.push(" s where s.started_at >= '1900-01-01' and s.completed_at < '9999-12-31'");
    sql
}
