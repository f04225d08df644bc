//! Answers on the wire: JSON, Graph's and the authority's error bodies, and broken ones.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use chrono::{TimeDelta, Utc};
use futures_util::stream;
use serde_json::{Value, json};
use uuid::Uuid;

use super::faults::RetryAfter;

/// The bearer token that a leaking answer carries.
pub const LEAKED_TOKEN: &str =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.eyJhdWQiOiJzaW11bGF0b3IifQ.c2ltdWxhdGVkLXNpZ25hdHVyZQ";
/// The e-mail address that a leaking answer carries.
pub const LEAKED_EMAIL: &str = "adele.vance@contoso.example";

/// An answer, before it is sent.
#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: String,
    cut: Cut,
}

#[derive(Debug, Clone, Copy)]
enum Cut {
    Whole,
    /// Half of the text, properly ended.
    Short,
    /// Half of the text, and the connection breaks.
    Broken,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: vec![(header::CONTENT_TYPE, "application/json".to_owned())],
            body: body.to_string(),
            cut: Cut::Whole,
        }
    }

    /// Graph's error body.
    pub(crate) fn graph_error(status: u16, code: &str, message: &str) -> Self {
        let request = Uuid::new_v4().to_string();
        let date = Utc::now().format("%Y-%m-%dT%H:%M:%S").to_string();
        let inner = json!({ "date": date, "request-id": request, "client-request-id": request });
        let error = json!({ "code": code, "message": message, "innerError": inner });
        Self::json(status, &json!({ "error": error }))
            .header(HeaderName::from_static("request-id"), request)
    }

    /// Graph's error body with the code it usually has for this status.
    pub(crate) fn graph_status(status: u16) -> Self {
        let (code, message) = match status {
            400 => ("BadRequest", "The request is malformed or incorrect."),
            401 => (
                "InvalidAuthenticationToken",
                "Access token is empty or not valid.",
            ),
            403 => (
                "Forbidden",
                "Application is not authorized to perform this operation.",
            ),
            404 => ("ResourceNotFound", "The resource could not be found."),
            409 => ("Conflict", "The entity was changed by another request."),
            412 => ("PreconditionFailed", "The entity tag does not match."),
            429 => (
                "TooManyRequests",
                "Too many requests. Please try again later.",
            ),
            503 => (
                "ServiceUnavailable",
                "The service is temporarily unavailable.",
            ),
            504 => (
                "GatewayTimeout",
                "The upstream service did not answer in time.",
            ),
            _ => (
                "InternalServerError",
                "An internal server error has occurred.",
            ),
        };
        Self::graph_error(status, code, message)
    }

    /// The authority's error body.
    pub(crate) fn token_error(status: u16, error: &str, number: u32, text: &str) -> Self {
        let (trace, correlation) = (Uuid::new_v4(), Uuid::new_v4());
        let stamp = Utc::now().format("%Y-%m-%d %H:%M:%SZ").to_string();
        let description = format!(
            "AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation} \
             Timestamp: {stamp}"
        );
        let body = json!({
            "error": error, "error_description": description, "error_codes": [number],
            "timestamp": stamp, "trace_id": trace, "correlation_id": correlation,
        });
        Self::json(status, &body)
    }

    /// An error that quotes what it should not.
    pub(crate) fn leak(status: u16) -> Self {
        let message = format!(
            "Request of {LEAKED_EMAIL} failed. Authorization: Bearer {LEAKED_TOKEN} \
             client_secret=demo-only-leaked-secret"
        );
        Self::graph_error(status, "UnknownError", &message)
            .header(
                HeaderName::from_static("x-ms-debug-user"),
                LEAKED_EMAIL.to_owned(),
            )
            .header(
                header::WWW_AUTHENTICATE,
                format!("Bearer token=\"{LEAKED_TOKEN}\""),
            )
    }

    pub(crate) fn header(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn retry_after(self, when: RetryAfter) -> Self {
        match when {
            RetryAfter::Unsaid => self,
            RetryAfter::Seconds(seconds) => self.header(header::RETRY_AFTER, seconds.to_string()),
            RetryAfter::DateIn(seconds) => {
                let wait = TimeDelta::from_std(Duration::from_secs(seconds.into()));
                let date = Utc::now() + wait.unwrap_or_default();
                let text = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
                self.header(header::RETRY_AFTER, text)
            }
        }
    }

    pub(crate) fn cut_short(mut self) -> Self {
        self.cut = Cut::Short;
        self
    }

    pub(crate) fn broken_off(mut self) -> Self {
        self.cut = Cut::Broken;
        self
    }

    pub(crate) fn into_response(self) -> Response {
        let bytes = Bytes::from(self.body);
        let half = bytes.slice(..bytes.len() / 2);
        let body = match self.cut {
            Cut::Whole => Body::from(bytes),
            Cut::Short => Body::from(half),
            Cut::Broken => {
                let broken = io::Error::from(io::ErrorKind::ConnectionReset);
                Body::from_stream(stream::iter([Ok(half), Err(broken)]))
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}
