//! A server that answers as Microsoft Graph does, for demos and tests: tokens, paged collections,
//! single entities, error bodies; and that fails on demand. It listens on 127.0.0.1 alone.
//!
//! It serves what the contract registry allows ([`crate::contract`]) and nothing that writes.
//! `$filter`, `$search` and `$count` are not honoured.

mod asked;
mod authority;
pub mod builtin;
mod dice;
mod entities;
pub mod faults;
pub mod folder;
pub mod generator;
mod reply;
mod service;
mod tenant;
mod weather;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;
use url::Url;
use uuid::Uuid;

pub use faults::{Fault, Faults, Latency, RetryAfter, Rule, Target, When};
pub use reply::{LEAKED_EMAIL, LEAKED_TOKEN};
pub use tenant::{Observed, TenantFixture};

use crate::config::GraphConfig;
use crate::policy::PolicyDocument;
use service::Service;
use tenant::Tenant;
use weather::Weather;

const LONGEST_FORM: usize = 64 * 1024;

/// What to serve, and how.
#[derive(Debug, Clone)]
pub struct SimulatorConfig {
    /// Who is served.
    pub tenants: Vec<TenantFixture>,
    /// Entities a page, at most. Default 20.
    pub page_size: usize,
    /// How long a token is valid. Default one hour.
    pub token_lifetime: Duration,
    /// The port on 127.0.0.1; 0, the default, takes a free one.
    pub port: u16,
}

impl SimulatorConfig {
    /// The defaults for these tenants.
    #[must_use]
    pub fn serving(tenants: Vec<TenantFixture>) -> Self {
        let token_lifetime = Duration::from_secs(3600);
        Self {
            tenants,
            page_size: 20,
            token_lifetime,
            port: 0,
        }
    }
}

/// The simulator could not start.
#[derive(Debug, thiserror::Error)]
#[error("the Graph simulator cannot listen on 127.0.0.1")]
pub struct StartError(#[source] std::io::Error);

/// No such tenant is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the Graph simulator serves no tenant {0}")]
pub struct UnknownTenant(pub Uuid);

/// A running simulator. It stops when dropped: no new connections, and answers under way are cut
/// off.
pub struct Simulator {
    base_url: Url,
    service: Arc<Mutex<Service>>,
    _running: watch::Sender<()>,
}

#[derive(Clone)]
struct Shared {
    service: Arc<Mutex<Service>>,
    stopped: watch::Receiver<()>,
}

impl Simulator {
    /// Listens and serves, on the runtime of the caller.
    ///
    /// # Errors
    /// [`StartError`] where the port is taken.
    pub async fn start(config: SimulatorConfig) -> Result<Self, StartError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, config.port));
        let listener = TcpListener::bind(address).await.map_err(StartError)?;
        let address = listener.local_addr().map_err(StartError)?;
        let base = format!("http://{address}");
        let base_url =
            Url::parse(&base).map_err(|error| StartError(std::io::Error::other(error)))?;
        let tenants = config
            .tenants
            .into_iter()
            .map(|one| (one.guid, Tenant::new(one)));
        let service = Arc::new(Mutex::new(Service {
            base_url: base,
            page_size: config.page_size.max(1),
            token_lifetime: config.token_lifetime,
            tenants: HashMap::from_iter(tenants),
        }));
        let (running, stopped) = watch::channel(());
        let shared = Shared {
            service: Arc::clone(&service),
            stopped: stopped.clone(),
        };
        let router = Router::new().fallback(serve).with_state(shared);
        let server = axum::serve(listener, router).with_graceful_shutdown(end(stopped));
        tokio::spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "the Graph simulator ended");
            }
        });
        Ok(Self {
            base_url,
            service,
            _running: running,
        })
    }

    /// Where it listens, e.g. `http://127.0.0.1:40123`: base URL and authority at once.
    #[must_use]
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// The configuration of a client for one of its tenants.
    ///
    /// # Errors
    /// [`UnknownTenant`].
    pub fn config_for(&self, tenant: Uuid) -> Result<GraphConfig, UnknownTenant> {
        self.with(tenant, |served| {
            let fixture = &served.fixture;
            let secret = fixture.client_secret.clone();
            GraphConfig {
                base_url: self.base_url.clone(),
                authority: self.base_url.clone(),
                ..GraphConfig::global(tenant, fixture.client_id.clone(), secret)
            }
        })
    }

    /// Serves one more tenant, or replaces the one with the same id.
    pub fn add_tenant(&self, fixture: TenantFixture) {
        self.lock()
            .tenants
            .insert(fixture.guid, Tenant::new(fixture));
    }

    /// Changes the weather of one tenant from the next request on; all counters start anew.
    ///
    /// # Errors
    /// [`UnknownTenant`].
    pub fn set_faults(&self, tenant: Uuid, faults: Faults) -> Result<(), UnknownTenant> {
        self.with(tenant, |served| served.weather = Weather::new(faults))
    }

    /// Changes one tenant's policies: add, edit, delete.
    ///
    /// # Errors
    /// [`UnknownTenant`].
    pub fn change_policies(
        &self,
        tenant: Uuid,
        change: impl FnOnce(&mut Vec<PolicyDocument>),
    ) -> Result<(), UnknownTenant> {
        self.with(tenant, |served| change(&mut served.fixture.policies))
    }

    /// Makes every token issued to one tenant so far invalid.
    ///
    /// # Errors
    /// [`UnknownTenant`].
    pub fn revoke_tokens(&self, tenant: Uuid) -> Result<(), UnknownTenant> {
        self.with(tenant, |served| served.tokens.clear())
    }

    /// What was asked of one tenant so far.
    ///
    /// # Errors
    /// [`UnknownTenant`].
    pub fn observed(&self, tenant: Uuid) -> Result<Observed, UnknownTenant> {
        self.with(tenant, |served| served.observed)
    }

    fn with<T>(
        &self,
        tenant: Uuid,
        act: impl FnOnce(&mut Tenant) -> T,
    ) -> Result<T, UnknownTenant> {
        self.lock()
            .tenants
            .get_mut(&tenant)
            .map(act)
            .ok_or(UnknownTenant(tenant))
    }

    fn lock(&self) -> MutexGuard<'_, Service> {
        lock(&self.service)
    }
}

/// A poisoned lock guards data no panic can have left half changed: it is taken all the same.
fn lock(service: &Mutex<Service>) -> MutexGuard<'_, Service> {
    service.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns when the simulator was dropped.
async fn end(mut running: watch::Receiver<()>) {
    while running.changed().await.is_ok() {}
}

async fn serve(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST_FORM).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let timed = lock(&shared.service).answer(&parts, &body);
    if !timed.after.is_zero() {
        tokio::select! {
            () = sleep(timed.after) => {}
            () = end(shared.stopped) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }
    timed.reply.into_response()
}
