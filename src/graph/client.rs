//! The one way to Microsoft Graph: contracts in, entities out, with tokens and retries between.
//! Paging is [`crate::pages`], one exchange `transport`.

use std::fmt;
use std::sync::Arc;

use reqwest::header::AUTHORIZATION;
use secrecy::SecretString;
use serde_json::Value;
use tokio::time::sleep;
use url::Url;
use uuid::Uuid;

use crate::config::{ConfigError, GraphConfig};
use crate::contract::{Contract, GetContract, ListContract, Method};
use crate::entity_id::EntityId;
use crate::error::{GraphError, Malformation};
use crate::pages::Pages;
use crate::retry::{Deadline, next_wait};
use crate::token::Tokens;
use crate::transport::{connector, exchange};

/// A client for one tenant. Cheap to clone; clones share the token and the connections.
///
/// Every call is a read and therefore idempotent. Dropping a call's future cancels it: the
/// connection of an exchange under way is closed, nothing is left running.
///
/// 429, 5xx, timeouts and broken connections are tried again within [`crate::Limits`]: after
/// `Retry-After` where the service names it, else with growing, randomised pauses. A pause that
/// would outlast the deadline is not begun; the error then says how long to wait. A 401 is
/// answered with one fresh token.
#[derive(Clone)]
pub struct GraphClient {
    inner: Arc<Inner>,
}

struct Inner {
    config: GraphConfig,
    http: reqwest::Client,
    tokens: Tokens,
}

impl GraphClient {
    /// Makes a client; nothing is sent yet. Must be called within a Tokio runtime to be used.
    ///
    /// # Errors
    /// [`ConfigError`] where an address, a limit or the machine's CA certificates will not do.
    pub fn new(config: GraphConfig) -> Result<Self, ConfigError> {
        config.check()?;
        let http = connector(&config)?;
        Ok(Self::with_connector(config, http))
    }

    /// A client for another tenant at the same addresses, with the same limits, sharing the
    /// connections but no token.
    #[must_use]
    pub fn for_tenant(&self, tenant: Uuid, client_id: String, client_secret: SecretString) -> Self {
        let config = GraphConfig {
            tenant,
            client_id,
            client_secret,
            ..self.inner.config.clone()
        };
        Self::with_connector(config, self.inner.http.clone())
    }

    fn with_connector(config: GraphConfig, http: reqwest::Client) -> Self {
        let tokens = Tokens::new(&config);
        Self {
            inner: Arc::new(Inner {
                config,
                http,
                tokens,
            }),
        }
    }

    /// What the client was made from.
    #[must_use]
    pub fn config(&self) -> &GraphConfig {
        &self.inner.config
    }

    /// Begins reading a collection; nothing is sent before [`Pages::next_page`].
    #[must_use]
    pub fn list(&self, contract: &'static ListContract) -> Pages {
        Pages::new(self.clone(), contract.contract())
    }

    /// Reads one entity, within `call_deadline`.
    ///
    /// # Errors
    /// Every code of [`GraphError`].
    pub async fn get(
        &self,
        contract: &'static GetContract,
        id: &EntityId,
    ) -> Result<Value, GraphError> {
        let contract = contract.contract();
        let url = contract.url(&self.inner.config, Some(id));
        let deadline = Deadline::after(self.inner.config.limits.call_deadline);
        let entity = self.call(contract, &url, deadline).await?;
        if entity.is_object() {
            Ok(entity)
        } else {
            Err(GraphError::malformed(Malformation::MissingField))
        }
    }

    /// Sends one request until it is answered, refused, or out of budget.
    pub(crate) async fn call(
        &self,
        contract: &Contract,
        url: &Url,
        deadline: Deadline,
    ) -> Result<Value, GraphError> {
        let mut attempt = 0;
        loop {
            let error = match self.attempt(contract.method(), url, deadline).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let limits = &self.inner.config.limits;
            let Some(wait) = next_wait(&error, attempt, limits, deadline) else {
                return Err(error);
            };
            tracing::debug!(
                contract = contract.name(),
                tenant = %self.inner.config.tenant,
                code = error.code(),
                attempt = attempt + 1,
                wait_ms = wait.as_millis(),
                "trying again"
            );
            sleep(wait).await;
            attempt += 1;
        }
    }

    async fn attempt(
        &self,
        method: Method,
        url: &Url,
        deadline: Deadline,
    ) -> Result<Value, GraphError> {
        let Inner {
            config,
            http,
            tokens,
        } = &*self.inner;
        let mut refreshed = false;
        loop {
            let bearer = tokens.bearer(http, &config.limits, deadline).await?;
            let request = match method {
                Method::Get => http.get(url.clone()),
            };
            let request = request.header(AUTHORIZATION, bearer.header.clone());
            match exchange(request, &config.limits, deadline).await {
                Err(GraphError::Unauthorized) if !refreshed => {
                    tokens.discard(&bearer).await;
                    refreshed = true;
                }
                answer => return answer,
            }
        }
    }
}

impl fmt::Debug for GraphClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GraphClient")
            .field(&self.inner.config)
            .finish()
    }
}
