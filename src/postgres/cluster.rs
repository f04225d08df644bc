//! The builder of a private cluster. Not here: what its start does (`startup`).

use crate::ConnectionInfo;
use crate::error::{IoContext, StartError};
use crate::layout::{self, Layout};
use crate::owner::ServerUser;
use crate::reach;
use crate::search::Search;
use crate::server::Server;
use crate::settings::{Auth, Durability, Kept, Sharing, Step};
use crate::startup::Startup;
use std::env;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The environment variable that moves the data of all private clusters.
pub const DATA_DIR_VARIABLE: &str = "OPSROOM_DATA_DIR";

/// A private cluster to be started: one data folder per name and major version.
#[derive(Debug, Clone)]
pub struct Cluster {
    pub(crate) name: String,
    pub(crate) search: Option<Search>,
    pub(crate) root: Option<PathBuf>,
    pub(crate) kept: Kept,
    pub(crate) sharing: Sharing,
    pub(crate) durability: Durability,
    pub(crate) auth: Auth,
    pub(crate) superuser: String,
    pub(crate) max_connections: u16,
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) primary: Option<ConnectionInfo>,
    pub(crate) deadline: Duration,
}

impl Cluster {
    /// A cluster of this name (1 to 40 of `a-z`, `0-9`, `-`, `_`) with the defaults: kept,
    /// exclusive, durable, trust within the socket's folder, superuser `postgres`, 200 connections.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            search: None,
            root: None,
            kept: Kept::default(),
            sharing: Sharing::Exclusive,
            durability: Durability::default(),
            auth: Auth::default(),
            superuser: "postgres".to_owned(),
            max_connections: 200,
            settings: Vec::new(),
            primary: None,
            deadline: Duration::from_secs(60),
        }
    }

    /// Where data goes. Default: `OPSROOM_DATA_DIR`, else `opsroom` in XDG's data folder, else, as
    /// root where the server's user cannot reach that, `/var/lib/opsroom`.
    #[must_use]
    pub fn data_root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = Some(root.into());
        self
    }

    /// Where binaries are searched. Default: [`Search::from_env`].
    #[must_use]
    pub fn search(mut self, search: Search) -> Self {
        self.search = Some(search);
        self
    }

    /// Whether an earlier run's data is used.
    #[must_use]
    pub fn kept(mut self, kept: Kept) -> Self {
        self.kept = kept;
        self
    }

    /// Who else may use the server.
    #[must_use]
    pub fn sharing(mut self, sharing: Sharing) -> Self {
        self.sharing = sharing;
        self
    }

    /// How durable commits are.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How logins prove who they are. Counts only when the data folder is made.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// The superuser's name. Counts only when the data folder is made.
    #[must_use]
    pub fn superuser(mut self, name: &str) -> Self {
        name.clone_into(&mut self.superuser);
        self
    }

    /// The server's `max_connections`.
    #[must_use]
    pub fn max_connections(mut self, connections: u16) -> Self {
        self.max_connections = connections;
        self
    }

    /// A further setting of the server, as in `postgresql.conf`. Later ones win.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Makes this a hot standby of a running server of the same user: a data folder that is made
    /// anew is copied from it with `pg_basebackup` and follows it from then on. Superuser,
    /// authentication and logins are the primary's. The primary must keep the WAL a stopped standby
    /// still needs (`wal_keep_size`), and this server needs as many connections.
    #[must_use]
    pub fn standby_of(mut self, primary: &ConnectionInfo) -> Self {
        self.primary = Some(primary.clone());
        self
    }

    /// How long a start may take once there are binaries. Default: 60 s.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Starts the server, or joins the one that runs; its steps go to `tracing`. Blocks.
    ///
    /// # Errors
    /// [`StartError`]; nothing that this call started is left running.
    pub fn start(&self) -> Result<Server, StartError> {
        self.start_telling(&mut |step| tracing::info!("{step}"))
    }

    /// As [`start`](Self::start), its steps go to `progress`.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_telling(&self, progress: &mut dyn FnMut(&Step)) -> Result<Server, StartError> {
        if !is_name(&self.name) {
            return Err(StartError::Name(self.name.clone()));
        }
        let user = ServerUser::choose()?;
        let mut search = self.search.clone().unwrap_or_else(Search::from_env);
        search.reachable_by = user.ids();
        let binaries = search.find(progress)?;
        let asked = self.root.clone().or_else(root_variable);
        let root = layout::data_root(asked, &user)?;
        let mode = if user.ids().is_some() { 0o755 } else { 0o700 };
        reach::create_folders(&root, mode).during("creating", &root)?;
        let layout = Layout::create(&root, &self.name, binaries.major(), &user)?;
        let deadline = Instant::now() + self.deadline;
        Startup {
            cluster: self,
            binaries,
            user,
            layout,
            deadline,
            progress,
        }
        .run()
    }
}

fn root_variable() -> Option<PathBuf> {
    env::var_os(DATA_DIR_VARIABLE)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

fn is_name(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
}
