//! The demo's database: created by the private cluster's superuser, migrated by its owner, peopled
//! with the cast. Everything here may be repeated on what an earlier demo left.

use crate::cast::{LOGINS, PEOPLE, TENANTS, WORKSPACES};
use crate::progress::Progress;
use color_eyre::eyre::{Result, WrapErr as _, bail};
use opsroom_engine::MigrateError;
use opsroom_engine::access::{self, GraphConnection, NewLogin, Place};
use opsroom_graph::simulator::TenantFixture;
use opsroom_postgres::ConnectionInfo;
use sqlx::{Connection as _, Executor as _, PgConnection};

pub(crate) const DATABASE: &str = "opsroom";
pub(crate) const OWNER: &str = "demo_owner";

/// Where each login connects.
#[derive(Clone)]
pub(crate) struct Urls {
    cluster: ConnectionInfo,
}

impl Urls {
    pub(crate) fn new(cluster: ConnectionInfo) -> Self {
        Self { cluster }
    }

    pub(crate) fn owner(&self) -> String {
        self.cluster.url(DATABASE, OWNER)
    }

    /// Of a login by its key in the cast.
    pub(crate) fn of(&self, key: &str) -> String {
        let role = LOGINS
            .iter()
            .find(|login| login.key == key)
            .map_or(key, |login| login.role);
        self.cluster.url(DATABASE, role)
    }

    /// Every URL by its key.
    pub(crate) fn json(&self) -> serde_json::Value {
        let mut urls = serde_json::Map::new();
        urls.insert("owner".to_owned(), self.owner().into());
        for login in LOGINS {
            urls.insert(login.key.to_owned(), self.of(login.key).into());
        }
        serde_json::Value::Object(urls)
    }
}

/// Brings the database to where the show can begin; says whether it was empty before.
pub(crate) async fn prepare(
    urls: &Urls,
    fixtures: &[TenantFixture],
    progress: &Progress,
) -> Result<bool> {
    create(&urls.cluster)
        .await
        .wrap_err("the demo's database cannot be created")?;
    let mut owner = PgConnection::connect(&urls.owner())
        .await
        .wrap_err("the owner cannot connect")?;
    let migrated = match opsroom_engine::migrate(&mut owner, |_, _| {}).await {
        // Nobody wants an older program for data that is only for show.
        Err(MigrateError::Changed(_) | MigrateError::TooNew { .. }) => {
            bail!(
                "an earlier demo left a database of another version; `cargo demo -- --fresh` throws it away and starts anew"
            )
        }
        migrated => migrated.wrap_err("the demo's database cannot be migrated")?,
    };
    if !migrated.applied.is_empty() {
        progress.step(&format!(
            "schema at version {}, {} migrations applied",
            migrated.version,
            migrated.applied.len()
        ));
    }
    people(&mut owner, fixtures)
        .await
        .wrap_err("the cast cannot be set up")?;
    let empty: bool = sqlx::query_scalar("select not exists (select from opsroom.operation_runs)")
        .fetch_one(&mut owner)
        .await?;
    Ok(empty)
}

async fn create(cluster: &ConnectionInfo) -> Result<()> {
    let mut superuser = PgConnection::connect(&cluster.superuser_url("postgres")).await?;
    let exists: bool =
        sqlx::query_scalar("select exists (select from pg_database where datname = 'opsroom')")
            .fetch_one(&mut superuser)
            .await?;
    if !exists {
        superuser.execute("create database opsroom").await?;
    }
    superuser
        .execute(
            "do $$ begin
               if not exists (select from pg_roles where rolname = 'demo_owner') then
                 create role demo_owner login createrole;
               end if;
             end $$;
             grant create on database opsroom to demo_owner",
        )
        .await?;
    superuser.close().await?;
    Ok(())
}

async fn people(owner: &mut PgConnection, fixtures: &[TenantFixture]) -> Result<()> {
    for workspace in WORKSPACES {
        access::add_workspace(owner, workspace).await?;
    }
    for (tenant, fixture) in TENANTS.iter().zip(fixtures) {
        access::add_tenant(owner, tenant.name, tenant.workspace).await?;
        let graph = GraphConnection {
            directory_id: fixture.guid.to_string(),
            client_id: fixture.client_id.clone(),
            secret_name: secret_name(fixture),
        };
        access::connect_graph(owner, tenant.name, &graph).await?;
    }
    for person in PEOPLE {
        access::add_user(owner, person.name).await?;
        for (workspace, role) in person.workspaces {
            access::add_member(
                owner,
                person.name,
                &Place::Workspace((*workspace).to_owned(), *role),
            )
            .await?;
        }
        for (tenant, role) in person.tenants {
            access::add_member(
                owner,
                person.name,
                &Place::Tenant((*tenant).to_owned(), *role),
            )
            .await?;
        }
    }
    for login in LOGINS {
        let new = NewLogin {
            login: login.role,
            kind: login.kind,
            user: login.user,
            password: None,
            tenants: &[],
        };
        access::add_login(owner, &new).await?;
    }
    Ok(())
}

/// The file that holds a tenant's client secret: the directory's id, since names may be any text.
pub(crate) fn secret_name(fixture: &TenantFixture) -> String {
    fixture.guid.to_string()
}
