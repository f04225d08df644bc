//! A new data folder: `initdb`, or for a standby `pg_basebackup`, into a temporary folder beside its
//! place, then one rename, so that a crash in the middle leaves nothing half.

use crate::ConnectionInfo;
use crate::error::{IoContext, StartError};
use crate::layout::Layout;
use crate::owner::ServerUser;
use crate::program::{self, ProgramError};
use crate::settings::{Auth, Durability};
use crate::{Binaries, checksum};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A slow disk with fsync needs about 10 s.
const DEADLINE: Duration = Duration::from_secs(120);
/// What unfinished data folders are called.
const UNFINISHED: &str = "data.unfinished-";
/// What the passwords that `initdb` reads are called; they live as long as it runs.
const PASSWORD: &str = ".password-";

/// What a new data folder depends on.
pub(crate) struct NewData<'a> {
    pub(crate) binaries: &'a Binaries,
    pub(crate) user: &'a ServerUser,
    pub(crate) superuser: &'a str,
    pub(crate) auth: Auth,
    pub(crate) durability: Durability,
    /// The server to be a standby of.
    pub(crate) primary: Option<&'a ConnectionInfo>,
}

impl NewData<'_> {
    /// Makes the data folder of `layout`, which must not exist.
    pub(crate) fn create(&self, layout: &Layout) -> Result<(), StartError> {
        let server = layout.server();
        remove_all(&server, UNFINISHED)?;
        remove_all(layout.cluster(), PASSWORD)?;
        let unfinished = server.join(format!("{UNFINISHED}{}", std::process::id()));
        if let Some(primary) = self.primary {
            self.basebackup(primary, &unfinished).map_err(|fault| {
                let _ = fs::remove_dir_all(&unfinished);
                StartError::Basebackup(fault)
            })?;
            let data = layout.data();
            return fs::rename(&unfinished, &data).during("renaming the new data folder to", &data);
        }
        let password = self.new_password(layout)?;
        // Character types by UTF-8 where the system has it, else plain C: sorting is bytewise in
        // both, only the case of letters beyond ASCII differs.
        let mut outcome = self.initdb(&unfinished, password.path(), "C.UTF-8");
        if outcome.is_err() {
            let _ = fs::remove_dir_all(&unfinished);
            outcome = self.initdb(&unfinished, password.path(), "C");
        }
        if let Err(fault) = outcome {
            let _ = fs::remove_dir_all(&unfinished);
            return Err(StartError::Initdb(fault));
        }
        let data = layout.data();
        fs::rename(&unfinished, &data).during("renaming the new data folder to", &data)
    }

    /// Copies the primary's data, and leaves in the copy how to follow it.
    fn basebackup(&self, primary: &ConnectionInfo, data: &Path) -> Result<(), ProgramError> {
        let mut copy = Command::new(self.binaries.program("pg_basebackup"));
        copy.arg("-D")
            .arg(data)
            .arg("-h")
            .arg(primary.socket_dir())
            .args(["-p", &primary.port().to_string()])
            .args(["-U", primary.superuser(), "--no-password"])
            .args(["--checkpoint=fast", "--write-recovery-conf"]);
        if self.durability == Durability::TestOnly {
            copy.arg("--no-sync");
        }
        self.user.runs(&mut copy);
        if let Some(password) = primary.superuser_password() {
            copy.env("PGPASSWORD", password);
        }
        copy.current_dir("/");
        program::run(&mut copy, DEADLINE).map(drop)
    }

    fn initdb(&self, data: &Path, password: &Path, ctype: &str) -> Result<(), ProgramError> {
        let auth = match self.auth {
            Auth::Trust => "trust",
            Auth::ScramPasswords => "scram-sha-256",
        };
        let mut initdb = Command::new(self.binaries.program("initdb"));
        initdb
            .arg("-D")
            .arg(data)
            .args([
                "-U",
                self.superuser,
                "--encoding=UTF8",
                "--lc-collate=C",
                "--locale=C",
            ])
            .arg(format!("--lc-ctype={ctype}"))
            .arg(format!("--auth={auth}"))
            .arg(format!("--pwfile={}", password.display()))
            .arg("--no-instructions");
        if self.durability == Durability::TestOnly {
            initdb.arg("--no-sync");
        }
        self.user.runs(&mut initdb);
        initdb.current_dir("/");
        program::run(&mut initdb, DEADLINE).map(drop)
    }

    /// Writes a random password to its file of mode 0600, and to one that `initdb` can read.
    fn new_password(&self, layout: &Layout) -> Result<tempfile::NamedTempFile, StartError> {
        let source = Path::new("/dev/urandom");
        let mut bytes = [0; 24];
        fs::File::open(source)
            .and_then(|mut random| random.read_exact(&mut bytes))
            .during("reading", source)?;
        let text = checksum::hex(&bytes);
        let folder = layout.cluster();
        let in_folder =
            |what: std::io::Result<tempfile::NamedTempFile>| what.during("writing in", folder);
        let ours = in_folder(written(folder, &text))?;
        let place = layout.password();
        ours.persist(&place)
            .map_err(|e| e.error)
            .during("writing", &place)?;
        let theirs = in_folder(written(folder, &text))?;
        self.user.takes(theirs.path())?;
        Ok(theirs)
    }
}

/// A new file of mode 0600 in `folder`.
fn written(folder: &Path, text: &str) -> std::io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix(PASSWORD)
        .tempfile_in(folder)?;
    writeln!(file, "{text}")?;
    Ok(file)
}

/// Removes what a start that was interrupted left in `folder` under names that begin with `prefix`.
fn remove_all(folder: &Path, prefix: &str) -> Result<(), StartError> {
    for entry in fs::read_dir(folder).during("reading", folder)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            let path = entry.path();
            let removed = match path.is_dir() {
                true => fs::remove_dir_all(&path),
                false => fs::remove_file(&path),
            };
            removed.during("removing", &path)?;
        }
    }
    Ok(())
}
