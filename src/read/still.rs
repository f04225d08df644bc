//! Is a page still as it was? Asked before it is listed anew: for a console that only looks, the answer
//! is nearly always yes, and costs a fraction of the list. See `opsroom.changed_since`.

use crate::error::ReadError;
use crate::list::{Held, PageRequest, RunPage};
use crate::row::RunRow;
use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A page is listed anew after so long whatever is said: rows leave it by age and by pruning, which
/// write no run.
const BELIEVED: Duration = Duration::from_secs(30);
/// Of so many tenants one run each is looked at: whose membership ended shows nothing any more.
const TENANTS: usize = 32;

/// Where the server stood, and which it was, over which connection.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    connection: u64,
    server: i64,
    standby: bool,
    snapshot: String,
}

/// A page that was listed after `place` was taken.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) request: PageRequest,
    pub(crate) page: RunPage,
    pub(crate) place: Option<Place>,
    pub(crate) at: Instant,
}

impl Listed {
    /// True where `held` are the rows of this very page, and it may still be so: not where time alone
    /// changes what a query finds.
    pub(crate) fn is(&self, request: &PageRequest, held: &Held) -> bool {
        let rows = &self.page.rows;
        self.request == *request
            && !request.query.moves_with_time()
            && self.at.elapsed() < BELIEVED
            && rows.len() == held.len()
            && rows
                .iter()
                .zip(held)
                .all(|(ours, theirs)| Arc::ptr_eq(ours, theirs))
    }
}

/// Asks whether anything changed since `listed`; without one, only for a place.
pub(crate) fn query(listed: Option<&Listed>) -> QueryBuilder<Postgres> {
    let place = listed.and_then(|listed| listed.place.as_ref());
    let mut tenants = HashSet::new();
    let mut is_watched = |row: &RunRow| {
        let first = tenants.len() < TENANTS && tenants.insert(row.tenant_id);
        // A completed run changes in one way only: its failures are redacted.
        first || row.state.is_active() || row.code.is_some()
    };
    let rows = listed.map(|listed| listed.page.rows.as_slice());
    let (ids, stamps): (Vec<_>, Vec<_>) = rows
        .unwrap_or_default()
        .iter()
        .filter(|row| is_watched(row))
        .map(|row| (row.id.0, row.updated))
        .unzip();
    let mut sql = QueryBuilder::new("select * from opsroom.changed_since(");
    sql.push_bind(place.map(|place| place.snapshot.clone()))
        .push("::text, ")
        .push_bind(ids)
        .push(", ")
        .push_bind(stamps)
        .push(")");
    sql
}

/// What was answered over the connection of that number.
pub(crate) struct Answer {
    pub(crate) place: Place,
    pub(crate) as_of: DateTime<Utc>,
    changed: bool,
}

impl Answer {
    pub(crate) fn read(row: &PgRow, connection: u64) -> Result<Self, ReadError> {
        let read = || -> Result<Self, sqlx::Error> {
            let place = Place {
                connection,
                server: row.try_get("server")?,
                standby: row.try_get("standby")?,
                snapshot: row.try_get("snapshot")?,
            };
            Ok(Self {
                place,
                as_of: row.try_get("as_of")?,
                changed: row.try_get("changed")?,
            })
        };
        read().map_err(ReadError::malformed)
    }

    /// True where nothing changed since, as the same server says.
    pub(crate) fn confirms(&self, listed: &Listed) -> bool {
        !self.changed
            && listed.place.as_ref().is_some_and(|place| {
                (place.connection, place.server, place.standby)
                    == (self.place.connection, self.place.server, self.place.standby)
            })
    }
}
