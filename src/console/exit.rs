//! Exit codes, and the one line that goes with them.

use opsroom_read::ReadError;
use std::process::ExitCode;

/// Why the program ends. The numbers are part of its contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// All went well.
    Ok = 0,
    /// An error, also: the database was never migrated.
    Error = 1,
    /// Wrong usage, or no terminal.
    Usage = 2,
    /// No such run for this login.
    NotFound = 7,
    /// The run exists, and its details are not for this login.
    Forbidden = 8,
    /// The database cannot be reached, or refuses the login or its encryption.
    Unreachable = 9,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// An end with a word on it.
#[derive(Debug)]
pub struct Failure {
    /// Why.
    pub code: Code,
    /// What happened, and what a person can do.
    pub message: String,
}

impl Failure {
    /// Wrong usage.
    pub fn usage(message: impl ToString) -> Self {
        Self {
            code: Code::Usage,
            message: message.to_string(),
        }
    }

    /// Something else.
    pub fn error(message: impl ToString) -> Self {
        Self {
            code: Code::Error,
            message: message.to_string(),
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        let code = match &error {
            ReadError::BadAddress { .. } => Code::Usage,
            ReadError::Unreachable { .. }
            | ReadError::LoginRefused { .. }
            | ReadError::TlsRefused { .. }
            | ReadError::CanWrite { .. }
            | ReadError::NoReader { .. } => Code::Unreachable,
            ReadError::NotMigrated
            | ReadError::TooNew { .. }
            | ReadError::TooOld { .. }
            | ReadError::Deadline { .. }
            | ReadError::Query { .. }
            | ReadError::Malformed { .. } => Code::Error,
        };
        Self {
            code,
            message: format!("{error}; {}", error.remedy()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::error(error)
    }
}
