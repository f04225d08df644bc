//! More than one process on one cluster: refused, or joined until the last has left.

use crate::actor::Actor;
use crate::place::{Place, kill, processes_of, within};
use opsroom_postgres::{Sharing, StartError};
use std::os::unix::net::UnixStream;
use std::time::Duration;

const SHARED: Sharing = Sharing::Shared {
    grace: Duration::from_secs(1),
};

#[test]
fn a_second_exclusive_start_is_refused_and_told_the_pid_of_the_first() {
    let place = Place::new();
    let mut actor = Actor::start(place.path(), "exclusive");
    for cluster in [place.cluster(), place.cluster().sharing(SHARED)] {
        let fault = cluster.start().unwrap_err();
        let StartError::InUse { holder, .. } = &fault else {
            panic!("{fault}")
        };
        assert_eq!(*holder, Some(actor.child.id()));
    }
    kill(actor.child.id(), "-KILL");
    actor.child.wait().unwrap();
    // The killed one's server may be on its way out still: that is nobody else's concern.
    drop(place.cluster().start().unwrap());
}

#[test]
fn shared_starts_at_the_same_time_give_one_server_that_outlives_its_starter() {
    let place = Place::new();
    let actors: Vec<Actor> = std::thread::scope(|scope| {
        let start = || Actor::start(place.path(), "shared");
        let starting: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
        starting
            .into_iter()
            .map(|one| one.join().unwrap())
            .collect()
    });
    let server = place.cluster().sharing(SHARED).start().unwrap();
    assert!(actors.iter().all(|actor| actor.server == server.pid()));
    for (number, mut actor) in actors.into_iter().enumerate() {
        if number % 2 == 0 {
            kill(actor.child.id(), "-KILL");
            actor.child.wait().unwrap();
        } else {
            actor.finish();
        }
    }
    // Longer than the grace period: only we hold the server now.
    std::thread::sleep(Duration::from_millis(1_500));
    UnixStream::connect(server.connection().socket()).unwrap();
    drop(server);
    within(15, "the server ends after the last", || {
        processes_of(place.path()).is_empty()
    });
}

#[test]
fn within_the_grace_period_the_next_process_finds_the_same_server() {
    let place = Place::new();
    let first = Actor::start(place.path(), "shared");
    let pid = first.server;
    first.finish();
    let second = Actor::start(place.path(), "shared");
    assert_eq!(second.server, pid);
    second.finish();
    within(15, "the server ends after the last", || {
        processes_of(place.path()).is_empty()
    });
}
