//! The handle: one connection that is made anew whenever it was lost, and what is remembered
//! between calls.
//!
//! Every call may be cancelled by dropping its future: the connection in the middle of it is then
//! given up, and the next call opens another. The server ends what it was doing within a second where
//! it can watch its clients, else by its own statement timeout. No call is retried; none keeps a transaction open when it returns.

use crate::changes::{self, Changes, Tail};
use crate::checkup::{self, Checkup};
use crate::counted::{self, Point};
use crate::detail::{self, Attempt, ItemPage, Lookup};
use crate::directory::{self, Directory};
use crate::error::ReadError;
use crate::failures::{self, FailureBoard};
use crate::headline::{self, Headline, Suspect};
use crate::health::{self, By, HealthBoard};
use crate::history::{self, History};
use crate::keys;
use crate::list::{self, Held, MAX_PAGE, PageRequest, RunPage};
use crate::notifications::{self, Notifications};
use crate::options::ReadOptions;
use crate::people::{self, People};
use crate::rollup;
use crate::schedules::{self, Schedules};
use crate::scope::{self, Known, Scope};
use crate::session::Session;
use crate::sorted::{self, SortRequest, SortedPage};
use crate::still::{self, Answer, Listed};
use crate::stuck::{self, Facts, Stuck};
use crate::workers::{self, Worker};
use chrono::{DateTime, TimeDelta, Utc};
use opsroom_model::query::Query;
use opsroom_model::{Clean, RunId, TenantId};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How long the directory of tenants and types is believed.
const DIRECTORY_AGE: Duration = Duration::from_secs(30);
/// What turns a statement into its plan.
const EXPLAIN: &str = "explain ";
/// How long the p95 of a type is believed.
const P95_AGE: Duration = Duration::from_secs(300);

/// Whether every run that may be stuck was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judged {
    All,
    Some,
}

/// Reads, through one connection.
#[derive(Debug)]
pub struct Reader {
    options: ReadOptions,
    session: Option<Session>,
    /// How many connections there were.
    connections: u64,
    /// The page that was listed last, where somebody asks for it again and again.
    listed: Option<Listed>,
    directory: Option<(Instant, Directory)>,
    people: Option<(Instant, People)>,
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
            listed: None,
            directory: None,
            people: None,
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

    /// The same, read anew.
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn reread_directory(&mut self) -> Result<&Directory, ReadError> {
        self.directory = None;
        self.directory().await
    }

    /// One page of runs. `held` are rows of an earlier answer to the same request: what did not
    /// change since is not sent again.
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn page(&mut self, request: &PageRequest, held: &Held) -> Result<RunPage, ReadError> {
        let begun = Instant::now();
        // Kept aside until it is known again: a call that is dropped leaves nothing half known.
        let listed = self.listed.take().filter(|page| page.is(request, held));
        let place = match held {
            [] => None,
            _ => {
                let row = self.one(still::query(listed.as_ref())).await?;
                let answer = Answer::read(&row, self.connections)?;
                if let Some(listed) = listed.filter(|listed| answer.confirms(listed)) {
                    return self.still(listed, answer, begun).await;
                }
                Some(answer.place)
            }
        };
        let limit = request.limit.clamp(1, MAX_PAGE);
        let (scopes, all_stuck) = self.scopes(&request.query).await?;
        let sql = list::query(&scopes, i64::from(limit), request.before, held, "");
        let rows = self.all(sql).await?;
        let mut page = list::decode(&rows, limit as usize, held)?;
        page.within_budget |= all_stuck == Judged::Some;
        if page.rows.iter().any(|row| row.state.is_active()) {
            page.stuck = self.diagnose_page(&page).await?;
        }
        page.took = begun.elapsed();
        self.listed = Some(Listed {
            request: request.clone(),
            page: page.clone(),
            place,
            at: begun,
        });
        Ok(page)
    }

    /// The newest runs of a query in another order; what the order leaves out, the answer says.
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn sorted(&mut self, request: &SortRequest) -> Result<SortedPage, ReadError> {
        let begun = Instant::now();
        let (scopes, all_stuck) = self.scopes(&request.query).await?;
        let rows = self.all(sorted::query(&scopes, request, "")).await?;
        let mut sorted = sorted::decode(&rows)?;
        sorted.page.within_budget |= all_stuck == Judged::Some;
        if sorted.page.rows.iter().any(|row| row.state.is_active()) {
            sorted.page.stuck = self.diagnose_page(&sorted.page).await?;
        }
        sorted.page.took = begun.elapsed();
        Ok(sorted)
    }

    /// The last runs before one, of its identity and of its type and tenant; up to `limit` each,
    /// [`MAX_HISTORY`](crate::history::MAX_HISTORY) at most. `run_type` is the type as stored.
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn history(
        &mut self,
        id: RunId,
        tenant: TenantId,
        run_type: &str,
        limit: u32,
    ) -> Result<History, ReadError> {
        let rows = self
            .all(history::query(id, tenant, run_type, limit))
            .await?;
        history::decode(&rows)
    }

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

    /// The page as it was, with what moves by itself: time, and the workers.
    async fn still(
        &mut self,
        mut listed: Listed,
        answer: Answer,
        begun: Instant,
    ) -> Result<RunPage, ReadError> {
        let page = &mut listed.page;
        page.as_of = answer.as_of;
        if page.rows.iter().any(|row| row.state.is_active()) {
            page.stuck = self.diagnose_page(page).await?;
        }
        page.took = begun.elapsed();
        let page = page.clone();
        listed.place = Some(answer.place);
        self.listed = Some(listed);
        Ok(page)
    }

    /// What changed of the tail's runs since its last look, and moves it on; the first look, and one
    /// that comes too late, says to list them anew. None is missed, none told twice.
    ///
    /// # Errors
    /// As every call: see [`ReadError`]. The tail stays where it was; a look that was dropped, too.
    pub async fn changes(&mut self, tail: &mut Tail) -> Result<Changes, ReadError> {
        let scopes = self.resolve(&tail.query, scope::Stuck::AnyState).await?;
        let rows = self.all(changes::query(&scopes, tail)).await?;
        changes::decode(&rows, tail, self.connections)
    }

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
        let mut headline = headline::decode(&row, ended.unwrap_or_default())?;
        let workers = self.workers().await?;
        headline.live_workers = workers.iter().filter(|worker| worker.alive).count();
        let (stuck, suspects) = self.stuck_among(&scopes, &workers).await?;
        headline.stuck = headline::stuck_count(stuck.len(), suspects);
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

    /// The schedules of the login's tenants, a thousand at most: those that cannot fire first, then by
    /// next fire time.
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn schedules(&mut self) -> Result<Schedules, ReadError> {
        let rows = self.all(schedules::query()).await?;
        schedules::decode(&rows)
    }

    /// The newest notifications of the login's user, 500 at most.
    ///
    /// # Errors
    /// As every call: see [`ReadError`].
    pub async fn notifications(&mut self) -> Result<Notifications, ReadError> {
        let rows = self.all(notifications::query()).await?;
        notifications::decode(&rows)
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

    /// What a query means; where it asks for the diagnosis, the runs that may be stuck are judged
    /// first.
    async fn scopes(&mut self, query: &Query) -> Result<(Vec<Scope>, Judged), ReadError> {
        let (mut stuck, mut judged) = (Vec::new(), Judged::All);
        if query.asks_for_stuck() {
            let scopes = self.resolve(query, scope::Stuck::AnyState).await?;
            let workers = self.workers().await?;
            let (found, suspects) = self.stuck_among(&scopes, &workers).await?;
            stuck = found;
            if headline::stuck_count(stuck.len(), suspects).more {
                judged = Judged::Some;
            }
        }
        let scopes = self.resolve(query, scope::Stuck::Are(&stuck)).await?;
        Ok((scopes, judged))
    }

    async fn resolve(
        &mut self,
        query: &Query,
        stuck: scope::Stuck<'_>,
    ) -> Result<Vec<Scope>, ReadError> {
        self.directory().await?;
        let people = if scope::asks_for_people(query) {
            self.know_people().await?
        } else {
            People::default()
        };
        let mut found = keys::Found::new();
        for asked in scope::asks_for_keys(query) {
            let tenants = self.directory().await?.tenants.iter();
            let tenants = tenants.map(|tenant| tenant.id.0).collect();
            let rows = self.all(keys::query(&asked, tenants)).await?;
            found.extend(keys::decode(&rows)?.map(|ids| (asked, ids)));
        }
        let known = Known {
            directory: self.directory().await?,
            people: &people,
            keys: &found,
            stuck,
        };
        Ok(scope::resolve(query, known))
    }

    /// The one scope that rollups are asked for, of runs in any state; all that the login sees, and
    /// false, where the query has alternatives.
    async fn counted_scope(&mut self, query: &Query) -> Result<(Scope, bool), ReadError> {
        let mut scopes = self.resolve(query, scope::Stuck::AnyState).await?;
        if let (Some(only), true) = (scopes.pop(), scopes.is_empty()) {
            return Ok((only, true));
        }
        let mut all = self
            .resolve(&Query::default(), scope::Stuck::AnyState)
            .await?;
        let all = all.pop().ok_or_else(|| ReadError::malformed("no scope"))?;
        Ok((all, false))
    }

    /// The runs of `scopes` that do not move, and how many had to be judged.
    async fn stuck_among(
        &mut self,
        scopes: &[Scope],
        workers: &[Worker],
    ) -> Result<(Vec<RunId>, usize), ReadError> {
        let rows = self.all(headline::suspects(scopes, workers)).await?;
        let suspects = rows
            .iter()
            .map(Suspect::decode)
            .collect::<Result<Vec<_>, _>>()?;
        let Some(now) = suspects.first().map(|suspect| suspect.as_of) else {
            return Ok((Vec::new(), 0));
        };
        let facts: Vec<_> = suspects.iter().map(Suspect::facts).collect();
        let verdicts = self.diagnose(&facts, workers, now).await?;
        let judged = suspects.iter().zip(verdicts);
        let stuck = judged.filter_map(|(suspect, verdict)| verdict.map(|_| suspect.id));
        Ok((stuck.collect(), suspects.len()))
    }

    /// As old as the directory may be.
    async fn know_people(&mut self) -> Result<People, ReadError> {
        if let Some((since, people)) = &self.people
            && since.elapsed() < DIRECTORY_AGE
        {
            return Ok(people.clone());
        }
        let directory = self.directory().await?;
        let some = (!directory.sees_all).then(|| {
            directory
                .tenants
                .iter()
                .map(|tenant| tenant.id.0)
                .collect::<Vec<_>>()
        });
        let row = self.one(people::query(some.as_deref())).await?;
        let people = people::decode(&row)?;
        self.people = Some((Instant::now(), people.clone()));
        Ok(people)
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
