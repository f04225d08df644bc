//! What a service manager hears of a worker, over a real socket as systemd's.

use crate::program::{Running, SOON, program};
use opsroom_testkit::{Signal, World};
use std::time::{Duration, Instant};
use tokio::net::UnixDatagram;

struct Manager {
    socket: UnixDatagram,
    folder: tempfile::TempDir,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        Self { socket, folder }
    }

    /// A worker that is told of it.
    fn start(&self, url: &str, watchdog: Option<Duration>, more: &[&str]) -> Running {
        let mut command = program(url);
        command
            .args(["work", "--name", "watched", "--poll", "50ms"])
            .arg("--graph-secrets")
            .arg(self.folder.path())
            .args(more)
            .env("NOTIFY_SOCKET", self.folder.path().join("notify"));
        if let Some(limit) = watchdog {
            command.env("WATCHDOG_USEC", limit.as_micros().to_string());
        }
        Running::start(command)
    }

    async fn hears(&self) -> String {
        let mut said = [0; 256];
        let heard = tokio::time::timeout(SOON, self.socket.recv(&mut said));
        let length = heard.await.unwrap().unwrap();
        String::from_utf8_lossy(&said[..length]).trim().to_owned()
    }
}

#[tokio::test]
async fn ready_alive_stopping() {
    let world = World::new().await.unwrap();
    let manager = Manager::new();
    let limit = Duration::from_millis(400);
    let url = world.database().url(&world.worker);
    let mut worker = manager.start(&url, Some(limit), &[]);
    let mut heard = Vec::new();
    while !heard.iter().any(|word| word == "READY=1") {
        heard.push(manager.hears().await);
    }
    let registered: i64 =
        sqlx::query_scalar("select count(*) from opsroom.workers where dead_at is null")
            .fetch_one(&mut world.owner().await.unwrap())
            .await
            .unwrap();
    assert_eq!(registered, 1, "not before it takes work");
    let begun = Instant::now();
    for _ in 0..4 {
        assert_eq!(manager.hears().await, "WATCHDOG=1");
    }
    assert!(
        begun.elapsed() > limit,
        "twice as often as asked for, not all at once"
    );
    worker.signal(Signal::TERM);
    while manager.hears().await != "STOPPING=1" {}
    assert_eq!(worker.ended().await.code(), Some(0), "{}", worker.log());
}

#[tokio::test]
async fn nothing_of_watching_where_nobody_watches() {
    let world = World::new().await.unwrap();
    let manager = Manager::new();
    let url = world.database().url(&world.worker);
    let mut worker = manager.start(&url, None, &["--no-notify"]);
    assert_eq!(manager.hears().await, "READY=1");
    worker.signal(Signal::INT);
    assert_eq!(manager.hears().await, "STOPPING=1");
    assert_eq!(worker.ended().await.code(), Some(0), "{}", worker.log());
}
