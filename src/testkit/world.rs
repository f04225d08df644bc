//! A small world to test in: a migrated database with two tenants, three people and a login of each
//! kind. Not here: what one crate's tests alone need.
//!
//! | person | may | logins |
//! |---|---|---|
//! | Olga Berg | everything in every tenant, by her role in the workspace | [`oncall`](World::oncall) |
//! | Sam Reyes | operate `north` | [`reader`](World::reader), [`starter`](World::starter) |
//! | Dana Cole | look at `north` | [`developer`](World::developer) |

use crate::error::TestkitError;
use crate::{TestDatabase, unique_name};
use opsroom_engine::access::{self, LoginKind, NewLogin};
use serde_json::Value;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection, PgPool};
use std::time::Duration;

/// How long a test may wait for a connection.
const PATIENCE: Duration = Duration::from_secs(30);

/// A database with people and tenants in it. The fields are names; ids are in the rows.
#[derive(Debug)]
pub struct World {
    database: TestDatabase,
    /// The tenant `north`.
    pub north: i64,
    /// The tenant `south`.
    pub south: i64,
    /// A worker's login.
    pub worker: String,
    /// Sam's: starts operations for `north`.
    pub starter: String,
    /// Sam's: sees `north` as its operator.
    pub reader: String,
    /// Dana's: sees `north`, readonly.
    pub developer: String,
    /// Olga's: sees every tenant as owner.
    pub oncall: String,
}

impl World {
    /// Makes it.
    ///
    /// # Errors
    /// No server, or the migrations fail.
    pub async fn new() -> Result<Self, TestkitError> {
        Self::within(TestDatabase::new().await?).await
    }

    /// Makes it on a server that a hot standby follows.
    ///
    /// # Errors
    /// No server, or the migrations fail.
    pub async fn replicated() -> Result<Self, TestkitError> {
        Self::within(TestDatabase::replicated().await?).await
    }

    async fn within(database: TestDatabase) -> Result<Self, TestkitError> {
        let mut owner = database.connect().await?;
        sqlx::raw_sql(PEOPLE).execute(&mut owner).await?;
        let tenant =
            |name| sqlx::query_scalar("select id from opsroom.tenants where name = $1").bind(name);
        let mut world = Self {
            north: tenant("north").fetch_one(&mut owner).await?,
            south: tenant("south").fetch_one(&mut owner).await?,
            database,
            worker: String::new(),
            starter: String::new(),
            reader: String::new(),
            developer: String::new(),
            oncall: String::new(),
        };
        world.worker = world.login(LoginKind::Worker, None, &[]).await?;
        world.starter = world
            .login(LoginKind::Starter, Some("Sam Reyes"), &[])
            .await?;
        world.reader = world
            .login(LoginKind::Reader, Some("Sam Reyes"), &[])
            .await?;
        world.developer = world
            .login(LoginKind::Reader, Some("Dana Cole"), &[])
            .await?;
        world.oncall = world
            .login(LoginKind::Reader, Some("Olga Berg"), &[])
            .await?;
        Ok(world)
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// One more login, with a name of its own; `tenants` are those an application is registered for.
    ///
    /// # Errors
    /// The server refused it.
    pub async fn login(
        &self,
        kind: LoginKind,
        user: Option<&str>,
        tenants: &[&str],
    ) -> Result<String, TestkitError> {
        let login = unique_name(kind.as_str());
        let tenants: Vec<String> = tenants.iter().map(ToString::to_string).collect();
        let new = NewLogin {
            login: &login,
            kind,
            user,
            password: None,
            tenants: &tenants,
        };
        let mut owner = self.database.connect().await?;
        access::add_login(&mut owner, &new)
            .await
            .map_err(|fault| TestkitError::World(Box::new(fault)))?;
        Ok(login)
    }

    /// A connection as superuser, whom nothing but checks and guards stops.
    ///
    /// # Errors
    /// The server is gone or full.
    pub async fn owner(&self) -> Result<PgConnection, TestkitError> {
        self.database.connect().await
    }

    /// A connection as `login`.
    ///
    /// # Errors
    /// The server is gone or full, or refuses the login.
    pub async fn connect(&self, login: &str) -> Result<PgConnection, TestkitError> {
        Ok(PgConnection::connect(&self.database.url(login)).await?)
    }

    /// A connection as `login` to the standby.
    ///
    /// # Errors
    /// There is none, or it refuses the login.
    pub async fn connect_standby(&self, login: &str) -> Result<PgConnection, TestkitError> {
        Ok(PgConnection::connect(&self.database.standby_url(login)?).await?)
    }

    /// A pool of up to `connections` as `login`; it connects when first used.
    ///
    /// # Errors
    /// Never in practice: the URL is ours.
    pub fn pool(&self, login: &str, connections: u32) -> Result<PgPool, TestkitError> {
        let options = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(PATIENCE);
        Ok(options.connect_lazy(&self.database.url(login))?)
    }

    /// A queued run that a worker may claim at once, without an initiator, its identity its own.
    ///
    /// # Errors
    /// The database refused it.
    pub async fn queued(
        &self,
        tenant: i64,
        run_type: &str,
        input: &Value,
    ) -> Result<i64, TestkitError> {
        let id = sqlx::query_scalar(
            "insert into opsroom.operation_runs (tenant_id, type, initiator_name, run_identity_hash, context, available_at)
             values ($1, $2, 'System', encode(sha256(gen_random_uuid()::text::bytea), 'hex'),
                     jsonb_build_object('input', $3::jsonb), clock_timestamp()) returning id",
        )
        .bind(tenant)
        .bind(run_type)
        .bind(input);
        Ok(id.fetch_one(&mut self.owner().await?).await?)
    }

    /// The whole row of a run, every column.
    ///
    /// # Errors
    /// There is none, or the server is gone.
    pub async fn run(&self, id: i64) -> Result<Value, TestkitError> {
        let row =
            sqlx::query_scalar("select to_jsonb(r) from opsroom.operation_runs r where id = $1");
        Ok(row.bind(id).fetch_one(&mut self.owner().await?).await?)
    }
}

const PEOPLE: &str = "
insert into opsroom.workspaces (name) values ('home');
insert into opsroom.tenants (workspace_id, name) select w.id, t from opsroom.workspaces w, unnest(array['north', 'south']) t;
insert into opsroom.users (name) values ('Olga Berg'), ('Sam Reyes'), ('Dana Cole');
insert into opsroom.workspace_members (workspace_id, user_id, role)
select w.id, u.id, case when u.name = 'Olga Berg' then 'owner' end from opsroom.workspaces w, opsroom.users u;
insert into opsroom.tenant_members (tenant_id, user_id, role)
select t.id, u.id, case u.name when 'Sam Reyes' then 'operator' else 'readonly' end
  from opsroom.tenants t, opsroom.users u where t.name = 'north' and u.name in ('Sam Reyes', 'Dana Cole');
";
