//! Folders another user must be able to get at: is a path traversable for it, and creating such.
//! Not here: which user that is (`owner`).

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Whether a process with these ids (and no other group) may pass through every existing folder of
/// `path`, itself included. What does not exist yet counts as reachable.
pub(crate) fn is_reachable(path: &Path, uid: u32, gid: u32) -> bool {
    let path = existing_part(path);
    path.ancestors().all(|folder| {
        fs::metadata(folder).is_ok_and(|about| {
            let bit = match about {
                ref a if a.uid() == uid => 0o100,
                ref a if a.gid() == gid => 0o010,
                _ => 0o001,
            };
            about.mode() & bit != 0
        })
    })
}

/// The longest beginning of `path` that exists, symlinks resolved.
fn existing_part(path: &Path) -> PathBuf {
    path.ancestors()
        .find_map(|part| fs::canonicalize(part).ok())
        .unwrap_or_else(|| "/".into())
}

/// Creates the missing folders of `path` with exactly this mode, whatever the umask is. Those that
/// exist are left as they are.
pub(crate) fn create_folders(path: &Path, mode: u32) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        create_folders(parent, mode)?;
    }
    match fs::create_dir(path) {
        // Another process was faster; it sets the same mode.
        Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(fault) => Err(fault),
        Ok(()) => fs::set_permissions(path, fs::Permissions::from_mode(mode)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_below_a_private_one_is_not_reachable_for_others() {
        let temp = tempfile::tempdir().unwrap();
        let inside = temp.path().join("closed/open");
        create_folders(&inside, 0o755).unwrap();
        let others = (65_533, 65_533);
        fs::set_permissions(temp.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(is_reachable(&inside, others.0, others.1));
        assert!(is_reachable(&inside.join("to/be/made"), others.0, others.1));
        let closed = temp.path().join("closed");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!is_reachable(&inside, others.0, others.1));
        let owner = fs::metadata(&closed).unwrap();
        assert!(is_reachable(&inside, owner.uid(), owner.gid()));
    }
}
