//! PostgreSQL's `postmaster.pid`: who serves a data folder, on which socket, and whether it is ready.

use std::fs;
use std::path::{Path, PathBuf};

/// A `postmaster.pid` as read. Lines that are not written yet are absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PidFile {
    pub(crate) pid: i32,
    pub(crate) port: Option<u16>,
    pub(crate) socket_dir: Option<PathBuf>,
    pub(crate) ready: bool,
}

impl PidFile {
    /// Reads the file of the data folder `data`; `None` if there is none or it has no pid yet.
    pub(crate) fn read(data: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(Self::path(data)).ok()?)
    }

    pub(crate) fn path(data: &Path) -> PathBuf {
        data.join("postmaster.pid")
    }

    fn parse(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let line = |number: usize| lines.get(number - 1).copied().filter(|l| !l.is_empty());
        Some(Self {
            // A single-user backend writes its pid negated.
            pid: line(1)?.parse::<i32>().ok()?.abs(),
            port: line(4).and_then(|l| l.parse().ok()),
            socket_dir: line(5).map(PathBuf::from),
            ready: line(8) == Some("ready"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_only_with_the_eighth_line() {
        let started = "4711\n/data\n1700000000\n5432\n/run/socket\n\n  123 456\n";
        let file = PidFile::parse(started).unwrap();
        assert_eq!((file.pid, file.port, file.ready), (4711, Some(5432), false));
        assert_eq!(file.socket_dir.as_deref(), Some(Path::new("/run/socket")));
        assert!(
            !PidFile::parse(&format!("{started}starting\n"))
                .unwrap()
                .ready
        );
        assert!(
            PidFile::parse(&format!("{started}ready   \n"))
                .unwrap()
                .ready
        );
        assert_eq!(PidFile::parse(""), None);
    }
}
