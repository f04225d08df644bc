//! The handle: one connection that is made anew whenever it was lost, and what is remembered
//! between calls.
//!
//! Every call may be cancelled by dropping its future: the connection in the middle of it is then
//! given up, and the next call opens another. The server ends what it was doing within a second where
//! it can watch its clients, else by its own statement timeout. No call is retried; none keeps a
//! transaction open when it returns.
//!
//! | module | one idea |
//! |---|---|
//! | `boards` | what stands above and beside a list |
//! | `judging` | which runs do not move |
//! | `plans` | how the server would answer |
//! | `resolving` | what a query means |

mod boards;
mod judging;
mod plans;
mod resolving;

use crate::changes::{self, Changes, Tail};
use crate::checkup::{self, Checkup};
use crate::detail::{self, Attempt, ItemPage, Lookup};
use crate::directory::{self, Directory};
use crate::error::ReadError;
use crate::history::{self, History};
use crate::list::{self, Held, MAX_PAGE, PageRequest, RunPage};
use crate::notifications::{self, Notifications};
use crate::options::ReadOptions;
use crate::schedules::{self, Schedules};
use crate::scope;
use crate::session::Session;
use crate::sorted::{self, SortRequest, SortedPage};
use crate::still::{self, Answer, Listed};
use crate::values::Values;
use crate::workers::{self, Worker};
use chrono::TimeDelta;
use opsroom_model::{RunId, TenantId};
use resolving::Judged;
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
    /// The page that was listed last, where somebody asks for it again and again.
    listed: Option<Listed>,
    directory: Option<(Instant, Directory)>,
    /// By column, see [`values`](crate::values).
    values: HashMap<&'static str, (Instant, Values)>,
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
            values: HashMap::new(),
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

    /// The directory, read again where the tenant of one of `rows` came after it. Whoever sees a run sees
    /// its tenant.
    async fn directory_of(&mut self, rows: &[PgRow]) -> Result<&Directory, ReadError> {
        let directory = self.directory().await?;
        let is_new = |row: &PgRow| {
            let id = row.try_get::<Option<i64>, _>("tenant_id").ok().flatten();
            id.is_some_and(|id| directory.tenant_name(TenantId(id)).is_none())
        };
        if rows.iter().any(is_new) {
            self.directory = None;
        }
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
        let directory = self.directory_of(&rows).await?;
        let mut page = list::decode(&rows, limit as usize, held, directory)?;
        page.within_budget |= all_stuck == Judged::Some;
        page.stuck = self.diagnose_page(&page).await?;
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
        let mut sorted = sorted::decode(&rows, self.directory_of(&rows).await?)?;
        sorted.page.within_budget |= all_stuck == Judged::Some;
        sorted.page.stuck = self.diagnose_page(&sorted.page).await?;
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

    /// The page as it was, with what moves by itself: time, and the workers.
    async fn still(
        &mut self,
        mut listed: Listed,
        answer: Answer,
        begun: Instant,
    ) -> Result<RunPage, ReadError> {
        let page = &mut listed.page;
        page.as_of = answer.as_of;
        page.stuck = self.diagnose_page(page).await?;
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
        let connection = self.connections;
        changes::decode(&rows, tail, connection, self.directory_of(&rows).await?)
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
