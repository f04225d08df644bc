//! A database with much history, and the three logins that look at it: on call (every tenant, by the
//! workspaces), support (50 tenants) and a developer (one).

use opsroom_engine::access::{self, LoginKind, NewLogin, Place};
use opsroom_engine::rollups;
use opsroom_model::Role;
use opsroom_read::{ReadOptions, Reader};
use opsroom_seed::{Plan, Way, seed};
use opsroom_testkit::{TestDatabase, eventually, unique_name};
use sqlx::{Connection, PgConnection};
use std::time::Duration;

/// Who looks at it.
pub(crate) const LOGINS: &[&str] = &["oncall", "support", "developer"];
/// Tenants of support: the n-th is the one in place 2n² + 1 by size, so that great and small are among them.
const SUPPORT: u64 = 50;

pub(crate) struct Seeded {
    place: Location,
    /// The names of the logins' roles, in the order of [`LOGINS`]: roles belong to the whole server.
    roles: Vec<String>,
}

enum Location {
    Ours(TestDatabase),
    /// The URL of the owner, whose login is replaced.
    Theirs(String),
}

impl Seeded {
    /// A database of our own, made once for so many runs and tenants.
    pub(crate) async fn with(runs: u64, tenants: u64) -> Self {
        let key = format!(
            "seeded_{runs}_{tenants}_{}",
            opsroom_engine::migrate::fingerprint()
        );
        let database = TestDatabase::from_template(&key, |url| async move {
            let mut owner = PgConnection::connect(&url).await?;
            opsroom_engine::migrate::migrate(&mut owner, |_, _| {}).await?;
            let plan = Plan {
                runs,
                tenants,
                days: 90,
                active: (runs / 100).min(300),
                on_call: None,
                way: Way::Bulk,
            };
            seed(&mut owner, &plan, &mut |_| {}).await?;
            owner.close().await?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        })
        .await
        .unwrap();
        let roles = LOGINS.iter().map(|login| unique_name(login)).collect();
        Self::peopled(Location::Ours(database), roles).await
    }

    /// A database that is there already; `owner` is its owner's URL, and its server must trust the
    /// logins that are added: `bench_oncall`, `bench_support`, `bench_developer`.
    #[allow(dead_code, reason = "only the bench looks at other databases")]
    pub(crate) async fn at(owner: String) -> Self {
        let roles = LOGINS
            .iter()
            .map(|login| format!("bench_{login}"))
            .collect();
        // As a worker would have left it: the sums of the last 30 days are those of today.
        let mut connection = PgConnection::connect(&owner).await.unwrap();
        rollups::catch_up(&mut connection).await.unwrap();
        Self::peopled(Location::Theirs(owner), roles).await
    }

    async fn peopled(place: Location, roles: Vec<String>) -> Self {
        let seeded = Self { place, roles };
        seeded.logins().await;
        seeded
    }

    fn owner(&self) -> String {
        match &self.place {
            Location::Ours(database) => database.superuser_url(),
            Location::Theirs(url) => url.clone(),
        }
    }

    /// The URL of one of [`LOGINS`].
    pub(crate) fn url(&self, login: &str) -> String {
        let at = LOGINS.iter().position(|known| *known == login).unwrap();
        let role = &self.roles[at];
        match &self.place {
            Location::Ours(database) => database.url(role),
            Location::Theirs(url) => {
                let (_, place) = url.split_once('@').unwrap();
                format!("postgres://{role}@{place}")
            }
        }
    }

    pub(crate) async fn reader(&self, login: &str) -> Reader {
        let options = ReadOptions::new(Some(&self.url(login))).unwrap();
        Reader::connect(options).await.unwrap()
    }

    /// The server's process for the newest connection of one of [`LOGINS`].
    #[allow(dead_code, reason = "only the bench looks at processes")]
    pub(crate) async fn backend(&self, login: &str) -> Option<i32> {
        let at = LOGINS.iter().position(|known| *known == login)?;
        let mut owner = PgConnection::connect(&self.owner()).await.unwrap();
        let newest =
            "select pid from pg_stat_activity where usename = $1 and application_name = 'opsroom'
            order by backend_start desc limit 1";
        let found = sqlx::query_scalar(newest).bind(&self.roles[at]);
        found.fetch_optional(&mut owner).await.unwrap()
    }

    /// How often one of `tables` was read from end to end. A session tells when it ends: all readers must be
    /// gone.
    #[allow(dead_code, reason = "only the guard of plans asks")]
    pub(crate) async fn whole_reads(&self, tables: &[&str]) -> i64 {
        let mut owner = PgConnection::connect(&self.owner()).await.unwrap();
        let here = "select count(*) = 0 from pg_stat_activity where usename = any($1)";
        eventually(Duration::from_secs(5), "the readers are gone", async || {
            let gone = sqlx::query_scalar(here).bind(&self.roles);
            gone.fetch_one(&mut owner).await.unwrap()
        })
        .await
        .unwrap();
        let read = "select coalesce(sum(seq_scan), 0)::int8 from pg_stat_user_tables where relname = any($1)";
        sqlx::query_scalar(read)
            .bind(tables)
            .fetch_one(&mut owner)
            .await
            .unwrap()
    }

    /// Up to fifty tenants of the login, the greatest first.
    pub(crate) async fn named(&self, reader: &mut Reader) -> Vec<String> {
        let mut tenants = reader.directory().await.unwrap().tenants.clone();
        tenants.sort_by_key(|tenant| tenant.id.0);
        let step = tenants.len().div_ceil(50).max(1);
        let some = tenants.iter().step_by(step);
        some.map(|tenant| tenant.raw_name().to_owned()).collect()
    }

    async fn logins(&self) {
        let mut owner = PgConnection::connect(&self.owner()).await.unwrap();
        let tenants: Vec<(i64, String, String)> = sqlx::query_as(
            "select row_number() over (order by t.id), t.name, w.name from opsroom.tenants t
               join opsroom.workspaces w on w.id = t.workspace_id order by t.id",
        )
        .fetch_all(&mut owner)
        .await
        .unwrap();
        let mut workspaces: Vec<&String> =
            tenants.iter().map(|(_, _, workspace)| workspace).collect();
        workspaces.sort();
        workspaces.dedup();
        let supported: Vec<i64> = (0..SUPPORT as i64).map(|n| 2 * n * n + 1).collect();
        for (at, login) in self.roles.iter().enumerate() {
            access::add_user(&mut owner, login).await.unwrap();
            for workspace in &workspaces {
                let role = (at == 0).then_some(Role::Operator);
                let place = Place::Workspace((*workspace).clone(), role);
                access::add_member(&mut owner, login, &place).await.unwrap();
            }
            let theirs = tenants.iter().filter(|(place, _, _)| match LOGINS[at] {
                "support" => supported.contains(place),
                "developer" => *place == 2,
                _ => false,
            });
            for (_, tenant, _) in theirs {
                let place = Place::Tenant(tenant.clone(), Role::Readonly);
                access::add_member(&mut owner, login, &place).await.unwrap();
            }
            let new = NewLogin {
                login,
                kind: LoginKind::Reader,
                user: Some(login),
                password: None,
                tenants: &[],
            };
            access::add_login(&mut owner, &new).await.unwrap();
        }
        owner.close().await.unwrap();
    }
}
