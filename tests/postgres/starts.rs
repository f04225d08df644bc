//! What a start gives, where and as whom.

use crate::place::{Place, mode_of, processes_of, uid_of};
use opsroom_postgres::{Auth, Kept, StartError};
use std::fs;
use std::os::unix::net::UnixStream;

#[test]
fn a_started_server_is_private_and_after_stop_no_process_is_left() {
    let place = Place::new();
    let server = place.cluster().start().unwrap();
    let socket = server.connection().socket();
    UnixStream::connect(&socket).unwrap();
    assert_eq!(mode_of(server.connection().socket_dir()), 0o700);
    assert_eq!(mode_of(&place.data()), 0o700);
    let log = fs::read_to_string(place.data().with_file_name("server.log")).unwrap();
    assert!(!log.contains("IPv4"), "listens on the network: {log}");
    server.stop().unwrap();
    assert!(UnixStream::connect(&socket).is_err());
    assert_eq!(processes_of(place.path()), Vec::<String>::new());
    server.stop().unwrap();
}

#[test]
fn the_server_never_runs_as_root() {
    let place = Place::new();
    let server = place.cluster().start().unwrap();
    assert_ne!(uid_of(server.pid()), 0);
}

#[test]
fn a_kept_cluster_is_initialised_once_and_a_fresh_one_anew() {
    let place = Place::new();
    let cluster = place.cluster();
    let identity = || {
        drop(cluster.start().unwrap());
        let about = fs::metadata(place.data().join("PG_VERSION")).unwrap();
        (about.created().unwrap(), place.data().join("mark").exists())
    };
    let (first, _) = identity();
    fs::write(place.data().join("mark"), "").unwrap();
    assert_eq!(identity(), (first, true));
    drop(cluster.clone().kept(Kept::Fresh).start().unwrap());
    let (fresh, marked) = identity();
    assert!(fresh > first && !marked);
}

#[test]
fn a_data_folder_too_long_for_a_socket_gets_a_short_private_one_elsewhere() {
    let place = Place::new();
    let deep = place.path().join("x".repeat(60)).join("y".repeat(60));
    let server = place.cluster().data_root(&deep).start().unwrap();
    let folder = server.connection().socket_dir().to_owned();
    assert!(!folder.starts_with(place.path()) && folder.as_os_str().len() < 80);
    assert_eq!(mode_of(&folder), 0o700);
    UnixStream::connect(server.connection().socket()).unwrap();
    drop(server);
    fs::remove_dir(folder).unwrap();
}

#[test]
fn passwords_are_generated_kept_private_and_not_needed_by_default() {
    let place = Place::new();
    let server = place.cluster().auth(Auth::ScramPasswords).start().unwrap();
    assert!(
        server
            .connection()
            .superuser_password()
            .is_some_and(|p| p.len() >= 32)
    );
    let file = place
        .data()
        .parent()
        .unwrap()
        .with_file_name("superuser.password");
    assert_eq!(mode_of(&file), 0o600);
    let rules = fs::read_to_string(place.data().join("pg_hba.conf")).unwrap();
    let trusting = |l: &&str| !l.starts_with('#') && l.contains("trust");
    assert_eq!(rules.lines().find(trusting), None);
}

#[test]
fn a_setting_that_postgres_refuses_is_told_with_its_own_words_at_once() {
    let place = Place::new();
    let started = std::time::Instant::now();
    let fault = place
        .cluster()
        .setting("work_mem", "plenty")
        .start()
        .unwrap_err();
    assert!(matches!(fault, StartError::NotReady { .. }));
    assert!(fault.to_string().contains("work_mem"), "{fault}");
    assert!(started.elapsed().as_secs() < 30);
    assert_eq!(processes_of(place.path()), Vec::<String>::new());
    place.cluster().start().unwrap();
}
