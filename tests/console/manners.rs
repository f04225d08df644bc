//! What the console says to the terminal beside frames, and what it keeps on the person's machine.

use crate::session::{SOON, assert_given_back, seeded};
use opsroom_testkit::{Mode, Proxy, Terminal};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// A console whose home is `home`.
pub(crate) fn at_home(url: &str, home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_opsroom"));
    command
        .args(["--url", url])
        .env("HOME", home)
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_STATE_HOME")
        .env_remove("COLORFGBG")
        .env("COLORTERM", "truecolor");
    command
}

pub(crate) fn home() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

pub(crate) fn write(home: &Path, name: &str, text: &str) {
    let path = home.join(".config/opsroom").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_light_terminal_gets_the_light_theme_and_its_answer_is_no_key() {
    let (database, login) = seeded().await;
    let home = home();
    let command = at_home(&database.url(&login), home.path());
    let mut terminal = Terminal::spawn(&command, 120, 40).unwrap();
    let answer = "\x1b]11;rgb:ffff/ffff/ffff\x1b\\";
    let until = Instant::now() + SOON;
    while !String::from_utf8_lossy(&terminal.bytes()).contains("\x1b]11;?") {
        assert!(Instant::now() < until, "the terminal was not asked");
        std::thread::yield_now();
    }
    terminal.send(&format!("{answer}\x1b[?62;22c")).unwrap();
    terminal.wait_for("identity", SOON).unwrap();
    // In time or too late, no part of it was taken for a key: ']' and '1' would say so.
    terminal.send(answer).unwrap();
    terminal.send("?").unwrap();
    terminal.wait_for("╭─ keys", SOON).unwrap();
    assert!(
        !terminal.screen().contains("there is no view 1"),
        "{}",
        terminal.screen()
    );
    terminal.send("\x03").unwrap();
    assert_eq!(terminal.wait_exit(SOON).unwrap().exit_code(), 0);
    assert_given_back(&terminal);
    let bytes = String::from_utf8_lossy(&terminal.bytes()).into_owned();
    let (on, off) = (bytes.rfind("\x1b[?1000h"), bytes.rfind("\x1b[?1000l"));
    assert!(on.is_some() && off > on, "the mouse was not given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_theme_is_worn_at_once() {
    let (database, login) = seeded().await;
    let home = home();
    let theme = |ground: &str| {
        format!(
            "name = 'mine'\ninherits = 'dark'\n[palette]\npaper = {{ rgb = '{ground}', ansi = 'default' }}"
        )
    };
    write(home.path(), "themes/mine.toml", &theme("#010203"));
    write(home.path(), "config.toml", "theme = 'mine'");
    let command = at_home(&database.url(&login), home.path());
    let mut terminal = Terminal::spawn(&command, 80, 24).unwrap();
    terminal.wait_for("inventory.sync", SOON).unwrap();
    let wears = |red: u8| {
        move |screen: &vt100::Screen| {
            let cell = screen.cell(10, 70);
            cell.is_some_and(|cell| matches!(cell.bgcolor(), vt100::Color::Rgb(r, ..) if r == red))
        }
    };
    terminal
        .wait_until("the theme is worn", SOON, wears(1))
        .unwrap();
    write(home.path(), "themes/mine.toml", &theme("#0a0b0c0"));
    terminal.wait_for("is no colour", SOON).unwrap();
    write(home.path(), "themes/mine.toml", &theme("#0a0b0c"));
    terminal
        .wait_until("the saved theme is worn", SOON, wears(10))
        .unwrap();
    terminal.send("\x03").unwrap();
    terminal.wait_exit(SOON).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn when_one_last_looked_is_remembered_and_what_changed_since_is_marked() {
    let (database, login) = seeded().await;
    let home = home();
    let open = || Terminal::spawn(&at_home(&database.url(&login), home.path()), 80, 24).unwrap();
    let mut terminal = open();
    terminal.wait_for("inventory.sync", SOON).unwrap();
    assert!(!terminal.screen().contains('•'), "{}", terminal.screen());
    terminal.send("q").unwrap();
    terminal.wait_exit(SOON).unwrap();
    let kept =
        std::fs::read_to_string(home.path().join(".local/state/opsroom/looks.json")).unwrap();
    assert!(
        kept.contains(&login) && !kept.contains("password"),
        "{kept}"
    );
    database
        .script(
            "insert into opsroom.operation_runs (tenant_id, initiator_name, type, run_identity_hash, status)
             values (1, 'System', 'drift.generate', repeat('b', 64), 'queued')",
        )
        .await
        .unwrap();
    let mut terminal = open();
    terminal.wait_for("•▌ ○ queued", SOON).unwrap();
    assert_eq!(
        terminal.screen().matches('•').count(),
        1,
        "{}",
        terminal.screen()
    );
    terminal.send("jk").unwrap();
    terminal
        .wait_until("the mark is gone", SOON, |screen| {
            !screen.contents().contains('•')
        })
        .unwrap();
    terminal.send("q").unwrap();
    terminal.wait_exit(SOON).unwrap();
}

fn opsroom(home: &Path, arguments: &[&str]) -> Output {
    let mut command = at_home("postgres://nobody@127.0.0.1:1/none", home);
    command.args(arguments).output().unwrap()
}

#[test]
fn keys_are_listed_as_they_are_bound_and_conflicts_point_at_their_line() {
    let home = home();
    write(
        home.path(),
        "config.toml",
        "[keys]\npause = ['P', 'ctrl-p']\n",
    );
    let listed = opsroom(home.path(), &["keys"]);
    let text = String::from_utf8(listed.stdout).unwrap();
    assert!(text.contains("pause             P  ctrl-p"), "{text}");
    write(
        home.path(),
        "config.toml",
        "[keys]\nrefresh = 'R'\npause = 'f'\n",
    );
    let refused = opsroom(home.path(), &["keys"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("config.toml, line 3: 'f' already means 'follow'"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_view_opens_by_its_name() {
    let (database, login) = seeded().await;
    let home = home();
    write(
        home.path(),
        "views.toml",
        "[[view]]\nname = 'bad days'\nquery = 'is:failed tenant:contoso'\n",
    );
    let mut command = at_home(&database.url(&login), home.path());
    command.args(["--view", "bad days"]);
    let mut terminal = Terminal::spawn(&command, 120, 40).unwrap();
    terminal.wait_for("4 runs", SOON).unwrap();
    terminal.send("\x1b\x1b").unwrap();
    terminal.send("\x03").unwrap();
    terminal.wait_exit(Duration::from_secs(5)).unwrap();
    let unknown = opsroom(home.path(), &["--linear", "--view", "good days"]);
    let said = String::from_utf8(unknown.stderr).unwrap();
    assert!(
        said.contains("there is no view 'good days': one of bad days"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_turned_to_while_the_database_of_the_present_one_is_gone() {
    let ((one, first), (other, second)) = (seeded().await, seeded().await);
    other
        .script("update opsroom.tenants set name = 'elsewhere' where name = 'contoso'")
        .await
        .unwrap();
    let proxy = Proxy::to_postgres(one.server().connection()).await.unwrap();
    let home = home();
    let config = format!(
        "profile = 'near'\n[profiles.near]\nurl = '{}'\n[profiles.far]\nurl = '{}'\ntheme = 'light'\n",
        proxy.url(one.name(), &first),
        other.url(&second)
    );
    write(home.path(), "config.toml", &config);
    let mut command = at_home("", home.path());
    command = {
        let mut without_url = Command::new(command.get_program());
        without_url.envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        without_url
    };
    let mut terminal = Terminal::spawn(&command, 120, 40).unwrap();
    terminal.wait_for("contoso", SOON).unwrap();
    assert!(
        terminal.screen().contains("near › Runs"),
        "{}",
        terminal.screen()
    );
    proxy.set(Mode::Cut);
    terminal.wait_for("STALE", SOON).unwrap();
    terminal.send(":profile: far").unwrap();
    terminal.wait_for("another database", SOON).unwrap();
    terminal.send("\r").unwrap();
    terminal.wait_for("elsewhere", SOON).unwrap();
    terminal.wait_for("far › Runs", SOON).unwrap();
    assert!(
        !terminal.screen().contains("contoso"),
        "{}",
        terminal.screen()
    );
    // Back, where there is still nobody: nothing of the other is shown under its name.
    terminal.send(":profile: near\r").unwrap();
    terminal.wait_for("STALE", SOON).unwrap();
    assert!(
        !terminal.screen().contains("elsewhere"),
        "{}",
        terminal.screen()
    );
    proxy.set(Mode::Pass);
    terminal.wait_for("contoso", SOON).unwrap();
    terminal.send("\x03").unwrap();
    assert_eq!(terminal.wait_exit(SOON).unwrap().exit_code(), 0);
    assert_given_back(&terminal);
}
