//! Databases made from templates: built once per key by whoever comes first, then copied.

use crate::TestServer;
use crate::database::unique_name;
use crate::error::TestkitError;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::time::{Duration, Instant};

/// How long the builder's last connections may take to be gone. The server ends them on its own time.
const QUIET: Duration = Duration::from_secs(10);

impl TestServer {
    /// Makes a database of its own for the caller, copied from the template for `key` (letters,
    /// digits, `_`), and returns its name. Where that template is missing, `build` fills it, being
    /// given the superuser's URL of an empty database; others wait. What failed is built again by
    /// the next one who asks.
    ///
    /// # Errors
    /// `build` failed, left connections open, or the server did not do as asked.
    pub async fn database_from_template<F, E>(
        &self,
        key: &str,
        build: impl FnOnce(String) -> F,
    ) -> Result<String, TestkitError>
    where
        F: Future<Output = Result<(), E>>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut admin = PgConnection::connect(&self.connection().superuser_url("postgres")).await?;
        let template = format!("template_{key}");
        if !exists(&mut admin, &template).await? {
            sqlx::query("select pg_advisory_lock(hashtextextended($1, 0))")
                .bind(&template)
                .execute(&mut admin)
                .await?;
            // The lock goes with the connection, also when building fails.
            if !exists(&mut admin, &template).await? {
                self.build(&mut admin, &template, build).await?;
            }
        }
        let name = unique_name("test");
        run(
            &mut admin,
            format!("create database \"{name}\" template \"{template}\""),
        )
        .await?;
        admin.close().await?;
        Ok(name)
    }

    async fn build<F, E>(
        &self,
        admin: &mut PgConnection,
        template: &str,
        build: impl FnOnce(String) -> F,
    ) -> Result<(), TestkitError>
    where
        F: Future<Output = Result<(), E>>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let unfinished = format!("unfinished_{template}");
        run(
            admin,
            format!("drop database if exists \"{unfinished}\" with (force)"),
        )
        .await?;
        run(admin, format!("create database \"{unfinished}\"")).await?;
        build(self.connection().superuser_url(&unfinished))
            .await
            .map_err(|fault| TestkitError::Template(fault.into()))?;
        wait_until_quiet(admin, &unfinished).await?;
        // Only what is complete bears the template's name.
        run(
            admin,
            format!("alter database \"{unfinished}\" rename to \"{template}\""),
        )
        .await?;
        run(
            admin,
            format!("alter database \"{template}\" with allow_connections false"),
        )
        .await
    }
}

async fn exists(admin: &mut PgConnection, name: &str) -> Result<bool, TestkitError> {
    let found = sqlx::query_scalar("select exists (select from pg_database where datname = $1)");
    Ok(found.bind(name).fetch_one(admin).await?)
}

async fn run(admin: &mut PgConnection, statement: String) -> Result<(), TestkitError> {
    // Names come from this crate and from keys; a test cannot gain anything by breaking out.
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(admin)
        .await?;
    Ok(())
}

async fn wait_until_quiet(admin: &mut PgConnection, name: &str) -> Result<(), TestkitError> {
    let query = "select not exists (select from pg_stat_activity where datname = $1)";
    let started = Instant::now();
    while !sqlx::query_scalar(query)
        .bind(name)
        .fetch_one(&mut *admin)
        .await?
    {
        if started.elapsed() >= QUIET {
            return Err(TestkitError::Deadline {
                what: "the template's builder closes its connections".to_owned(),
                seconds: QUIET.as_secs_f64(),
                seen: String::new(),
            });
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}
