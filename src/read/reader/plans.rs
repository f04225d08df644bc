//! How the server would answer: for the tests that guard the plans, and for whoever wonders.

use super::Reader;
use crate::error::ReadError;
use crate::list::{self, MAX_PAGE, PageRequest};
use crate::sorted::{self, SortRequest};
use opsroom_model::Clean;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};

/// What turns a statement into its plan.
const EXPLAIN: &str = "explain ";

impl Reader {
    /// How the server would answer [`page`](Self::page): the lines of its plan. Nothing is executed.
    /// For the tests that guard the plans, and for whoever wonders why a filter is slow.
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn plan(&mut self, request: &PageRequest) -> Result<Vec<Clean>, ReadError> {
        let limit = request.limit.clamp(1, MAX_PAGE);
        let (scopes, _) = self.scopes(&request.query).await?;
        let sql = list::query(&scopes, i64::from(limit), request.before, &[], EXPLAIN);
        self.lines(sql).await
    }

    /// How the server would answer [`sorted`](Self::sorted), as [`plan`](Self::plan).
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn sorted_plan(&mut self, request: &SortRequest) -> Result<Vec<Clean>, ReadError> {
        let (scopes, _) = self.scopes(&request.query).await?;
        self.lines(sorted::query(&scopes, request, EXPLAIN)).await
    }

    async fn lines(&mut self, sql: QueryBuilder<Postgres>) -> Result<Vec<Clean>, ReadError> {
        let rows = self.all(sql).await?;
        let line = |row: &PgRow| Ok(Clean::new(row.try_get(0).map_err(ReadError::malformed)?));
        rows.iter().map(line).collect()
    }
}
