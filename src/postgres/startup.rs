//! Starting or joining: the decision under the start lock, and recovery of what a crash left.
//! Not here: launching the server (`launch`), the builder (`cluster`), the server's end (`server`).

use crate::cluster::Cluster;
use crate::error::{IoContext, StartError};
use crate::initdb::NewData;
use crate::layout::{Layout, PORT};
use crate::lock::Lock;
use crate::owner::ServerUser;
use crate::pidfile::PidFile;
use crate::server::{Part, Server};
use crate::settings::{Auth, Kept, Sharing, Step};
use crate::watcher::Participation;
use crate::{Binaries, ConnectionInfo, launch, process};
use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

/// How long an earlier server on our data may take to end.
const ORPHAN_PATIENCE: Duration = Duration::from_secs(20);
/// How long a watcher may take to answer a join while it lives. Waiting ends at once when it dies.
const JOIN_PATIENCE: Duration = Duration::from_secs(20);
/// No process has this number on any system: Linux ends below it, others far below.
const NO_PROCESS: i32 = 4_194_304;

/// One start, from the locks to the ready server.
pub(crate) struct Startup<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) binaries: Binaries,
    pub(crate) user: ServerUser,
    pub(crate) layout: Layout,
    pub(crate) deadline: Instant,
    pub(crate) progress: &'a mut dyn FnMut(&Step),
}

/// What a shared start found.
enum Found {
    /// A server to take part in; without a watcher only its lock counts us.
    Shared(PidFile, Option<Participation>),
    /// A server that nobody uses any more.
    Orphan(PidFile),
    Nothing,
}

impl Startup<'_> {
    /// Starts or joins. Everybody who starts this cluster comes through the start lock, one by one.
    pub(crate) fn run(mut self) -> Result<Server, StartError> {
        let starting = Lock::open(&self.layout.start_lock())?;
        let mut users = Lock::open(&self.layout.users_lock())?;
        if !starting.within(self.deadline, Lock::try_alone)? {
            return Err(self.busy());
        }
        let found = match self.cluster.sharing {
            Sharing::Exclusive => self.take_alone(&users)?,
            Sharing::Shared { .. } => self.take_shared(&users)?,
        };
        match found {
            Found::Shared(file, participation) => {
                (self.progress)(&Step::Joining);
                return self.server(&file, users, participation, None);
            }
            Found::Orphan(file) => {
                (self.progress)(&Step::Recovering {
                    what: "an earlier server still runs",
                });
                process::stop(file.pid, ORPHAN_PATIENCE)
                    .map_err(|_| StartError::Orphan { pid: file.pid })?;
            }
            Found::Nothing => {}
        }
        self.prepare_data()?;
        let launched = launch::launch(&mut self)?;
        let exclusive = self.cluster.sharing == Sharing::Exclusive;
        users.sign(if exclusive { "exclusive" } else { "shared" })?;
        // An orphan's end may have needed the lock alone.
        if !exclusive && !users.within(self.deadline, Lock::try_shared)? {
            return Err(self.busy());
        }
        self.server(
            &launched.file,
            users,
            Some(launched.participation),
            Some(launched.watcher),
        )
    }

    fn take_alone(&self, users: &Lock) -> Result<Found, StartError> {
        if !users.try_alone()? {
            return Err(self.in_use(users));
        }
        Ok(self.running().map_or(Found::Nothing, Found::Orphan))
    }

    fn take_shared(&self, users: &Lock) -> Result<Found, StartError> {
        while !users.try_shared()? {
            // A participant on its way out holds it alone for a moment, an exclusive one for ever.
            if users
                .signature()
                .is_some_and(|(_, mark)| mark == "exclusive")
            {
                return Err(self.in_use(users));
            }
            if Instant::now() >= self.deadline {
                return Err(self.busy());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let Some(file) = self.running() else {
            return Ok(Found::Nothing);
        };
        let patience = self.deadline.min(Instant::now() + JOIN_PATIENCE);
        if let Some(participation) = Participation::join(&self.layout, patience, None) {
            return Ok(Found::Shared(file, Some(participation)));
        }
        if users.try_alone()? {
            return Ok(self.running().map_or(Found::Nothing, Found::Orphan));
        }
        // Others use it although its watcher is dead. A failed exchange of locks may have cost ours.
        users.within(self.deadline, Lock::try_shared)?;
        Ok(self
            .running()
            .map_or(Found::Nothing, |file| Found::Shared(file, None)))
    }

    fn running(&self) -> Option<PidFile> {
        process::server_of(&self.layout.data(), self.user.uid())
    }

    /// A data folder that a server can start on. No server runs.
    fn prepare_data(&mut self) -> Result<(), StartError> {
        let data = self.layout.data();
        if self.cluster.kept == Kept::Fresh && data.exists() {
            fs::remove_dir_all(&data).during("removing", &data)?;
        }
        if data.join("PG_VERSION").exists() {
            return self.defuse_stale_pid();
        }
        if data.exists() {
            fs::remove_dir_all(&data).during("removing the incomplete", &data)?;
        }
        (self.progress)(&Step::Initialising { data });
        let new = NewData {
            binaries: &self.binaries,
            user: &self.user,
            superuser: &self.cluster.superuser,
            auth: self.cluster.auth,
            durability: self.cluster.durability,
            primary: self.cluster.primary.as_ref(),
        };
        new.create(&self.layout)
    }

    /// PostgreSQL takes over a stale `postmaster.pid` by itself unless its pid was given to another
    /// process since, as small pids in containers are. Then the pid, and only that, is replaced:
    /// the rest lets PostgreSQL see whether backends of the dead server are left.
    fn defuse_stale_pid(&mut self) -> Result<(), StartError> {
        let data = self.layout.data();
        let path = PidFile::path(&data);
        let Some(stale) = PidFile::read(&data) else {
            return Ok(());
        };
        (self.progress)(&Step::Recovering {
            what: "the last server was killed",
        });
        if !process::is_alive(stale.pid) {
            return Ok(());
        }
        let text = fs::read_to_string(&path).during("reading", &path)?;
        let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
        let replaced = tempfile::NamedTempFile::new_in(&data).and_then(|mut file| {
            write!(file, "{NO_PROCESS}\n{rest}")?;
            Ok(file)
        });
        let file = replaced.during("writing in", &data)?;
        self.user.takes(file.path())?;
        file.persist(&path)
            .map_err(|fault| fault.error)
            .during("replacing", &path)?;
        Ok(())
    }

    fn server(
        self,
        file: &PidFile,
        users: Lock,
        participation: Option<Participation>,
        watcher: Option<std::process::Child>,
    ) -> Result<Server, StartError> {
        let path = self.layout.password();
        let password = match self.cluster.auth {
            Auth::Trust => None,
            Auth::ScramPasswords => match &self.cluster.primary {
                Some(primary) => primary.superuser_password().map(str::to_owned),
                None => Some(fs::read_to_string(&path).during("reading", &path)?),
            },
        };
        let connection = ConnectionInfo::new(
            file.socket_dir
                .clone()
                .unwrap_or_else(|| self.layout.socket_dir.clone()),
            file.port.unwrap_or(PORT),
            self.cluster.superuser.clone(),
            password.map(|text| text.trim().to_owned()),
            self.binaries.major(),
        );
        (self.progress)(&Step::Ready);
        let part = Part {
            server_uid: self.user.uid(),
            exclusive: self.cluster.sharing == Sharing::Exclusive,
            layout: self.layout,
            participation,
            watcher,
            users,
        };
        Ok(Server::new(connection, file.pid, part))
    }

    fn in_use(&self, users: &Lock) -> StartError {
        let holder = users.signature().map(|(pid, _)| pid);
        StartError::InUse {
            name: self.cluster.name.clone(),
            holder,
        }
    }

    fn busy(&self) -> StartError {
        StartError::Busy {
            name: self.cluster.name.clone(),
            waited: self.cluster.deadline,
        }
    }
}
