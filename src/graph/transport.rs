//! One HTTP exchange: send, judge the status, read a bounded body, parse it. No retries, no tokens.
//!
//! Bodies of errors are never read, and no error of the HTTP library leaves this file: both may hold
//! what must not be shown.

use chrono::Utc;
use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, HeaderValue};
use reqwest::redirect::Policy;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::config::{ConfigError, GraphConfig, Limits};
use crate::error::{Breakage, GraphError, Malformation};
use crate::retry::{Deadline, retry_after};

/// The HTTP client: no redirects, no referer, no proxy but the configured one, the system's CA
/// certificates. Where both addresses are loopback `http` no certificates are loaded at all.
pub(crate) fn connector(config: &GraphConfig) -> Result<reqwest::Client, ConfigError> {
    // The HTTP library panics without a process-wide provider. An error here means that somebody
    // installed one first, which is just as well.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(&config.user_agent)
        .redirect(Policy::none())
        .referer(false)
        .no_proxy();
    if let Some(address) = &config.proxy {
        let proxy = reqwest::Proxy::all(address.as_str()).map_err(|_| ConfigError::Proxy)?;
        builder = builder.proxy(proxy);
    }
    if config.is_plain() {
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|_| ConfigError::Connector)
}

/// Sends `request` and returns its JSON, within the request timeout and the deadline.
pub(crate) async fn exchange(
    request: RequestBuilder,
    limits: &Limits,
    deadline: Deadline,
) -> Result<Value, GraphError> {
    let end = deadline
        .instant()
        .min(Instant::now() + limits.request_timeout);
    let answer = timeout_at(end, answer(request, limits.max_body_bytes)).await;
    answer.unwrap_or(Err(GraphError::Timeout))
}

async fn answer(request: RequestBuilder, max_body_bytes: usize) -> Result<Value, GraphError> {
    let json = HeaderValue::from_static("application/json");
    let response = request
        .header(ACCEPT, json)
        .send()
        .await
        .map_err(|e| category(&e))?;
    let status = response.status();
    if !status.is_success() {
        let asked = retry_after(response.headers(), Utc::now());
        return Err(GraphError::from_status(status.as_u16(), asked));
    }
    let body = read(response, max_body_bytes).await?;
    serde_json::from_slice(&body).map_err(|_| GraphError::malformed(Malformation::NotJson))
}

async fn read(mut response: reqwest::Response, most: usize) -> Result<Vec<u8>, GraphError> {
    let too_large = GraphError::malformed(Malformation::TooLarge);
    let announced = response.content_length().unwrap_or(0);
    let announced = usize::try_from(announced).map_err(|_| too_large)?;
    if announced > most {
        return Err(too_large);
    }
    let mut body = Vec::with_capacity(announced);
    while let Some(chunk) = response.chunk().await.map_err(|e| category(&e))? {
        if body.len() + chunk.len() > most {
            return Err(too_large);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn category(error: &reqwest::Error) -> GraphError {
    if error.is_timeout() {
        return GraphError::Timeout;
    }
    let cause = if error.is_dns() {
        Breakage::Name
    } else if error.is_connect() {
        Breakage::Connect
    } else {
        Breakage::Interrupted
    };
    GraphError::Unreachable { cause }
}
