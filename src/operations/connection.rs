//! Which Graph, and with whose credentials. The database names a tenant's secret; the secret itself
//! lies with the worker, one file each, and is read anew for every run, so that a renewed one counts.

use crate::remote;
use opsroom_engine::JobError;
use opsroom_engine::deadline::{STATEMENT, within};
use opsroom_graph::{ApiVersion, ConfigError, GraphClient, GraphConfig, Limits};
use opsroom_model::{FailureKind, TenantId};
use secrecy::SecretString;
use sqlx::{PgPool, Row};
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;
use url::Url;
use uuid::Uuid;

/// Where Graph and its token endpoints are.
#[derive(Debug, Clone)]
pub struct GraphEndpoints {
    base_url: Url,
    authority: Url,
}

/// An address that cannot be used.
#[derive(Debug, Error)]
pub enum EndpointError {
    /// Not a URL at all.
    #[error("'{0}' is no URL: write https://host")]
    NoUrl(String),
    /// A URL that Graph's credentials must not be sent to, or no client can be built for.
    #[error(transparent)]
    Unusable(#[from] ConfigError),
}

impl GraphEndpoints {
    /// Checks both addresses: `https`, or `http` on a loopback address.
    ///
    /// # Errors
    /// [`EndpointError`], naming the address.
    pub fn new(base_url: &str, authority: &str) -> Result<Self, EndpointError> {
        let read = |text: &str| {
            Url::parse(text).map_err(|_| EndpointError::NoUrl(text.chars().take(200).collect()))
        };
        let endpoints = Self {
            base_url: read(base_url)?,
            authority: read(authority)?,
        };
        GraphClient::new(endpoints.config(Uuid::nil(), String::new(), SecretString::from("")))?;
        Ok(endpoints)
    }

    fn config(&self, tenant: Uuid, client_id: String, client_secret: SecretString) -> GraphConfig {
        GraphConfig {
            base_url: self.base_url.clone(),
            authority: self.authority.clone(),
            tenant,
            client_id,
            client_secret,
            api_version: ApiVersion::Beta,
            limits: Limits::default(),
            user_agent: concat!("opsroom/", env!("CARGO_PKG_VERSION")).to_owned(),
            proxy: None,
        }
    }
}

/// Where client secrets are.
#[derive(Debug, Clone)]
pub enum Secrets {
    /// A folder with one file per secret; a final line break is not part of it.
    Folder(PathBuf),
    /// Nowhere: no tenant is connected.
    None,
}

/// Makes Graph clients for tenants. Cheap to clone.
#[derive(Clone)]
pub struct Connections {
    source: Option<Arc<Source>>,
}

struct Source {
    pool: PgPool,
    endpoints: GraphEndpoints,
    secrets: Secrets,
}

impl Connections {
    /// Connections as the tenants' rows describe them.
    #[must_use]
    pub fn new(pool: PgPool, endpoints: GraphEndpoints, secrets: Secrets) -> Self {
        Self {
            source: Some(Arc::new(Source {
                pool,
                endpoints,
                secrets,
            })),
        }
    }

    /// For programs that start operations and execute none.
    #[must_use]
    pub const fn none() -> Self {
        Self { source: None }
    }

    /// A client for `tenant`.
    ///
    /// # Errors
    /// Permanent, `tenant.not_connected`, where the row or the secret is missing; retryable where the
    /// database is away.
    pub async fn client(&self, tenant: TenantId) -> Result<GraphClient, JobError> {
        let not_connected = || JobError::Permanent(FailureKind::TenantNotConnected);
        let source = self.source.as_ref().ok_or_else(not_connected)?;
        let row = sqlx::query(
            "select directory_id, client_id, secret_name from opsroom.graph_connections where tenant_id = $1",
        )
        .bind(tenant.0)
        .fetch_optional(&source.pool);
        let row = within(STATEMENT, row).await?.ok_or_else(not_connected)?;
        let directory: Uuid = row
            .get::<String, _>(0)
            .parse()
            .map_err(|_| not_connected())?;
        let secret = source
            .read_secret(row.get(2))
            .await
            .ok_or_else(not_connected)?;
        GraphClient::new(source.endpoints.config(directory, row.get(1), secret))
            .map_err(remote::unusable)
    }
}

impl Source {
    async fn read_secret(&self, name: String) -> Option<SecretString> {
        let Secrets::Folder(folder) = &self.secrets else {
            return None;
        };
        // The database keeps path separators out of names; a lone `..` is still a way up.
        if name.starts_with('.') {
            return None;
        }
        match tokio::fs::read_to_string(folder.join(&name)).await {
            Ok(text) => Some(SecretString::from(
                text.trim_end_matches(['\r', '\n']).to_owned(),
            )),
            Err(error) => {
                tracing::warn!(secret = name, kind = %error.kind(), "a client secret cannot be read");
                None
            }
        }
    }
}
