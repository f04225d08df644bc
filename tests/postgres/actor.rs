//! A process of its own that starts a cluster and waits: this test binary again, in another role.

use crate::place::cluster_at;
use opsroom_postgres::Sharing;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const ROOT: &str = "OPSROOM_TEST_ACTOR_ROOT";
const ROLE: &str = "OPSROOM_TEST_ACTOR_ROLE";

/// A running actor and what it said about its server.
pub(crate) struct Actor {
    pub(crate) child: Child,
    pub(crate) server: i32,
}

impl Actor {
    /// `role`: `exclusive`, `shared` or `panicking`.
    pub(crate) fn start(root: &Path, role: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "actor::acts", "--ignored", "--nocapture"])
            .env(ROOT, root)
            .env(ROLE, role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let server = lines
            .map_while(Result::ok)
            .find_map(|line| line.split_once("SERVER ")?.1.trim().parse().ok())
            .expect("the actor starts a server");
        Self { child, server }
    }

    /// Lets it go on to its end.
    pub(crate) fn finish(mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

/// The actor's role. Ignored where tests are run; only `Actor::start` asks for it.
#[test]
#[ignore = "the role of a process that other tests start"]
fn acts() {
    let (Ok(root), Ok(role)) = (std::env::var(ROOT), std::env::var(ROLE)) else {
        return;
    };
    let sharing = match role.as_str() {
        "shared" => Sharing::Shared {
            grace: Duration::from_secs(1),
        },
        _ => Sharing::Exclusive,
    };
    let server = cluster_at(Path::new(&root))
        .sharing(sharing)
        .start()
        .unwrap();
    println!("SERVER {}", server.pid());
    let mut nothing = String::new();
    std::io::stdin().read_to_string(&mut nothing).unwrap();
    assert_ne!(role, "panicking", "with a running server");
}
