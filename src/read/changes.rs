//! What changed since the last look, for whoever follows runs as they go: by the number of the
//! transaction that changed a run, not by a time, because what is committed late has an early time.
//!
//! A look returns every run changed by transaction `xmin` or a later one, where `xmin` was the oldest
//! transaction still under way at the look before: whatever was not visible then is among them. What
//! was visible already comes again and is dropped by (run, transaction). Rows and the next `xmin` come
//! from one statement, hence from one snapshot.
//!
//! The list of transactions under way is never used, only the oldest of them: a hot standby's list is
//! empty, its oldest one is right. Progress is no change here; it moves a page, see [`crate::list`].

use crate::directory::Directory;
use crate::error::ReadError;
use crate::filter::push_any_where;
use crate::row::{self, COLUMNS, MAY_HAVE_FAILED, PAYLOAD, RunRow};
use crate::scope::Scope;
use opsroom_model::RunId;
use opsroom_model::query::Query;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use std::collections::HashSet;
use std::sync::Arc;

/// Changes of one look, at most: beyond, listing anew is cheaper.
pub const MAX_CHANGES: usize = 5_000;

/// A place in the stream of changes of a query's runs, in whatever state they are or come to be: a run
/// that leaves the states the query names changed, too. Not a thing to store: it holds for one
/// connection.
#[derive(Debug)]
pub struct Tail {
    pub(crate) query: Query,
    at: Option<Position>,
}

impl Tail {
    /// A tail that has not begun: its first look says [`Changes::Relist`].
    #[must_use]
    pub fn new(query: Query) -> Self {
        Self { query, at: None }
    }
}

/// What a look found.
#[derive(Debug, Clone, PartialEq)]
pub enum Changes {
    /// Where to go on is unknown or too far back: list the runs now, then look again. Nothing that
    /// changes after this answer is missed then.
    Relist,
    /// What changed, each run as it is now, in the order of the changes.
    Runs(Vec<Arc<RunRow>>),
}

/// The server process and the connection to it. A failover, a promotion, a restored backup: no server
/// takes another's place, or another timeline, without one of these being different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Origin {
    connection: u64,
    /// When the server was started, in microseconds.
    server: i64,
    standby: bool,
}

#[derive(Debug)]
struct Position {
    origin: Origin,
    /// Every transaction before it had ended at the last look.
    xmin: i64,
    /// What was delivered and will come again.
    seen: HashSet<(RunId, i64)>,
}

/// Asks for the changes after the tail's place, or only for a place where it has none.
pub(crate) fn query(scopes: &[Scope], tail: &Tail) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("with page as materialized (select ");
    sql.push(COLUMNS)
        .push(" from opsroom.operation_runs r where ");
    match &tail.at {
        None => {
            sql.push("false");
        }
        Some(at) => {
            sql.push("r.changed_xid >= ")
                .push_bind(at.xmin.to_string())
                .push("::xid8");
            push_any_where(&mut sql, scopes);
            sql.push(format_args!(" limit {}", MAX_CHANGES + 1));
        }
    }
    sql.push(") select c.server, c.standby, c.xmin, p.id");
    for (name, value) in PAYLOAD {
        sql.push(format_args!(", {value} as {name}"));
    }
    sql.push(format_args!(
        " from (select (extract(epoch from pg_postmaster_start_time()) * 1000000)::int8 as server, \
            pg_is_in_recovery() as standby, \
            pg_snapshot_xmin(pg_current_snapshot())::text::int8 as xmin) c \
         left join page p on true \
         left join lateral (select f.code, f.n from opsroom.run_failures f \
            where f.tenant_id = p.tenant_id and f.run_id = p.id and f.ord = 1 and {MAY_HAVE_FAILED} limit 1) f on true \
         order by p.changed_xid, p.id"
    ));
    sql
}

/// Reads an answer that came over the connection of that number, and moves the tail's place.
pub(crate) fn decode(
    rows: &[PgRow],
    tail: &mut Tail,
    connection: u64,
    directory: &Directory,
) -> Result<Changes, ReadError> {
    let first = rows
        .first()
        .ok_or_else(|| ReadError::malformed("a row was expected"))?;
    let place = || -> Result<(Origin, i64), sqlx::Error> {
        let origin = Origin {
            connection,
            server: first.try_get("server")?,
            standby: first.try_get("standby")?,
        };
        Ok((origin, first.try_get("xmin")?))
    };
    let (origin, xmin) = place().map_err(ReadError::malformed)?;
    let known = tail
        .at
        .take()
        .filter(|at| at.origin == origin && rows.len() <= MAX_CHANGES);
    let mut seen = HashSet::new();
    let mut runs = Vec::new();
    if let Some(known) = &known {
        for row in rows {
            let Some(run) = run_of(row, directory).map_err(ReadError::malformed)? else {
                continue;
            };
            let mark = (run.id, run.xid);
            if run.xid >= xmin {
                seen.insert(mark);
            }
            if !known.seen.contains(&mark) {
                runs.push(Arc::new(run));
            }
        }
    }
    tail.at = Some(Position { origin, xmin, seen });
    Ok(match known {
        Some(_) => Changes::Runs(runs),
        None => Changes::Relist,
    })
}

fn run_of(row: &PgRow, directory: &Directory) -> Result<Option<RunRow>, sqlx::Error> {
    match row.try_get::<Option<i64>, _>("id")? {
        Some(_) => row::decode(row, directory).map(Some),
        None => Ok(None),
    }
}
