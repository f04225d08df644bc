//! What stands above and beside a list: counts, the sparkline, failures, how tenants and types fare.

use super::Reader;
use crate::counted::{self, Point};
use crate::error::ReadError;
use crate::failures::{self, FailureBoard};
use crate::headline::{self, Headline};
use crate::health::{self, By, HealthBoard};
use crate::rollup;
use crate::scope;
use opsroom_model::query::Query;

impl Reader {
    /// Counts, oldest queued and stuck runs of a query, whatever states it names.
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn headline(&mut self, query: &Query) -> Result<Headline, ReadError> {
        let scopes = self.resolve(query, scope::Stuck::AnyState).await?;
        let ended = match scopes.as_slice() {
            [scope] if rollup::covers(scope) => {
                counted::decode(&self.one(counted::query(scope)).await?)?
            }
            _ => None,
        };
        let row = self.one(headline::query(&scopes, ended.is_some())).await?;
        let mut headline =
            headline::decode(&row, ended.unwrap_or_default(), headline::cap(&scopes))?;
        let workers = self.workers().await?;
        headline.live_workers = workers.iter().filter(|worker| worker.alive).count();
        if headline.may_have_active() {
            let (stuck, suspects) = self.stuck_among(&scopes, &workers).await?;
            headline.stuck = headline::stuck_count(stuck.len(), suspects);
        }
        Ok(headline)
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
