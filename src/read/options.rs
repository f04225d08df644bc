//! Where the database is: one address, or the usual variables of the environment.

use crate::error::ReadError;
use sqlx::postgres::PgConnectOptions;
use std::str::FromStr;

/// An address that was understood. Holds the password, if there is one: it is never printed.
#[derive(Clone)]
pub struct ReadOptions {
    pub(crate) connect: PgConnectOptions,
}

impl std::fmt::Debug for ReadOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReadOptions({})", self.place())
    }
}

impl ReadOptions {
    /// Reads `url` (`postgres://LOGIN@HOST:PORT/DATABASE?sslmode=…`); without one, `DATABASE_URL`,
    /// and without that the `PG*` variables. Passwords may also come from `~/.pgpass`.
    ///
    /// # Errors
    /// [`ReadError::BadAddress`] where the text is no such address. Nothing is connected to.
    pub fn new(url: Option<&str>) -> Result<Self, ReadError> {
        let from_env = std::env::var("DATABASE_URL").ok();
        let text = url
            .map(str::to_owned)
            .or(from_env)
            .filter(|text| !text.is_empty());
        let connect = match text {
            None => PgConnectOptions::new(),
            Some(text) => Self::parse(&text)?,
        };
        Ok(Self {
            connect: connect
                .application_name("opsroom")
                // A pooler refuses what it does not know at the start, and nothing here needs it.
                .extra_float_digits(None)
                .statement_cache_capacity(0),
        })
    }

    fn parse(text: &str) -> Result<PgConnectOptions, ReadError> {
        let bad = |reason: &str| ReadError::BadAddress {
            reason: reason.to_owned(),
        };
        if !(text.starts_with("postgres://") || text.starts_with("postgresql://")) {
            return Err(bad("it does not begin with postgres://"));
        }
        PgConnectOptions::from_str(text).map_err(|_| bad("a part of it cannot be read"))
    }

    /// The login that will be used.
    #[must_use]
    pub fn login(&self) -> &str {
        self.connect.get_username()
    }

    /// `login@host/database`, for a person; without a password.
    #[must_use]
    pub fn place(&self) -> String {
        let host = match self.connect.get_socket() {
            Some(folder) => folder.display().to_string(),
            None => format!("{}:{}", self.connect.get_host(), self.connect.get_port()),
        };
        let database = self.connect.get_database().unwrap_or_else(|| self.login());
        format!("{}@{host}/{database}", self.login())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_address_is_one_line_without_the_password() {
        for text in ["mysql://x:hunter2@h/d", "postgres://x:hunter2@h:port/d"] {
            let error = ReadOptions::new(Some(text)).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn the_place_names_everything_but_the_password() {
        let options = ReadOptions::new(Some("postgres://oncall:hunter2@db:6432/ops")).unwrap();
        assert_eq!(options.place(), "oncall@db:6432/ops");
        assert!(!format!("{options:?}").contains("hunter2"));
    }
}
