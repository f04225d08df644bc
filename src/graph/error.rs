//! What can go wrong between us and Microsoft Graph, as stable failure codes.
//!
//! An error carries numbers and closed categories only: no text that came over the wire, no address,
//! no header, no source error. Whatever prints it (`Display`, `Debug`, a report of the whole chain)
//! therefore cannot show a token, a secret, an e-mail address or a payload. Errors of building a
//! client are in [`crate::config`].

use std::time::Duration;

/// A failed call, or a failed step of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// 429 until the retry budget was used up.
    #[error("Microsoft Graph is throttling this tenant")]
    Throttled {
        /// How long the service asked to be left alone, counted from its answer.
        retry_after: Option<Duration>,
    },
    /// 5xx until the retry budget was used up.
    #[error("Microsoft Graph is unavailable (status {status})")]
    Unavailable {
        /// The HTTP status of the last answer.
        status: u16,
        /// How long the service asked to be left alone, counted from its answer.
        retry_after: Option<Duration>,
    },
    /// 401, again with a fresh token.
    #[error("Microsoft Graph did not accept the token")]
    Unauthorized,
    /// 403: the application lacks a permission (the contract names the one it needs).
    #[error("The application lacks a permission for this request")]
    Forbidden,
    /// 404: the entity is not there (any more).
    #[error("The entity does not exist")]
    NotFound,
    /// 409, 412 or 423: the entity was changed or is locked by somebody else.
    #[error("The entity was changed or locked by someone else")]
    Conflict,
    /// No complete answer within the request timeout or the deadline of the call.
    #[error("No answer within the deadline")]
    Timeout,
    /// Another 4xx: a request this program should not have sent.
    #[error("Microsoft Graph rejected the request (status {status})")]
    BadRequest {
        /// The HTTP status of the answer.
        status: u16,
    },
    /// An answer that is not what the contract promises.
    #[error("The answer is not what the contract promises: {what}")]
    MalformedResponse {
        /// In which way.
        what: Malformation,
    },
    /// No connection, or one that broke in the middle of an answer.
    #[error("Microsoft Graph cannot be reached: {cause}")]
    Unreachable {
        /// At which step.
        cause: Breakage,
    },
    /// The authority refused to issue a token for these credentials.
    #[error("No token was issued: tenant, client id or client secret is refused")]
    TokenRefused,
    /// A link or redirect that leads outside the contract; it was not followed.
    #[error("The answer leads to an address outside the contract")]
    EndpointNotAllowed,
}

/// How an answer breaks its contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformation {
    /// The body is not JSON (an HTML page, half a document).
    #[error("not JSON")]
    NotJson,
    /// JSON, but a required field is missing or of another type.
    #[error("a required field is missing")]
    MissingField,
    /// More bytes than one answer may have.
    #[error("too large")]
    TooLarge,
    /// A next link that was followed before.
    #[error("its pages lead back to one already read")]
    PageLoop,
    /// More pages than one listing may have.
    #[error("more pages than a listing may have")]
    TooManyPages,
}

/// At which step a connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Breakage {
    /// The host name does not resolve.
    #[error("the host name does not resolve")]
    Name,
    /// Refused, unroutable, or the TLS handshake failed.
    #[error("no connection")]
    Connect,
    /// The connection ended before the answer did.
    #[error("the connection broke")]
    Interrupted,
}

impl GraphError {
    /// The stable failure code, for `run_failures.code` and everything that matches on it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Throttled { .. } => "graph.throttled",
            Self::Unavailable { .. } => "graph.unavailable",
            Self::Unauthorized => "graph.unauthorized",
            Self::Forbidden => "graph.forbidden",
            Self::NotFound => "graph.not_found",
            Self::Conflict => "graph.conflict",
            Self::Timeout => "graph.timeout",
            Self::BadRequest { .. } => "graph.bad_request",
            Self::MalformedResponse { .. } => "graph.malformed_response",
            Self::Unreachable { .. } => "graph.unreachable",
            Self::TokenRefused => "graph.token_refused",
            Self::EndpointNotAllowed => "graph.endpoint_not_allowed",
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Throttled { .. }
                | Self::Unavailable { .. }
                | Self::Timeout
                | Self::Unreachable { .. }
        )
    }

    /// How long the service asked to wait, where it did.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } | Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(crate) fn malformed(what: Malformation) -> Self {
        Self::MalformedResponse { what }
    }

    /// What an HTTP status other than success means; `retry_after` as the answer gave it.
    pub(crate) fn from_status(status: u16, retry_after: Option<Duration>) -> Self {
        match status {
            300..=399 => Self::EndpointNotAllowed,
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 | 410 => Self::NotFound,
            408 => Self::Timeout,
            409 | 412 | 423 => Self::Conflict,
            429 => Self::Throttled { retry_after },
            500..=599 => Self::Unavailable {
                status,
                retry_after,
            },
            _ => Self::BadRequest { status },
        }
    }
}
