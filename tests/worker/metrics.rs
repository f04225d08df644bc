//! What a running worker tells over HTTP, and what its log lines carry.

use crate::graph::Connected;
use crate::program::{Running, SOON, run};
use opsroom_testkit::{Signal, eventually};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Where it listens, once it does.
async fn address(worker: &Running) -> String {
    let mut found = None;
    eventually(SOON, "it serves metrics", async || {
        let log = worker.log();
        let line = log.lines().find(|line| line.contains("are served"));
        found = line
            .and_then(|line| line.split("address=").nth(1))
            .map(|rest| rest.split_whitespace().next().unwrap().to_owned());
        found.is_some()
    })
    .await
    .unwrap();
    found.unwrap()
}

/// Status and body.
async fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    (status, body)
}

fn value(text: &str, series: &str) -> Option<f64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok())
}

#[tokio::test]
async fn it_counts_what_it_does_and_names_no_tenant() {
    let connected = Connected::new().await;
    let worker = connected.worker("ams-2", &["--metrics", "127.0.0.1:0"]);
    let address = address(&worker).await;
    assert_eq!(get(&address, "/health").await.0, 200);
    eventually(SOON, "it is ready", async || {
        get(&address, "/ready").await == (200, "ready\n".to_owned())
    })
    .await
    .unwrap();

    // South has no connection to Graph: its run fails at once.
    let failing = connected
        .world
        .queued(
            connected.world.south,
            "inventory.sync",
            &serde_json::json!({"scope": "full"}),
        )
        .await
        .unwrap();
    connected.completed(failing).await;
    connected.completed(connected.start()).await;
    // A type that nobody here takes stays in the queue.
    let input = serde_json::json!({});
    let waiting = connected
        .world
        .queued(connected.world.north, "billing.export", &input);
    waiting.await.unwrap();
    let mut text = String::new();
    let seen = eventually(SOON, "the queue is sampled", async || {
        text = get(&address, "/metrics").await.1;
        value(&text, "opsroom_queue_depth{type=\"billing.export\"}") == Some(1.0)
    })
    .await;
    assert!(seen.is_ok(), "{text}");
    for (series, expected) in [
        ("opsroom_claims_total{type=\"inventory.sync\"}", 2.0),
        (
            "opsroom_attempts_total{type=\"inventory.sync\",ended=\"succeeded\"}",
            1.0,
        ),
        (
            "opsroom_attempts_total{type=\"inventory.sync\",ended=\"failed\"}",
            1.0,
        ),
        (
            "opsroom_attempt_seconds_count{type=\"inventory.sync\"}",
            2.0,
        ),
        ("opsroom_wait_seconds_count{type=\"inventory.sync\"}", 2.0),
        ("opsroom_queue_depth{type=\"inventory.sync\"}", 0.0),
        ("opsroom_database_up", 1.0),
        ("opsroom_running", 0.0),
    ] {
        assert_eq!(value(&text, series), Some(expected), "{series} in {text}");
    }
    assert!(
        value(&text, "opsroom_poll_seconds_count").unwrap() > 0.0,
        "{text}"
    );
    assert!(
        value(&text, "opsroom_queue_oldest_seconds").unwrap() > 0.0,
        "{text}"
    );
    for name in ["north", "south", "tenant", "ams-2", "Sam"] {
        assert!(!text.contains(name), "{name} in {text}");
    }

    connected.slow();
    let run = connected.start();
    connected.under_way(run).await;
    worker.signal(Signal::TERM);
    eventually(SOON, "it is not ready while it drains", async || {
        get(&address, "/ready").await == (503, "stopping\n".to_owned())
    })
    .await
    .unwrap();
    assert_eq!(get(&address, "/health").await.0, 200, "but alive");
}

#[tokio::test]
async fn others_may_not_look_unless_that_is_said() {
    let connected = Connected::new().await;
    let url = connected.world.database().url(&connected.world.worker);
    let said = run(&url, &["work", "--metrics", "0.0.0.0:0"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("--metrics-public"), "{said:?}");
    let worker = connected.worker("open", &["--metrics", "0.0.0.0:0", "--metrics-public"]);
    assert!(address(&worker).await.starts_with("0.0.0.0:"));
}

#[tokio::test]
async fn every_line_of_an_attempt_says_whose_it_is() {
    let connected = Connected::new().await;
    let worker = connected.worker("one", &["--log", "json"]);
    let run = connected.start();
    connected.completed(run).await;
    eventually(SOON, "the end is logged", async || {
        worker.log().contains("\"ended\"")
    })
    .await
    .unwrap();
    let log = worker.log();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of_attempt: Vec<&Value> = lines
        .iter()
        .filter(|line| line["span"]["name"] == "attempt")
        .collect();
    for message in ["begun", "ended"] {
        assert!(
            of_attempt
                .iter()
                .any(|line| line["fields"]["message"] == message),
            "{message} in {log}"
        );
    }
    for line in of_attempt {
        let span = &line["span"];
        assert_eq!(
            (
                &span["run_id"],
                &span["tenant_id"],
                &span["type"],
                &span["attempt"]
            ),
            (
                &run.into(),
                &connected.world.north.into(),
                &"inventory.sync".into(),
                &1.into()
            ),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_failed_attempt_is_a_warning_that_names_the_code() {
    let connected = Connected::new().await;
    let worker = connected.worker("one", &["--log", "json"]);
    // South has no connection to Graph.
    let input = serde_json::json!({"scope": "full"});
    let south = connected.world.south;
    let failing = connected.world.queued(south, "inventory.sync", &input);
    connected.completed(failing.await.unwrap()).await;
    let mut ended = Value::Null;
    eventually(SOON, "the end is logged", async || {
        let log = worker.log();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let found = lines
            .into_iter()
            .find(|line: &Value| line["fields"]["message"] == "ended");
        ended = found.unwrap_or_default();
        !ended.is_null()
    })
    .await
    .unwrap();
    assert_eq!(ended["level"], "WARN", "{ended}");
    assert_eq!(ended["fields"]["ended"], "failed", "{ended}");
    assert_eq!(ended["fields"]["code"], "tenant.not_connected", "{ended}");
}

#[tokio::test]
async fn whatever_is_counted_is_there_at_zero_from_the_start() {
    let connected = Connected::new().await;
    let worker = connected.worker("fresh", &["--metrics", "127.0.0.1:0"]);
    let address = address(&worker).await;
    let text = get(&address, "/metrics").await.1;
    let mut series: Vec<String> = [
        "opsroom_queue_depth{type=\"inventory.sync\"}",
        "opsroom_queue_oldest_seconds",
        "opsroom_claims_total{type=\"inventory.sync\"}",
        "opsroom_lost_claims_total{type=\"inventory.sync\"}",
        "opsroom_attempt_seconds_count{type=\"inventory.sync\"}",
        "opsroom_wait_seconds_count{type=\"inventory.sync\"}",
        "opsroom_fenced_total",
        "opsroom_running",
    ]
    .map(str::to_owned)
    .to_vec();
    for ended in [
        "succeeded",
        "partially_succeeded",
        "failed",
        "retry",
        "deferred",
        "released",
    ] {
        series.push(format!(
            "opsroom_attempts_total{{type=\"inventory.sync\",ended=\"{ended}\"}}"
        ));
    }
    for series in series {
        assert_eq!(value(&text, &series), Some(0.0), "{series} in {text}");
    }
    for seen in ["opsroom_database_up", "opsroom_poll_seconds_count"] {
        assert!(value(&text, seen).is_some(), "{seen} in {text}");
    }
}
