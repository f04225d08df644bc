//! What stands above and beside a list: counts, the sparkline, failures, how tenants and types fare.

use super::Reader;
use crate::active::{self, Active};
use crate::counted::{self, Point};
use crate::error::ReadError;
use crate::failures::{self, FailureBoard};
use crate::headline::{self, Capped, Headline};
use crate::health::{self, By, HealthBoard};
use crate::rollup;
use crate::scope::{self, Scope};
use crate::workers::Worker;
use opsroom_model::Bucket;
use opsroom_model::query::Query;

impl Reader {
    /// Counts, oldest queued and stuck runs of a query, whatever states it names.
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn headline(&mut self, query: &Query) -> Result<Headline, ReadError> {
        let scopes = self.resolve(query, scope::Stuck::AnyState).await?;
        let ended = self.ended(&scopes).await?;
        let workers = self.workers().await?;
        let active = self.active(&scopes, &workers).await?;
        let stuck = self.judge(&active.suspects, &workers).await?;
        Ok(Headline {
            counts: [active.counts, ended].concat(),
            oldest_queued: active.oldest_queued,
            stuck: active::stuck_count(stuck.len(), active.suspects.len()),
            live_workers: workers.iter().filter(|worker| worker.alive).count(),
            as_of: active.as_of,
        })
    }

    /// How many runs ended how.
    async fn ended(&mut self, scopes: &[Scope]) -> Result<Vec<(Bucket, Capped)>, ReadError> {
        if let [scope] = scopes
            && rollup::covers(scope)
            && let Some(counts) = counted::decode(&self.one(counted::query(scope)).await?)?
        {
            return Ok(counts);
        }
        let row = self.one(headline::query(scopes, headline::ended())).await?;
        headline::decode(&row, headline::ended(), headline::cap(scopes))
    }

    async fn active(&mut self, scopes: &[Scope], workers: &[Worker]) -> Result<Active, ReadError> {
        let rows = self.all(active::query(scopes, workers)).await?;
        if let Some(active) = active::decode(&rows)? {
            return Ok(active);
        }
        let suspects = self.suspects(scopes, workers).await?;
        let row = self.one(active::backlog(scopes)).await?;
        active::decode_backlog(&row, headline::cap(scopes), suspects)
    }

    /// The last 24 hours, hour by hour, the current one last: what is asked for of tenants and types
    /// holds, the window does not. `None` where the query asks for more than those, or the rollups have
    /// not caught up.
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn sparkline(&mut self, query: &Query) -> Result<Option<Vec<Point>>, ReadError> {
        let (mut scope, whole) = self.counted_scope(query).await?;
        scope.windowed = true;
        scope.created.clear();
        if !whole || !rollup::covers(&scope) {
            return Ok(None);
        }
        counted::decode_sparkline(&self.all(counted::sparkline(&scope)).await?)
    }

    /// The failures of a query's tenants, types and window, grouped by code. `None` where the rollups
    /// have not caught up.
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn failures(&mut self, query: &Query) -> Result<Option<FailureBoard>, ReadError> {
        let (scope, whole) = self.counted_scope(query).await?;
        let rows = self.all(failures::query(&scope)).await?;
        let mut board = failures::decode(&rows, &scope)?;
        if let Some(board) = &mut board {
            board.narrowed &= whole;
        }
        Ok(board)
    }

    /// How the tenants or the types of a query fare, the worst first. `None` where the rollups have not
    /// caught up.
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn health(
        &mut self,
        by: By,
        query: &Query,
    ) -> Result<Option<HealthBoard>, ReadError> {
        let (scope, _) = self.counted_scope(query).await?;
        let rows = self.all(health::query(by, &scope)).await?;
        health::decode(&rows, by)
    }
}
