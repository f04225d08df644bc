//! What reading can fail with. Reasons are short and our own: a server's message is kept only where
//! it cannot carry row values, its DETAIL never, and a password never gets here at all.

use opsroom_model::Clean;
use sqlx::postgres::PgDatabaseError;
use std::time::Duration;
use thiserror::Error;

/// Why a read gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadError {
    /// The address itself cannot be understood.
    #[error("the database address is not valid: {reason}")]
    BadAddress {
        /// What is wrong with it, without repeating it.
        reason: String,
    },
    /// No connection, or it broke.
    #[error("the database cannot be reached ({reason})")]
    Unreachable {
        /// In a few words, as in `connection refused`.
        reason: String,
    },
    /// The server refused the login.
    #[error("the database refused the login '{login}' ({reason})")]
    LoginRefused {
        /// The login that was tried.
        login: String,
        /// In a few words.
        reason: String,
    },
    /// Encryption was asked for and did not come about.
    #[error("no encrypted connection came about ({reason})")]
    TlsRefused {
        /// In a few words.
        reason: String,
    },
    /// There is no opsroom schema in this database.
    #[error("this database was never migrated: it has no opsroom schema")]
    NotMigrated,
    /// The schema is newer than this program.
    #[error("the database is newer than this program (schema {found}, known up to {known})")]
    TooNew {
        /// The newest migration applied there.
        found: i64,
        /// The newest one known here.
        known: i64,
    },
    /// The schema is older than this program.
    #[error("the database is older than this program (schema {found}, needed {known})")]
    TooOld {
        /// The newest migration applied there.
        found: i64,
        /// The one needed here.
        known: i64,
    },
    /// The login could write, and the console takes only logins that cannot.
    #[error("the login '{login}' could write ({what}): the console takes only logins that cannot")]
    CanWrite {
        /// The login that was tried.
        login: String,
        /// What it could do, in a few words.
        what: String,
    },
    /// The login is known to the server but is no reader of opsroom.
    #[error("the login '{login}' may not read opsroom")]
    NoReader {
        /// The login that was tried.
        login: String,
    },
    /// The answer did not come in time; the connection was given up.
    #[error("no answer within {} s", after.as_secs_f32())]
    Deadline {
        /// How long was waited.
        after: Duration,
    },
    /// The server refused the query.
    #[error("the database refused the query ({code}: {reason})")]
    Query {
        /// The SQLSTATE.
        code: String,
        /// The server's primary message, cleaned and cut.
        reason: String,
    },
    /// An answer was not of the shape this program knows.
    #[error("the database's answer could not be read ({reason})")]
    Malformed {
        /// Which part.
        reason: String,
    },
}

impl ReadError {
    /// What a person can do about it, in one line.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::BadAddress { .. } => {
                "write postgres://LOGIN@HOST:PORT/DATABASE in --url or DATABASE_URL"
            }
            Self::Unreachable { .. } => {
                "check --url, DATABASE_URL or PGHOST and PGPORT, and that the server runs; opsroom doctor says more"
            }
            Self::LoginRefused { .. } => {
                "check the login and its password (PGPASSWORD or ~/.pgpass); opsroom-worker access login add makes one"
            }
            Self::TlsRefused { .. } => {
                "check sslmode and sslrootcert in the address, or PGSSLMODE and PGSSLROOTCERT"
            }
            Self::NotMigrated => {
                "run opsroom-worker migrate as the owner, or point --url elsewhere"
            }
            Self::TooNew { .. } => "use a newer opsroom",
            Self::TooOld { .. } => "run opsroom-worker migrate as the owner",
            Self::CanWrite { .. } | Self::NoReader { .. } => {
                "make a reading login: opsroom-worker access login add"
            }
            Self::Deadline { .. } => "narrow the filter, or look at the server's load",
            Self::Query { .. } | Self::Malformed { .. } => {
                "compare the versions of opsroom and its database: opsroom doctor"
            }
        }
    }

    /// True where trying again by itself may help: the console reconnects on these.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Deadline { .. })
    }

    /// A few words for a banner.
    #[must_use]
    pub fn brief(&self) -> String {
        match self {
            Self::Unreachable { reason } | Self::TlsRefused { reason } => reason.clone(),
            Self::LoginRefused { .. } => "login refused".to_owned(),
            other => other.to_string(),
        }
    }

    pub(crate) fn malformed(reason: impl std::fmt::Display) -> Self {
        Self::Malformed {
            reason: short(&reason.to_string()),
        }
    }

    /// Translates an error of the driver; `login` is named where the server refused it.
    pub(crate) fn from_sqlx(error: sqlx::Error, login: &str) -> Self {
        match error {
            sqlx::Error::Database(inner) => from_server(inner.downcast_ref(), login),
            sqlx::Error::Io(source) => Self::Unreachable {
                reason: io_reason(&source),
            },
            sqlx::Error::Tls(source) => Self::TlsRefused {
                reason: short(&source.to_string()),
            },
            sqlx::Error::Configuration(source) => Self::BadAddress {
                reason: short(&source.to_string()),
            },
            sqlx::Error::Protocol(_) => Self::Unreachable {
                reason: "the connection broke".to_owned(),
            },
            other => Self::malformed(other),
        }
    }
}

fn from_server(error: &PgDatabaseError, login: &str) -> ReadError {
    let code = error.code();
    let reason = match code {
        "28P01" => "wrong password",
        "28000" => "not permitted to connect",
        "3D000" => "no such database",
        _ => "",
    };
    match code {
        "28P01" | "28000" => ReadError::LoginRefused {
            login: login.to_owned(),
            reason: reason.to_owned(),
        },
        "3D000" => ReadError::Unreachable {
            reason: reason.to_owned(),
        },
        "42501" => ReadError::NoReader {
            login: login.to_owned(),
        },
        "3F000" | "42P01" | "42883" => ReadError::NotMigrated,
        "57014" => ReadError::Deadline {
            after: crate::session::STATEMENT_DEADLINE,
        },
        _ if code.starts_with("57P") => ReadError::Unreachable {
            reason: "the server is shutting down or starting".to_owned(),
        },
        _ if code.starts_with("53") => ReadError::Unreachable {
            reason: "the server has no connection to spare".to_owned(),
        },
        _ if code.starts_with("08") => ReadError::Unreachable {
            reason: "the connection broke".to_owned(),
        },
        _ => ReadError::Query {
            code: code.to_owned(),
            reason: short(error.message()),
        },
    }
}

fn io_reason(error: &std::io::Error) -> String {
    use std::io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => "connection refused".to_owned(),
        Kind::NotFound => "no server at that socket or name".to_owned(),
        Kind::TimedOut => "timed out".to_owned(),
        Kind::PermissionDenied => "permission denied on the socket".to_owned(),
        Kind::ConnectionReset
        | Kind::BrokenPipe
        | Kind::UnexpectedEof
        | Kind::ConnectionAborted
        | Kind::NotConnected => "the connection broke".to_owned(),
        _ => short(&error.to_string()),
    }
}

fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match opsroom_model::sanitize::line(line, 120) {
        Some(safe) => Clean::new(&safe).as_str().to_owned(),
        None => opsroom_model::sanitize::WITHHELD.to_owned(),
    }
}
