//! Theme files are read again when they were saved. Looked at once a second on a thread of its own:
//! a few calls of `stat`, and nothing where there is no folder.

use super::{Depth, Shelf};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc;

/// How often the folder is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Sends the themes anew whenever a file of `folder` was saved, until nobody receives them.
#[must_use]
pub fn watch(folder: Option<PathBuf>, depth: Depth) -> mpsc::Receiver<Result<Shelf, String>> {
    let (sender, receiver) = mpsc::channel(1);
    let look = move || {
        let Some(folder) = folder else {
            // The receiver must not see an end: themes that never change are no defect.
            return while !sender.is_closed() {
                std::thread::sleep(EVERY);
            };
        };
        let mut known = stamps(&folder);
        while !sender.is_closed() {
            std::thread::sleep(EVERY);
            let now = stamps(&folder);
            if now != known {
                known = now;
                let shelf = Shelf::open(Some(&folder), depth).map_err(|error| error.to_string());
                if sender.blocking_send(shelf).is_err() {
                    return;
                }
            }
        }
    };
    // Without a thread themes are read at the next start.
    let _ = std::thread::Builder::new()
        .name("themes".to_owned())
        .spawn(look);
    receiver
}

/// The files there are, and when each was last written.
fn stamps(folder: &Path) -> Vec<(PathBuf, Option<SystemTime>, u64)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut stamps: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
        .map(|path| {
            let file = std::fs::metadata(&path).ok();
            let written = file.as_ref().and_then(|file| file.modified().ok());
            let length = file.map_or(0, |file| file.len());
            (path, written, length)
        })
        .collect();
    stamps.sort();
    stamps
}
