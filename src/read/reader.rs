//! The handle: one connection that is made anew whenever it was lost, and what is remembered
//! between calls.
//!
//! Every call may be cancelled by dropping its future: the connection in the middle of it is then
//! given up, and the next call opens another. The server ends what it was doing within a second where
//! it can watch its clients, else by its own statement timeout. No call is retried; none keeps a transaction open when it returns.

use crate::changes::{self, Changes, Tail};
use crate::checkup::{self, Checkup};
use crate::detail::{self, Attempt, ItemPage, Lookup};
use crate::directory::{self, Directory};
use crate::error::ReadError;
use crate::headline::{self, Headline, Suspect};
use crate::list::{self, Held, MAX_PAGE, PageRequest, RunPage};
use crate::options::ReadOptions;
use crate::scope::Scope;
use crate::session::Session;
use crate::stuck::{self, Facts, Stuck};
use crate::workers::{self, Worker};
use chrono::{DateTime, TimeDelta, Utc};
use opsroom_model::RunId;
use opsroom_model::query::Query;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How long the directory of tenants and types is believed.
const DIRECTORY_AGE: Duration = Duration::from_secs(30);
/// How long the p95 of a type is believed.
const P95_AGE: Duration = Duration::from_secs(300);

/// Reads, through one connection.
#[derive(Debug)]
pub struct Reader {
    options: ReadOptions,
    session: Option<Session>,
    /// How many connections there were.
    connections: u64,
    directory: Option<(Instant, Directory)>,
    p95: HashMap<String, (Instant, Option<TimeDelta>)>,
}

impl Reader {
    /// Connects and checks the login, which must be one that cannot write.
    ///
    /// # Errors
    /// Everything [`ReadError`] names but `Malformed`. Takes 5 s at most.
    pub async fn connect(options: ReadOptions) -> Result<Self, ReadError> {
        let mut reader = Self {
            options,
            session: None,
            connections: 1,
            directory: None,
            p95: HashMap::new(),
        };
        reader.session = Some(Session::open(&reader.options).await?);
        Ok(reader)
    }

    /// Where this reads from, without a password.
    #[must_use]
    pub fn place(&self) -> String {
        self.options.place()
    }

    /// The tenants and types of the login, at most half a minute old.
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn directory(&mut self) -> Result<&Directory, ReadError> {
        let fresh = self
            .directory
            .as_ref()
            .is_some_and(|(since, _)| since.elapsed() < DIRECTORY_AGE);
        if !fresh {
            let row = self.one(directory::query()).await?;
            self.directory = Some((Instant::now(), directory::decode(&row)?));
        }
        match &self.directory {
            Some((_, directory)) => Ok(directory),
            None => Err(ReadError::malformed("the directory")),
        }
    }

    /// One page of runs. `held` are rows of an earlier answer to the same request: what did not
    /// change since is not sent again.
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn page(&mut self, request: &PageRequest, held: &Held) -> Result<RunPage, ReadError> {
        let begun = Instant::now();
        let limit = request.limit.clamp(1, MAX_PAGE);
        let scope = self.scope(&request.query).await?;
        let sql = list::query(&scope, i64::from(limit), request.before, held);
        let rows = self.all(sql).await?;
        let mut page = list::decode(&rows, limit as usize, held)?;
        page.within_budget = scope.is_free_text();
        if page.rows.iter().any(|row| row.state.is_active()) {
            page.stuck = self.diagnose_page(&page).await?;
        }
        page.took = begun.elapsed();
        Ok(page)
    }

    /// What changed of the tail's runs since its last look, and moves it on; the first look, and one
    /// that comes too late, says to list them anew. None is missed, none told twice.
    ///
    /// # Errors
    /// As every call: see [`ReadError`]. The tail stays where it was; a look that was dropped, too.
    pub async fn changes(&mut self, tail: &mut Tail) -> Result<Changes, ReadError> {
        let scope = self.scope(&tail.query).await?.of_any_state();
        let rows = self.all(changes::query(&scope, tail)).await?;
        changes::decode(&rows, tail, self.connections)
    }

    /// Counts, oldest queued and stuck runs of a query, whatever states it names.
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn headline(&mut self, query: &Query) -> Result<Headline, ReadError> {
        let scope = self.scope(query).await?.of_any_state();
        let row = self.one(headline::query(&scope)).await?;
        let mut headline = headline::decode(&row)?;
        let workers = self.workers().await?;
        headline.live_workers = workers.iter().filter(|worker| worker.alive).count();
        let rows = self.all(headline::suspects(&scope, &workers)).await?;
        let suspects = rows
            .iter()
            .map(Suspect::decode)
            .collect::<Result<Vec<_>, _>>()?;
        let facts: Vec<_> = suspects.iter().map(Suspect::facts).collect();
        let verdicts = self.diagnose(&facts, &workers, headline.as_of).await?;
        let stuck = verdicts.iter().flatten().count();
        headline.stuck = headline::stuck_count(stuck, suspects.len());
        Ok(headline)
    }

    /// One run in full, or why not.
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn run(&mut self, id: RunId) -> Result<Lookup, ReadError> {
        let row = self.one(detail::query(id)).await?;
        detail::decode(&row)
    }

    /// Items of a run in the order of their keys, after `after` (empty: from the first). None where
    /// the login may not see the run.
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn items(
        &mut self,
        id: RunId,
        after: &str,
        limit: u32,
    ) -> Result<ItemPage, ReadError> {
        let rows = self.all(detail::items_query(id, after, limit)).await?;
        detail::decode_items(&rows, limit)
    }

    /// The attempts of a run, oldest first. None where the login may not see the run.
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn attempts(&mut self, id: RunId) -> Result<Vec<Attempt>, ReadError> {
        let rows = self.all(detail::attempts_query(id)).await?;
        rows.iter().map(detail::decode_attempt).collect()
    }

    /// The workers there are, the living first, then those heard of within the last hour; a thousand
    /// at most.
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn workers(&mut self) -> Result<Vec<Worker>, ReadError> {
        let rows = self.all(workers::query()).await?;
        rows.iter().map(workers::decode).collect()
    }

    /// What the connection is like and what the login can see.
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn checkup(&mut self) -> Result<Checkup, ReadError> {
        let tenants = self.directory().await?.tenants.len();
        let live = self
            .workers()
            .await?
            .iter()
            .filter(|worker| worker.alive)
            .count();
        let may_ask = self.one(checkup::may_ask()).await?;
        let may_ask = may_ask.try_get(0).map_err(ReadError::malformed)?;
        let row = self.one(checkup::query(may_ask)).await?;
        checkup::decode(&row, tenants, live)
    }

    async fn scope(&mut self, query: &Query) -> Result<Scope, ReadError> {
        Ok(Scope::resolve(query, self.directory().await?))
    }

    async fn diagnose_page(&mut self, page: &RunPage) -> Result<HashMap<RunId, Stuck>, ReadError> {
        let workers = self.workers().await?;
        let active: Vec<_> = page
            .rows
            .iter()
            .filter(|row| row.state.is_active())
            .collect();
        let facts: Vec<_> = active.iter().map(|row| row.facts()).collect();
        let verdicts = self.diagnose(&facts, &workers, page.as_of).await?;
        let named = active.iter().zip(verdicts);
        Ok(named
            .filter_map(|(row, verdict)| Some((row.id, verdict?)))
            .collect())
    }

    async fn diagnose(
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

    async fn know_p95(&mut self, run_type: &str) -> Result<(), ReadError> {
        let known = self.p95.get(run_type);
        if known.is_some_and(|(since, _)| since.elapsed() < P95_AGE) {
            return Ok(());
        }
        let mut scope = self.scope(&Query::default()).await?;
        scope.types = Some(vec![run_type.to_owned()]);
        let row = self.one(stuck_p95(&scope)).await?;
        let samples: i64 = row.try_get("samples").map_err(ReadError::malformed)?;
        let seconds: Option<f64> = row.try_get("p95").map_err(ReadError::malformed)?;
        let p95 = seconds
            .filter(|_| samples >= stuck::MIN_SAMPLES)
            .map(|seconds| TimeDelta::milliseconds((seconds * 1000.0) as i64));
        self.p95.insert(run_type.to_owned(), (Instant::now(), p95));
        Ok(())
    }

    async fn all(&mut self, sql: QueryBuilder<Postgres>) -> Result<Vec<PgRow>, ReadError> {
        // Taken out for the call and put back only after a whole answer: a dropped future or a
        // failure leaves no half-read connection behind.
        let mut session = match self.session.take() {
            Some(session) => session,
            None => {
                let session = Session::open(&self.options).await?;
                self.connections += 1;
                session
            }
        };
        let rows = session.all(sql).await?;
        self.session = Some(session);
        Ok(rows)
    }

    async fn one(&mut self, sql: QueryBuilder<Postgres>) -> Result<PgRow, ReadError> {
        let rows = self.all(sql).await?;
        rows.into_iter()
            .next()
            .ok_or_else(|| ReadError::malformed("a row was expected"))
    }
}

/// The p95 of the newest completed runs of the scope's type, in seconds, and how many there were.
fn stuck_p95(scope: &Scope) -> QueryBuilder<Postgres> {
    use crate::filter::{Order, Take, push_rows};
    let mut sql = QueryBuilder::new(
        "select count(*) as samples, percentile_disc(0.95) within group \
         (order by extract(epoch from s.completed_at - s.started_at)::float8) as p95 from ",
    );
    let take = Take {
        columns: "r.created_at, r.id, r.started_at, r.completed_at",
        limit: 200,
        before: None,
        order: Order::NewestFirst,
    };
    push_rows(&mut sql, scope, take);
    sql.push(" s where s.started_at >= '1900-01-01' and s.completed_at < '9999-12-31'");
    sql
}
