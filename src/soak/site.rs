//! A database to break things at. Beside opsroom's tables it holds a record of every ending and every
//! effect, written by a trigger and by the jobs: what the engine says of itself is checked against it.

use crate::jobs::{self, Task};
use color_eyre::eyre::{Result, WrapErr as _, eyre};
use opsroom_engine::access::{self, LoginKind, NewLogin};
use opsroom_engine::{
    Confirmation, Initiator, Priority, Registry, Start, Transport, Wake, ensure_run,
};
use opsroom_model::{RunId, TenantId};
use opsroom_postgres::{ConnectionInfo, Server};
use opsroom_testkit::{World, unique_name};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// Longer than anything here takes, also on a busy machine.
pub const SOON: std::time::Duration = std::time::Duration::from_secs(60);

const RECORD: &str = "
create schema soak;
create table soak.effects (run_id bigint not null, attempt bigint not null, at timestamptz not null default clock_timestamp());
create table soak.endings (run_id bigint not null, at timestamptz not null default clock_timestamp());
create function soak.ended() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  insert into soak.endings (run_id) values (new.id);
  return null;
end $$;
create trigger zz_soak after update of status on opsroom.operation_runs
  for each row when (old.status <> 'completed' and new.status = 'completed') execute function soak.ended();
grant usage on schema soak to opsroom_worker;
grant insert on soak.effects to opsroom_worker;
";

/// Where sites are made.
#[derive(Debug)]
pub enum Ground {
    /// On the server that all tests share.
    Tests,
    /// On a server of our own.
    Own(Server),
}

impl Ground {
    /// A site nobody else uses.
    ///
    /// # Errors
    /// The server is gone, or refused it.
    pub async fn site(&self) -> Result<Site> {
        match self {
            Self::Tests => Site::shared().await,
            Self::Own(server) => Site::on(server.connection()).await,
        }
    }
}

/// A database with two tenants and a worker's login.
#[derive(Debug, Clone)]
pub struct Site {
    connection: ConnectionInfo,
    database: String,
    /// The worker's login.
    pub login: String,
    /// Ids of the tenants.
    pub tenants: Vec<i64>,
}

impl Site {
    /// On the server that all tests share.
    ///
    /// # Errors
    /// No server.
    pub async fn shared() -> Result<Self> {
        let world = World::new().await?;
        let site = Self {
            connection: world.database().server().connection().clone(),
            database: world.database().name().to_owned(),
            login: world.worker.clone(),
            tenants: vec![world.north, world.south],
        };
        site.prepare().await?;
        Ok(site)
    }

    /// On a server of the caller's own, in a new database.
    ///
    /// # Errors
    /// The server refused it.
    pub async fn on(connection: &ConnectionInfo) -> Result<Self> {
        let (database, login) = (unique_name("soak"), unique_name("soak_worker"));
        let mut superuser = PgConnection::connect(&connection.superuser_url("postgres")).await?;
        sqlx::query(AssertSqlSafe(format!("create database {database}")))
            .execute(&mut superuser)
            .await?;
        let mut owner = PgConnection::connect(&connection.superuser_url(&database)).await?;
        opsroom_engine::migrate(&mut owner, |_, _| {}).await?;
        access::add_workspace(&mut owner, "soak").await?;
        for tenant in ["north", "south"] {
            access::add_tenant(&mut owner, tenant, "soak").await?;
        }
        let new = NewLogin {
            login: &login,
            kind: LoginKind::Worker,
            user: None,
            password: None,
            tenants: &[],
        };
        access::add_login(&mut owner, &new).await?;
        let tenants = sqlx::query_scalar("select id from opsroom.tenants order by id")
            .fetch_all(&mut owner)
            .await?;
        let site = Self {
            connection: connection.clone(),
            database,
            login,
            tenants,
        };
        site.prepare().await?;
        Ok(site)
    }

    async fn prepare(&self) -> Result<()> {
        let mut owner = self.owner().await?;
        sqlx::raw_sql(RECORD).execute(&mut owner).await?;
        // The number of attempts of a run is taken from its type when the run is made.
        registry()?.publish(&mut owner).await?;
        Ok(())
    }

    /// The same database on another server, a promoted standby.
    #[must_use]
    pub fn moved_to(mut self, connection: &ConnectionInfo) -> Self {
        self.connection = connection.clone();
        self
    }

    /// How to reach the server.
    #[must_use]
    pub fn connection(&self) -> &ConnectionInfo {
        &self.connection
    }

    /// The database's name.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The worker's URL.
    #[must_use]
    pub fn worker_url(&self) -> String {
        self.connection.url(&self.database, &self.login)
    }

    /// A connection as superuser.
    ///
    /// # Errors
    /// The server is gone or full.
    pub async fn owner(&self) -> Result<PgConnection> {
        PgConnection::connect(&self.connection.superuser_url(&self.database))
            .await
            .wrap_err("the site's database")
    }

    /// One number, as superuser.
    ///
    /// # Errors
    /// The server is gone, or refused it.
    pub async fn number(&self, query: &'static str) -> Result<i64> {
        Ok(sqlx::query_scalar(query)
            .fetch_one(&mut self.owner().await?)
            .await?)
    }

    /// Runs a script as superuser.
    ///
    /// # Errors
    /// The first statement that fails.
    pub async fn script(&self, sql: &str) -> Result<()> {
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut self.owner().await?)
            .await?;
        Ok(())
    }

    /// Starts a run of `run_type` for one of the tenants through the engine's library.
    ///
    /// # Errors
    /// The start was refused.
    pub async fn start(&self, run_type: &str, task: &Task) -> Result<i64> {
        self.start_over(&mut self.owner().await?, run_type, task)
            .await
    }

    /// The same on a connection of the caller's.
    ///
    /// # Errors
    /// The start was refused.
    pub async fn start_over(
        &self,
        connection: &mut PgConnection,
        run_type: &str,
        task: &Task,
    ) -> Result<i64> {
        let start = Start {
            tenant: TenantId(self.tenants[fastrand::usize(..self.tenants.len())]),
            run_type,
            input: serde_json::to_value(task)?,
            initiator: Initiator::System,
            wake: Wake::Notify,
            priority: Priority::Normal,
            transport: Transport::Workers,
        };
        match ensure_run(connection, &registry()?, start).await? {
            Confirmation::Created(RunId(run)) => Ok(run),
            Confirmation::Reused(RunId(run)) => Err(eyre!("run {run} was there already")),
        }
    }

    /// What became of all runs that were started.
    ///
    /// # Errors
    /// The server is gone.
    pub async fn audit(&self) -> Result<Audit> {
        let (open, ended_twice, claimed, succeeded) = sqlx::query_as(
            "select (select count(*) from opsroom.operation_runs where status <> 'completed'),
                    (select count(*) from (select 1 from soak.endings group by run_id having count(*) > 1) twice),
                    (select count(*) from opsroom.operation_runs where status = 'running' and worker_id is not null),
                    (select count(*) from opsroom.operation_runs where outcome = 'succeeded')",
        )
        .fetch_one(&mut self.owner().await?)
        .await?;
        Ok(Audit {
            open,
            ended_twice,
            claimed,
            succeeded,
        })
    }

    /// Waits until nothing is open.
    ///
    /// # Errors
    /// Something still is, after a minute.
    pub async fn settled(&self) -> Result<Audit> {
        let mut owner = self.owner().await?;
        opsroom_testkit::eventually(SOON, "every run ends", async || {
            let open: Result<i64, _> = sqlx::query_scalar(
                "select count(*) from opsroom.operation_runs where outcome = 'pending'",
            )
            .fetch_one(&mut owner)
            .await;
            matches!(open, Ok(0))
        })
        .await?;
        self.audit().await
    }
}

/// What became of the runs.
#[derive(Debug, Clone, Copy)]
pub struct Audit {
    /// Not completed.
    pub open: i64,
    /// Completed more than once, by the site's own record.
    pub ended_twice: i64,
    /// Held by a worker.
    pub claimed: i64,
    /// Ended well.
    pub succeeded: i64,
}

/// The registry of whoever starts runs of this crate.
///
/// # Errors
/// Never: the types are this crate's.
pub fn registry() -> Result<Registry> {
    Ok(jobs::register(Registry::new())?)
}
