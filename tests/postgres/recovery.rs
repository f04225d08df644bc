//! What a crash of anything leaves is put right by the next start.

use crate::actor::Actor;
use crate::place::{Place, kill, processes_of, within};
use opsroom_postgres::Sharing;
use std::fs;
use std::path::Path;
use std::time::Duration;

const SHARED: Sharing = Sharing::Shared {
    grace: Duration::from_secs(1),
};

/// Kills the watcher of the server below `root`, so that nothing ties the server's life to ours.
fn kill_watcher(root: &Path) {
    let watcher = processes_of(root)
        .into_iter()
        .find(|p| p.contains("postgres-watcher"))
        .unwrap();
    kill(watcher.split_whitespace().next().unwrap(), "-KILL");
}

#[test]
fn a_pid_file_whose_number_now_belongs_to_another_process() {
    let place = Place::new();
    let server = place.cluster().start().unwrap();
    let path = place.data().join("postmaster.pid");
    let text = fs::read_to_string(&path).unwrap();
    kill(server.pid(), "-KILL");
    within(10, "the server is gone", || {
        !processes_of(place.path())
            .iter()
            .any(|p| p.contains("-D") && !p.contains("watcher"))
    });
    drop(server);
    // A living process of the server's own user is what PostgreSQL itself would stop at.
    let uid = fs::metadata(&path)
        .map(|m| std::os::unix::fs::MetadataExt::uid(&m))
        .unwrap();
    let mut sleeper = std::process::Command::new("sleep");
    std::os::unix::process::CommandExt::uid(sleeper.arg("60"), uid);
    let mut sleeper = sleeper.spawn().unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    fs::write(&path, format!("{}\n{rest}", sleeper.id())).unwrap();
    let outcome = place.cluster().start();
    assert!(
        sleeper.try_wait().unwrap().is_none(),
        "the innocent process was ended"
    );
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
    outcome.unwrap();
}

#[test]
fn an_orphan_whose_process_and_watcher_were_killed() {
    for sharing in [Sharing::Exclusive, SHARED] {
        let place = Place::new();
        let mut actor = Actor::start(place.path(), "exclusive");
        kill_watcher(place.path());
        kill(actor.child.id(), "-KILL");
        actor.child.wait().unwrap();
        let server = place.cluster().sharing(sharing).start().unwrap();
        assert_ne!(server.pid(), actor.server);
        drop(server);
        within(15, "nothing is left", || {
            processes_of(place.path()).is_empty()
        });
    }
}

#[test]
fn without_its_watcher_a_shared_server_serves_on_and_the_last_to_leave_stops_it() {
    let place = Place::new();
    let first = place.cluster().sharing(SHARED).start().unwrap();
    kill_watcher(place.path());
    let second = place.cluster().sharing(SHARED).start().unwrap();
    assert_eq!(first.pid(), second.pid());
    drop(first);
    assert!(!processes_of(place.path()).is_empty());
    drop(second);
    within(10, "nothing is left", || {
        processes_of(place.path()).is_empty()
    });
}

#[test]
fn a_data_folder_that_was_never_finished() {
    let place = Place::new();
    drop(place.cluster().start().unwrap());
    let data = place.data();
    fs::rename(&data, data.with_file_name("data.unfinished-1")).unwrap();
    drop(place.cluster().start().unwrap());
    assert!(data.join("PG_VERSION").exists());
    assert!(!data.with_file_name("data.unfinished-1").exists());
}

#[test]
fn what_an_interrupted_initdb_left() {
    let place = Place::new();
    drop(place.cluster().start().unwrap());
    let server = place.data().parent().unwrap().to_owned();
    let cluster = server.parent().unwrap();
    fs::rename(place.data(), server.join("data.unfinished-1")).unwrap();
    fs::write(cluster.join(".password-Xy12"), "secret").unwrap();
    drop(place.cluster().start().unwrap());
    let left: Vec<_> = [cluster, &server]
        .into_iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".password-") || name.contains("unfinished"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}
