//! What can go wrong, one enum per boundary. No message carries a row's values: PostgreSQL puts them
//! into details and sometimes into messages, so only SQLSTATE and constraint names leave this crate.

use opsroom_model::FailureKind;
use std::fmt;
use std::time::Duration;
use thiserror::Error;

/// The database failed or refused. Displays its class, never the server's words.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The server refused a statement.
    #[error("the database refused a statement ({0})")]
    Refused(Refusal, #[source] Opaque),
    /// No connection, or it broke.
    #[error("the database cannot be reached ({0})")]
    Unreachable(&'static str, #[source] Opaque),
    /// No answer within the client's own deadline.
    #[error("the database did not answer within {} ms", .0.as_millis())]
    Deadline(Duration),
    /// The claim is lost: somebody else holds or ended the run.
    #[error("the claim on run {0} is lost")]
    ClaimLost(i64),
}

/// SQLSTATE and, where there is one, the constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Five characters.
    pub sqlstate: String,
    /// The constraint that was violated.
    pub constraint: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SQLSTATE {}", self.sqlstate)?;
        match &self.constraint {
            Some(constraint) => write!(f, ", {constraint}"),
            None => Ok(()),
        }
    }
}

/// A source error whose words stay unread: it can be downcast, not printed.
#[derive(Error)]
#[error("details withheld")]
pub struct Opaque(pub sqlx::Error);

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opaque(..)")
    }
}

impl From<sqlx::Error> for EngineError {
    fn from(error: sqlx::Error) -> Self {
        let class = match &error {
            sqlx::Error::Database(database) => {
                let refusal = Refusal {
                    sqlstate: database.code().unwrap_or_default().into_owned(),
                    constraint: database.constraint().map(str::to_owned),
                };
                return Self::Refused(refusal, Opaque(error));
            }
            sqlx::Error::Io(io) => match io.kind() {
                std::io::ErrorKind::ConnectionRefused => "connection refused",
                std::io::ErrorKind::NotFound => "no such socket",
                std::io::ErrorKind::PermissionDenied => "permission denied",
                std::io::ErrorKind::TimedOut => "timed out",
                _ => "connection lost",
            },
            sqlx::Error::Tls(_) => "TLS refused",
            sqlx::Error::PoolTimedOut => "no connection became free",
            sqlx::Error::PoolClosed => "the pool is closed",
            sqlx::Error::Protocol(_) => "protocol error",
            sqlx::Error::Configuration(_) => "configuration",
            _ => "client error",
        };
        Self::Unreachable(class, Opaque(error))
    }
}

impl EngineError {
    /// The SQLSTATE of a refusal.
    #[must_use]
    pub fn sqlstate(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal, _) => Some(&refusal.sqlstate),
            _ => None,
        }
    }

    /// True where the server chose this transaction to give way to another one, a deadlock or a
    /// serialization failure: it left no trace, and trying again at once helps.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self.sqlstate(), Some("40001" | "40P01"))
    }

    /// True where trying the same again later can help: no connection, deadlines, serialization
    /// failures, deadlocks, and a server that is starting, stopping or full.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(class, _) => *class != "configuration",
            Self::Deadline(_) => true,
            Self::ClaimLost(_) => false,
            Self::Refused(refusal, _) => {
                let state = refusal.sqlstate.as_str();
                matches!(state, "40001" | "40P01" | "55P03" | "25006")
                    || ["08", "53", "57", "58"]
                        .iter()
                        .any(|class| state.starts_with(class))
            }
        }
    }
}

/// Why a run was not started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// No operation of that type is registered in this program.
    #[error("unknown operation type '{given}'{}", hint(.known))]
    UnknownType {
        /// As given.
        given: String,
        /// The types there are.
        known: Vec<String>,
    },
    /// There is no such tenant, or it is not this login's.
    #[error("unknown tenant '{0}': not found among the tenants of this login")]
    UnknownTenant(String),
    /// The input is not what the operation takes.
    #[error("the input does not fit {run_type}: {reason}")]
    InvalidInput {
        /// The operation's type.
        run_type: &'static str,
        /// What is wrong, from the decoder: names of fields and types, never values.
        reason: String,
    },
    /// The input seems to carry a secret or an e-mail address; it would be stored and shown.
    #[error(
        "the input holds something that looks like a secret or an e-mail address at {0}; inputs are stored and shown, so refer to it by an id"
    )]
    SensitiveInput(String),
    /// The login may not start this type for this tenant.
    #[error(
        "this login may not start {run_type} for tenant {tenant}: it takes a role other than readonly and the capability of the type"
    )]
    NotEntitled {
        /// The operation's type.
        run_type: &'static str,
        /// The tenant's id.
        tenant: i64,
    },
    /// The transaction is not READ COMMITTED: create-or-reuse needs to see what others committed.
    #[error("runs are started in READ COMMITTED transactions only, this one is {0}")]
    Isolation(String),
    /// The active run with the same identity ended and came back again and again.
    #[error("other runs with the same identity kept starting and ending; try again")]
    Contended,
    /// An active run of another type carries this identity: somebody computed a hash wrongly.
    #[error(
        "run {run} of type {run_type} has the identity of this one and is under way; end it or wait for it"
    )]
    IdentityTaken {
        /// The run in the way.
        run: i64,
        /// Its type.
        run_type: String,
    },
    /// A transaction that inserted the same run did not end within a second.
    #[error("another transaction is starting the same run and has not ended; try again")]
    Busy,
    /// The database failed or refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<sqlx::Error> for StartError {
    fn from(error: sqlx::Error) -> Self {
        Self::Engine(error.into())
    }
}

fn hint(known: &[String]) -> String {
    if known.is_empty() {
        String::new()
    } else {
        format!(": one of {}", known.join(", "))
    }
}

/// How a job ends when it does not come to its end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JobError {
    /// Trying again would not help.
    #[error("failed: {}", .0.code())]
    Permanent(FailureKind),
    /// Trying again may help. It uses up an attempt, unless `after` is given: then the run is put off
    /// for that long, within the bounds of [`PutOff`](crate::operation::PutOff).
    #[error("failed, worth another attempt: {}", kind.code())]
    Retryable {
        /// What went wrong.
        kind: FailureKind,
        /// What the remote side asked for.
        after: Option<Duration>,
    },
    /// The claim is lost or the worker drains: stop, write nothing more.
    #[error("stopped: the claim is lost or the worker drains")]
    Stopped,
}

/// Whether another attempt may help follows from the kind.
impl From<FailureKind> for JobError {
    fn from(kind: FailureKind) -> Self {
        if kind.may_pass() {
            Self::Retryable { kind, after: None }
        } else {
            Self::Permanent(kind)
        }
    }
}

impl From<JobError> for FailureKind {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Permanent(kind) | JobError::Retryable { kind, .. } => kind,
            JobError::Stopped => Self::JobStopped,
        }
    }
}

impl From<EngineError> for JobError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::ClaimLost(_) => Self::Stopped,
            error if error.is_transient() => Self::Retryable {
                kind: FailureKind::DatabaseUnavailable,
                after: None,
            },
            error => {
                tracing::error!(error = %error, "a job's statement was refused");
                Self::Permanent(FailureKind::DatabaseUnavailable)
            }
        }
    }
}

impl From<sqlx::Error> for JobError {
    fn from(error: sqlx::Error) -> Self {
        EngineError::from(error).into()
    }
}
