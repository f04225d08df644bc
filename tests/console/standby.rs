//! The program pointed at a hot standby.

use crate::cli::opsroom;
use crate::session::{SOON, console, seed};
use opsroom_testkit::TestDatabase;

#[tokio::test(flavor = "multi_thread")]
async fn every_command_and_the_screen_work_on_a_hot_standby() {
    let (database, login) = seed(TestDatabase::replicated().await.unwrap()).await;
    database.harden().await.unwrap();
    database.replayed().await.unwrap();
    let url = database.standby_url(&login).unwrap();
    let said = |arguments: &[&str]| {
        let output = opsroom(&[arguments, &["--url", &url]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {text}");
        text
    };
    assert_eq!(
        said(&["runs", "-q", "is:failed"])
            .matches("graph.throttled")
            .count(),
        4
    );
    assert!(said(&["run", "10"]).contains("Graph answered 429"));
    assert!(said(&["--snapshot"]).contains("inventory.sync"));
    let doctor = said(&["doctor"]);
    assert!(doctor.contains("hot standby"), "{doctor}");
    assert!(doctor.contains("read-only: true"), "{doctor}");
    let mut terminal = console(&url, 120, 40);
    terminal.wait_for("identity", SOON).unwrap();
    terminal.wait_for("● live", SOON).unwrap();
    terminal.send("q").unwrap();
    assert_eq!(terminal.wait_exit(SOON).unwrap().exit_code(), 0);
}
