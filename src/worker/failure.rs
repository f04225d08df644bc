//! What a person reads when a command did not work: one line what and why, one what to do, and an
//! exit code that scripts can rely on.

use crate::tell::note;
use opsroom_engine::{EngineError, MigrateError, StartError};
use std::fmt;
use std::process::ExitCode;

pub(crate) const FAILED: u8 = 1;
pub(crate) const USAGE: u8 = 2;
pub(crate) const NOT_FOUND: u8 = 7;
pub(crate) const FORBIDDEN: u8 = 8;
pub(crate) const UNREACHABLE: u8 = 9;

/// Why a command ended early.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    remedy: Option<String>,
    code: u8,
    /// The login may not; which may, is the command's to say.
    denied: bool,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            remedy: None,
            code: FAILED,
            denied: false,
        }
    }

    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    pub(crate) const fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// Says which login `command` takes, where this one was refused and nothing was said yet.
    pub(crate) fn of_command(self, command: &str, login: &str) -> Self {
        if self.denied && self.remedy.is_none() {
            self.remedy(format!("opsroom-worker {command} takes {login}"))
        } else {
            self
        }
    }

    const fn denied(mut self) -> Self {
        self.denied = true;
        self.code(FORBIDDEN)
    }

    /// Prints it to standard error.
    pub(crate) fn report(&self) -> ExitCode {
        note!("opsroom-worker: {self}");
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let failure = Self::new(error.to_string());
        match error.sqlstate() {
            Some("42501") => Self::new("this login lacks the right").denied(),
            Some("25006") => {
                Self::new("this login has no right to write, or the server is a standby").denied()
            }
            Some(_) => failure,
            None => failure
                .remedy("check that the server runs and that DATABASE_URL or PG* name it")
                .code(UNREACHABLE),
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        EngineError::from(error).into()
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let code = match &error {
            StartError::UnknownTenant(_) => NOT_FOUND,
            StartError::UnknownType { .. }
            | StartError::InvalidInput { .. }
            | StartError::SensitiveInput(_) => USAGE,
            StartError::NotEntitled { .. } => FORBIDDEN,
            _ => FAILED,
        };
        match error {
            StartError::Engine(error) => error.into(),
            StartError::UnknownTenant(_) => Self::new(error.to_string())
                .remedy("check the name; an administrator lists them with opsroom-worker access tenant list")
                .code(code),
            StartError::NotEntitled { .. } => Self::new(error.to_string())
                .remedy("an administrator grants it with opsroom-worker access member add")
                .code(code),
            error => Self::new(error.to_string()).code(code),
        }
    }
}

impl From<MigrateError> for Failure {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Engine(error) => error.into(),
            MigrateError::NotAllowed(_) => Self::new(error.to_string())
                .remedy("migrate with an administrator's login")
                .code(FORBIDDEN),
            error => Self::new(error.to_string()),
        }
    }
}
