//! One simulated tenant and clients for it.

use std::time::Duration;

use opsroom_graph::simulator::Fault;
use opsroom_graph::simulator::{Faults, Observed, Simulator, SimulatorConfig, TenantFixture};
use opsroom_graph::simulator::{Rule, Target, When, generator};
use opsroom_graph::{GraphClient, GraphConfig, Limits, PolicyDocument};
use uuid::Uuid;

/// A simulator that serves one tenant.
pub(crate) struct Served {
    pub(crate) simulator: Simulator,
    pub(crate) tenant: Uuid,
}

/// Limits under which failing is quick.
pub(crate) const QUICK: Limits = Limits {
    request_timeout: Duration::from_secs(10),
    call_deadline: Duration::from_secs(20),
    listing_deadline: Duration::from_secs(60),
    max_retries: 3,
    first_backoff: Duration::from_millis(5),
    max_pages: 100,
    max_body_bytes: 4 * 1024 * 1024,
};

impl Served {
    /// Serves these policies, five a page.
    pub(crate) async fn policies(policies: Vec<PolicyDocument>) -> Self {
        let fixture = TenantFixture::named("contoso", policies);
        let tenant = fixture.guid;
        let mut config = SimulatorConfig::serving(vec![fixture]);
        config.page_size = 5;
        let simulator = Simulator::start(config).await.expect("a free port");
        Self { simulator, tenant }
    }

    /// Serves so many generated policies.
    pub(crate) async fn generated(count: usize) -> Self {
        Self::policies(generator::policies(7, count)).await
    }

    pub(crate) fn config(&self) -> GraphConfig {
        let mut config = self
            .simulator
            .config_for(self.tenant)
            .expect("the tenant is served");
        config.limits = QUICK;
        config
    }

    pub(crate) fn client(&self) -> GraphClient {
        GraphClient::new(self.config()).expect("a client")
    }

    pub(crate) fn client_with(&self, limits: Limits) -> GraphClient {
        let mut config = self.config();
        config.limits = limits;
        GraphClient::new(config).expect("a client")
    }

    pub(crate) fn weather(&self, faults: Faults) {
        self.simulator
            .set_faults(self.tenant, faults)
            .expect("the tenant is served");
    }

    pub(crate) fn fault(&self, target: Target, when: When, fault: Fault) {
        self.weather(Faults::of(1, [Rule::new(target, when, fault)]));
    }

    pub(crate) fn observed(&self) -> Observed {
        self.simulator
            .observed(self.tenant)
            .expect("the tenant is served")
    }
}
