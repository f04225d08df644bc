//! The server ends with its process, however that one ends.

use crate::actor::Actor;
use crate::place::{Place, kill, processes_of, within};

/// The actor named by `role` is ended by `end`; then nothing of its server is left and a start works.
fn ends(role: &str, end: impl FnOnce(Actor)) {
    let place = Place::new();
    let actor = Actor::start(place.path(), role);
    assert!(processes_of(place.path()).len() > 1);
    end(actor);
    within(15, "server and watcher end", || {
        processes_of(place.path()).is_empty()
    });
    drop(place.cluster().start().unwrap());
}

#[test]
fn when_its_process_quits() {
    ends("exclusive", Actor::finish);
}

#[test]
fn when_its_process_panics() {
    ends("panicking", Actor::finish);
}

#[test]
fn when_its_process_is_killed() {
    ends("exclusive", |mut actor| {
        kill(actor.child.id(), "-KILL");
        actor.child.wait().unwrap();
    });
}

#[test]
fn when_its_process_gets_a_signal_that_it_does_not_handle() {
    ends("exclusive", |mut actor| {
        kill(actor.child.id(), "-TERM");
        actor.child.wait().unwrap();
    });
}

#[test]
fn a_stop_handle_stops_it_from_another_thread() {
    let place = Place::new();
    let server = place.cluster().start().unwrap();
    let handle = server.stop_handle();
    std::thread::spawn(move || handle.stop().unwrap())
        .join()
        .unwrap();
    assert_eq!(processes_of(place.path()), Vec::<String>::new());
}
