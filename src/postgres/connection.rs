//! How to reach a running server. Not here: connecting.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Where the server listens and who its superuser is.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectionInfo {
    socket_dir: PathBuf,
    port: u16,
    superuser: String,
    superuser_password: Option<String>,
    major: u32,
}

impl std::fmt::Debug for ConnectionInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectionInfo")
            .field("socket_dir", &self.socket_dir)
            .field("port", &self.port)
            .field("superuser", &self.superuser)
            .field("major", &self.major)
            .finish_non_exhaustive()
    }
}

impl ConnectionInfo {
    pub(crate) fn new(
        socket_dir: PathBuf,
        port: u16,
        superuser: String,
        superuser_password: Option<String>,
        major: u32,
    ) -> Self {
        Self {
            socket_dir,
            port,
            superuser,
            superuser_password,
            major,
        }
    }

    /// The folder (mode 0700) of the unix socket.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// The number in the socket's name. Nothing listens on a network port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The socket itself.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.socket_dir.join(format!(".s.PGSQL.{}", self.port))
    }

    /// The cluster's superuser.
    #[must_use]
    pub fn superuser(&self) -> &str {
        &self.superuser
    }

    /// Its password; `None` where the socket's folder is the only guard.
    #[must_use]
    pub fn superuser_password(&self) -> Option<&str> {
        self.superuser_password.as_deref()
    }

    /// PostgreSQL's major version.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.major
    }

    /// A URL that libpq and sqlx accept: `postgres:///DB?host=…&port=…&user=…`.
    #[must_use]
    pub fn url(&self, database: &str, user: &str) -> String {
        format!(
            "postgres:///{}?host={}&port={}&user={}",
            encoded(database),
            encoded(&self.socket_dir.to_string_lossy()),
            self.port,
            encoded(user),
        )
    }

    /// The same with a password.
    #[must_use]
    pub fn url_with_password(&self, database: &str, user: &str, password: &str) -> String {
        format!(
            "{}&password={}",
            self.url(database, user),
            encoded(password)
        )
    }

    /// The superuser's URL, with its password where it has one.
    #[must_use]
    pub fn superuser_url(&self, database: &str) -> String {
        match &self.superuser_password {
            Some(password) => self.url_with_password(database, &self.superuser, password),
            None => self.url(database, &self.superuser),
        }
    }
}

/// Percent-encodes all but unreserved characters; `/` stays readable, a query may hold it.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut url, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            url.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(url, "%{byte:02X}");
        }
        url
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_folder_port_and_user_with_everything_unusual_encoded() {
        let folder = PathBuf::from("/run/my folder&co/ü");
        let info = ConnectionInfo::new(folder, 5432, "postgres".into(), None, 17);
        assert_eq!(
            info.url("ops room", "a@b"),
            "postgres:///ops%20room?host=/run/my%20folder%26co/%C3%BC&port=5432&user=a%40b"
        );
        assert_eq!(info.superuser_url("x"), info.url("x", "postgres"));
        assert!(
            info.url_with_password("x", "u", "p+/")
                .ends_with("&user=u&password=p%2B/")
        );
    }

    #[test]
    fn a_password_is_not_in_the_debug_text() {
        let info =
            ConnectionInfo::new("/x".into(), 1, "postgres".into(), Some("geheim".into()), 17);
        assert!(!format!("{info:?}").contains("geheim"));
        assert!(info.superuser_url("d").contains("password=geheim"));
    }
}
