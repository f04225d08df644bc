//! How one tenant's Graph is reached: addresses, credentials, limits. Nothing here connects.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;
use url::{Host, Url};
use uuid::Uuid;

/// Where Graph is for everybody but the national clouds.
pub const GLOBAL_BASE_URL: &str = "https://graph.microsoft.com";
/// Where tokens come from for everybody but the national clouds.
pub const GLOBAL_AUTHORITY: &str = "https://login.microsoftonline.com";

/// Everything a [`crate::GraphClient`] is made from. `Debug` shows neither secret nor proxy.
#[derive(Clone)]
pub struct GraphConfig {
    /// Origin of Graph, e.g. [`GLOBAL_BASE_URL`]. `https`, or `http` on a loopback address.
    pub base_url: Url,
    /// Origin of the authority; the token address is `{authority}/{tenant}/oauth2/v2.0/token`.
    /// `https`, or `http` on a loopback address.
    pub authority: Url,
    /// The tenant's id at Microsoft.
    pub tenant: Uuid,
    /// The registered application.
    pub client_id: String,
    /// Its secret. Sent to `authority` alone, in a form body.
    pub client_secret: SecretString,
    /// The version asked for where a contract exists in both.
    pub api_version: ApiVersion,
    /// Timeouts, retries and bounds.
    pub limits: Limits,
    /// Sent with every request.
    pub user_agent: String,
    /// An explicit HTTP proxy. `None` means a direct connection: the environment's
    /// `HTTP_PROXY`/`HTTPS_PROXY`/`ALL_PROXY` are deliberately not read, so that a token never
    /// takes a way nobody configured here.
    pub proxy: Option<Url>,
}

/// A version of the Graph API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApiVersion {
    /// `v1.0`.
    V1,
    /// `beta`.
    Beta,
}

impl ApiVersion {
    /// The path segment.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }
}

/// Timeouts, retries and bounds of one client. All durations and numbers must be above zero, but
/// for `max_retries` (0: one attempt).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// One HTTP exchange, from connecting to the last byte. Default 30 s.
    pub request_timeout: Duration,
    /// One entity or one page with everything it takes: token, waits, retries. Default 2 min.
    pub call_deadline: Duration,
    /// All pages of one listing together, counted from its first request. Default 15 min.
    pub listing_deadline: Duration,
    /// Attempts after the first for an error that may pass. Default 4.
    pub max_retries: u32,
    /// The first back-off where the service names none; it doubles, up to 30 s. Default 500 ms.
    pub first_backoff: Duration,
    /// Pages of one listing. Default 10,000.
    pub max_pages: u32,
    /// Bytes of one answer. Default 16 MiB.
    pub max_body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            call_deadline: Duration::from_secs(120),
            listing_deadline: Duration::from_secs(15 * 60),
            max_retries: 4,
            first_backoff: Duration::from_millis(500),
            max_pages: 10_000,
            max_body_bytes: 16 * 1024 * 1024,
        }
    }
}

/// Why no client can be made from a [`GraphConfig`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Neither `https` nor `http` on a loopback address: a token would travel in the clear.
    #[error("{which} must be https (http only on a loopback address)")]
    Insecure {
        /// `base_url` or `authority`.
        which: &'static str,
    },
    /// A user name, query or fragment in an address.
    #[error("{which} must be an address without user, query or fragment")]
    Decorated {
        /// `base_url` or `authority`.
        which: &'static str,
    },
    /// A limit is zero.
    #[error("{which} must be above zero")]
    Zero {
        /// The limit.
        which: &'static str,
    },
    /// The proxy's address cannot be used.
    #[error("the proxy address cannot be used")]
    Proxy,
    /// The HTTP client cannot be built: most often the machine has no CA certificates, else the
    /// user agent is no header value.
    #[error("no HTTPS client: are CA certificates (ca-certificates) installed?")]
    Connector,
}

impl GraphConfig {
    /// The global cloud, API version beta, default limits, no proxy.
    ///
    /// # Panics
    /// Never: both addresses are constants.
    #[must_use]
    pub fn global(tenant: Uuid, client_id: String, client_secret: SecretString) -> Self {
        #[expect(clippy::expect_used, reason = "parses a constant; held by a test")]
        let constant = |address: &str| Url::parse(address).expect("a constant address");
        Self {
            base_url: constant(GLOBAL_BASE_URL),
            authority: constant(GLOBAL_AUTHORITY),
            tenant,
            client_id,
            client_secret,
            api_version: ApiVersion::Beta,
            limits: Limits::default(),
            user_agent: concat!("opsroom/", env!("CARGO_PKG_VERSION")).to_owned(),
            proxy: None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        check_address("base_url", &self.base_url)?;
        check_address("authority", &self.authority)?;
        let limits = &self.limits;
        for (which, zero) in [
            ("request_timeout", limits.request_timeout.is_zero()),
            ("call_deadline", limits.call_deadline.is_zero()),
            ("listing_deadline", limits.listing_deadline.is_zero()),
            ("first_backoff", limits.first_backoff.is_zero()),
            ("max_pages", limits.max_pages == 0),
            ("max_body_bytes", limits.max_body_bytes == 0),
        ] {
            if zero {
                return Err(ConfigError::Zero { which });
            }
        }
        Ok(())
    }

    /// Whether TLS is never spoken, because both addresses are loopback `http`.
    pub(crate) fn is_plain(&self) -> bool {
        self.base_url.scheme() == "http" && self.authority.scheme() == "http"
    }
}

fn check_address(which: &'static str, url: &Url) -> Result<(), ConfigError> {
    let safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
    if !safe {
        return Err(ConfigError::Insecure { which });
    }
    let decorated = !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some();
    if decorated {
        Err(ConfigError::Decorated { which })
    } else {
        Ok(())
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

impl fmt::Debug for GraphConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphConfig")
            .field("base_url", &self.base_url.origin().ascii_serialization())
            .field("authority", &self.authority.origin().ascii_serialization())
            .field("tenant", &self.tenant)
            .field("api_version", &self.api_version)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{ConfigError, GraphConfig};
    use url::Url;
    use uuid::Uuid;

    fn config() -> GraphConfig {
        GraphConfig::global(Uuid::nil(), "app".to_owned(), "hush-hush".into())
    }

    #[test]
    fn a_token_never_travels_in_the_clear() {
        let mut config = config();
        assert!(config.check().is_ok());
        config.base_url = Url::parse("http://graph.example").expect("an address");
        assert!(matches!(
            config.check(),
            Err(ConfigError::Insecure { which: "base_url" })
        ));
        config.base_url = Url::parse("http://127.0.0.1:4000").expect("an address");
        assert!(config.check().is_ok());
    }

    #[test]
    fn debug_shows_no_secret() {
        assert!(!format!("{:?}", config()).contains("hush"));
    }
}
