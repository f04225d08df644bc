//! OAuth client credentials: one cached token a client, one refresh at a time.
//! Not here: what the token is used for ([`crate::client`]).

use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::config::{GraphConfig, Limits};
use crate::error::{GraphError, Malformation};
use crate::retry::Deadline;
use crate::transport::exchange;

/// A token is renewed this long before it ends, or in the last tenth of a shorter life.
const LONGEST_MARGIN: Duration = Duration::from_secs(300);

/// Where tokens come from, and the one in use.
pub(crate) struct Tokens {
    url: Url,
    scope: String,
    client_id: String,
    client_secret: SecretString,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    bearer: Option<Bearer>,
    issued: u64,
}

/// A usable token, as the value of an `Authorization` header that no `Debug` shows.
#[derive(Clone)]
pub(crate) struct Bearer {
    pub(crate) header: HeaderValue,
    number: u64,
    renew_at: Instant,
}

impl Tokens {
    pub(crate) fn new(config: &GraphConfig) -> Self {
        let mut url = config.authority.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            let tenant = config.tenant.to_string();
            segments
                .pop_if_empty()
                .extend([tenant.as_str(), "oauth2", "v2.0", "token"]);
        }
        Self {
            url,
            scope: format!(
                "{}/.default",
                config.base_url.origin().ascii_serialization()
            ),
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone(),
            current: Mutex::new(Current::default()),
        }
    }

    /// The cached token, or a new one. Callers that come while one is fetched wait for it. Dropping
    /// the future leaves the cache as it was.
    pub(crate) async fn bearer(
        &self,
        http: &reqwest::Client,
        limits: &Limits,
        deadline: Deadline,
    ) -> Result<Bearer, GraphError> {
        let waiting = timeout_at(deadline.instant(), self.current.lock());
        let mut current = waiting.await.map_err(|_| GraphError::Timeout)?;
        if let Some(bearer) = &current.bearer
            && Instant::now() < bearer.renew_at
        {
            return Ok(bearer.clone());
        }
        let number = current.issued + 1;
        let bearer = self.fetch(http, limits, deadline, number).await?;
        *current = Current {
            bearer: Some(bearer.clone()),
            issued: number,
        };
        Ok(bearer)
    }

    /// Forgets `refused`, unless it was replaced meanwhile.
    pub(crate) async fn discard(&self, refused: &Bearer) {
        let mut current = self.current.lock().await;
        if current.issued == refused.number {
            current.bearer = None;
        }
    }

    async fn fetch(
        &self,
        http: &reqwest::Client,
        limits: &Limits,
        deadline: Deadline,
        number: u64,
    ) -> Result<Bearer, GraphError> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_secret", self.client_secret.expose_secret()),
            ("scope", &self.scope),
        ];
        let request = http.post(self.url.clone()).form(&form);
        let asked = Instant::now();
        let answer = exchange(request, limits, deadline).await.map_err(refusal)?;
        read(&answer, asked, number).ok_or(GraphError::malformed(Malformation::MissingField))
    }
}

/// At the token address every "you did something wrong" means that the credentials are refused.
fn refusal(error: GraphError) -> GraphError {
    match error {
        GraphError::Unauthorized
        | GraphError::Forbidden
        | GraphError::NotFound
        | GraphError::Conflict
        | GraphError::BadRequest { .. } => GraphError::TokenRefused,
        other => other,
    }
}

fn read(answer: &Value, asked: Instant, number: u64) -> Option<Bearer> {
    let token = answer
        .get("access_token")?
        .as_str()
        .filter(|token| !token.is_empty())?;
    let life = Duration::from_secs(answer.get("expires_in")?.as_u64()?);
    let mut header = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    let renew_at = asked.checked_add(life - LONGEST_MARGIN.min(life / 10))?;
    Some(Bearer {
        header,
        number,
        renew_at,
    })
}
