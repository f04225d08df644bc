//! The console as lines.

use crate::session::{SOON, seeded};
use crate::stage::{now, page, row};
use opsroom_console::app::Clock;
use opsroom_console::linear::Linear;
use opsroom_model::{Bucket, Clean};
use opsroom_testkit::Terminal;
use std::process::Command;

#[test]
fn what_changes_is_said_once_and_what_is_there_already_is_not() {
    let clock = Clock::new(now(), |at| at.naive_utc());
    let mut linear = Linear::default();
    let mut run = row(7, Bucket::Running, "inventory.sync", "contoso", 60);
    let old = row(3, Bucket::Succeeded, "a.b", "x", 90);
    assert!(linear.page(&page(vec![run.clone()]), &clock).is_empty());
    assert!(
        linear
            .page(&page(vec![run.clone(), old.clone()]), &clock)
            .is_empty(),
        "an old run came back"
    );
    run.state = Bucket::Failed.state();
    run.completed_at = run.started_at;
    run.code = Some((Clean::new("graph.throttled"), 1));
    let new = row(8, Bucket::Queued, "a.b", "x\u{1b}[2J", 0);
    let said = linear.page(&page(vec![new, run, old]), &clock);
    assert_eq!(
        said,
        [
            "09:20:00 run 7 inventory.sync contoso: failed after 0 ms, graph.throttled",
            "09:20:00 run 8 a.b x\\u{1b}[2J: queued",
        ]
    );
    assert_eq!(linear.lost("connection refused", &clock).iter().count(), 1);
    assert_eq!(linear.lost("connection refused", &clock), None);
    assert!(linear.answered(&clock).is_some() && linear.answered(&clock).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_come_out_without_a_screen() {
    let (database, login) = seeded().await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_opsroom"));
    command
        .args(["--linear", "--url", &database.url(&login)])
        .env("TERM", "dumb");
    let mut terminal = Terminal::spawn(&command, 100, 24).unwrap();
    terminal.wait_for("36 succeeded", SOON).unwrap();
    assert!(!terminal.alternate_screen());
    database
        .script(
            "insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, status)
             values (1, 'System', 'drift.generate', repeat('b', 64), 'queued')",
        )
        .await
        .unwrap();
    terminal
        .wait_for("drift.generate fabrikam: queued", SOON)
        .unwrap_or_else(|_| {
            assert!(
                terminal.screen().contains("drift.generate contoso: queued"),
                "{}",
                terminal.screen()
            );
        });
    assert!(!terminal.bytes().contains(&0x1b), "a sequence was written");
    terminal.send("\x03").unwrap();
    terminal.wait_exit(SOON).unwrap();
}
