//! A world with a Graph: the simulator serves one tenant for each of the world's, and workers are
//! told where it is.

use crate::program::{self, Running, SOON, program};
use opsroom_engine::access::{GraphConnection, connect_graph};
use opsroom_graph::PolicyDocument;
use opsroom_graph::simulator::{Faults, Simulator, SimulatorConfig, TenantFixture, builtin};
use opsroom_testkit::{World, eventually};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) struct Connected {
    pub(crate) world: World,
    pub(crate) simulator: Simulator,
    secrets: TempDir,
}

impl Connected {
    /// `north` is connected, and has the policies that come with the simulator.
    pub(crate) async fn new() -> Self {
        let connected = Self {
            world: World::new().await.unwrap(),
            simulator: Simulator::start(SimulatorConfig::serving(Vec::new()))
                .await
                .unwrap(),
            secrets: tempfile::tempdir().unwrap(),
        };
        connected.connect("north", builtin::policies()).await;
        connected
    }

    /// Connects a tenant of the world.
    pub(crate) async fn connect(&self, tenant: &str, policies: Vec<PolicyDocument>) -> Uuid {
        let fixture = TenantFixture::named(tenant, policies);
        let graph = GraphConnection {
            directory_id: fixture.guid.to_string(),
            client_id: fixture.client_id.clone(),
            secret_name: tenant.to_owned(),
        };
        connect_graph(&mut self.world.owner().await.unwrap(), tenant, &graph)
            .await
            .unwrap();
        std::fs::write(
            self.secrets.path().join(tenant),
            fixture.client_secret.expose_secret(),
        )
        .unwrap();
        let id = fixture.guid;
        self.simulator.add_tenant(fixture);
        id
    }

    pub(crate) fn guid(&self, tenant: &str) -> Uuid {
        TenantFixture::named(tenant, Vec::new()).guid
    }

    pub(crate) fn weather(&self, tenant: &str, faults: Faults) {
        self.simulator
            .set_faults(self.guid(tenant), faults)
            .unwrap();
    }

    /// So slow that a run is seen under way.
    pub(crate) fn slow(&self) {
        let each = Duration::from_millis(400);
        self.weather("north", Faults::default().with_latency(each, each));
    }

    /// A worker process with a lease of two seconds.
    pub(crate) fn worker(&self, name: &str, more: &[&str]) -> Running {
        Running::start(self.command(name, more))
    }

    pub(crate) fn command(&self, name: &str, more: &[&str]) -> Command {
        let graph = self.simulator.base_url().as_str();
        let mut command = program(&self.world.database().url(&self.world.worker));
        command
            .args(["work", "--name", name, "--lease", "2s", "--poll", "50ms"])
            .args([
                "--graph-url",
                graph,
                "--graph-login-url",
                graph,
                "--graph-secrets",
            ])
            .arg(self.secrets.path())
            .args(more)
            .env(
                "OPSROOM_LOG",
                "info,opsroom_engine=trace,opsroom_graph=trace,opsroom_operations=trace,sqlx=off",
            );
        command
    }

    /// Starts `inventory.sync` for `north` as a person would; the run's id.
    pub(crate) fn start(&self) -> i64 {
        let url = self.world.database().url(&self.world.starter);
        let said = program::start(&url, &["--output", "json"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        let said: Value = serde_json::from_str(&said.out).unwrap();
        said["run"].as_i64().unwrap()
    }

    /// Waits until the run's row is as asked.
    pub(crate) async fn until(&self, run: i64, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let looked = eventually(SOON, what, async || {
            last = self.world.run(run).await.unwrap();
            is(&last)
        })
        .await;
        assert!(looked.is_ok(), "run {run} never {what}: {last:#}");
        last
    }

    pub(crate) async fn completed(&self, run: i64) -> Value {
        self.until(run, "is completed", |row| row["status"] == "completed")
            .await
    }

    pub(crate) async fn under_way(&self, run: i64) -> Value {
        let counted = |row: &Value| {
            row["summary_counts"]["success"]
                .as_u64()
                .is_some_and(|n| n > 0)
        };
        self.until(run, "is under way", |row| {
            row["status"] == "running" && counted(row)
        })
        .await
    }

    /// How each attempt of a run ended.
    pub(crate) async fn attempts(&self, run: i64) -> Vec<String> {
        sqlx::query_scalar(
            "select ended from opsroom.run_attempts where run_id = $1 order by claim_no",
        )
        .bind(run)
        .fetch_all(&mut self.world.owner().await.unwrap())
        .await
        .unwrap()
    }

    /// How many ids a worker of that name has had.
    pub(crate) async fn lives(&self, name: &str) -> i64 {
        let count =
            sqlx::query_scalar("select count(*) from opsroom.workers where name = $1").bind(name);
        count
            .fetch_one(&mut self.world.owner().await.unwrap())
            .await
            .unwrap()
    }

    /// Nothing is running, and so nothing is claimed.
    pub(crate) async fn nothing_is_claimed(&self) {
        let claimed: i64 = sqlx::query_scalar("select count(*) from opsroom.operation_runs where status = 'running' and worker_id is not null")
            .fetch_one(&mut self.world.owner().await.unwrap())
            .await
            .unwrap();
        assert_eq!(claimed, 0);
    }
}
