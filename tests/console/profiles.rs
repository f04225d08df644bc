//! Themes of profiles: the command line's, else the profile's, else the configuration's, else the one
//! that suits the terminal; decided anew whenever another profile is turned to.

use crate::manners::{at_home, home, write};
use crate::session::{SOON, seeded};
use opsroom_testkit::Terminal;
use std::time::Instant;

/// Grounds of the built-in themes, as their files say.
const DARK: u8 = 0x15;
const LIGHT: u8 = 0xfb;
const BLACK: u8 = 0x00;

/// A console whose configuration is `before`, then a profile `light`, one of no theme called `plain`,
/// and one whose theme nobody has, `typo`.
struct Stage {
    terminal: Terminal,
    _home: tempfile::TempDir,
    _database: opsroom_testkit::TestDatabase,
}

async fn stage(before: &str, arguments: &[&str], answer: Option<&str>) -> Stage {
    let (database, login) = seeded().await;
    let (home, url) = (home(), database.url(&login));
    let config = format!(
        "{before}\n[profiles.light]\nurl = '{url}'\ntheme = 'light'\n[profiles.plain]\nurl = '{url}'\n\
         [profiles.typo]\nurl = '{url}'\ntheme = 'ligth'\n"
    );
    write(home.path(), "config.toml", &config);
    let mut command = at_home(&url, home.path());
    command.args(arguments);
    let mut terminal = Terminal::spawn(&command, 120, 40).unwrap();
    if let Some(answer) = answer {
        let until = Instant::now() + SOON;
        while !String::from_utf8_lossy(&terminal.bytes()).contains("\x1b]11;?") {
            assert!(Instant::now() < until, "the terminal was not asked");
            std::thread::yield_now();
        }
        terminal.send(answer).unwrap();
    }
    terminal.wait_for("identity", SOON).unwrap();
    Stage {
        terminal,
        _home: home,
        _database: database,
    }
}

impl Stage {
    fn turn(&mut self, profile: &str) {
        self.terminal
            .send(&format!(":profile: {profile}\r"))
            .unwrap();
        let title = format!("{profile} › Runs");
        self.terminal.wait_for(&title, SOON).unwrap();
        self.terminal.wait_for("identity", SOON).unwrap();
    }

    fn assert_ground(&self, ground: u8, whose: &str) {
        let worn = |screen: &vt100::Screen| {
            let cell = screen.cell(10, 70);
            cell.is_some_and(
                |cell| matches!(cell.bgcolor(), vt100::Color::Rgb(red, ..) if red == ground),
            )
        };
        let theme = format!("{whose} theme is worn");
        self.terminal.wait_until(&theme, SOON, worn).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_without_a_theme_does_not_wear_the_former_ones() {
    let mut stage = stage("profile = 'light'", &[], None).await;
    stage.assert_ground(LIGHT, "the profile's");
    stage.turn("plain");
    stage.assert_ground(DARK, "the suiting");
    stage.turn("light");
    stage.assert_ground(LIGHT, "the profile's");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configurations_theme_is_that_of_profiles_without_one() {
    let config = "theme = 'high-contrast'\nprofile = 'light'";
    let mut stage = stage(config, &[], None).await;
    stage.assert_ground(LIGHT, "the profile's");
    stage.turn("plain");
    stage.assert_ground(BLACK, "the configuration's");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_theme_of_the_command_line_outranks_every_profiles() {
    let mut stage = stage("profile = 'plain'", &["--theme", "high-contrast"], None).await;
    stage.assert_ground(BLACK, "the command line's");
    stage.turn("light");
    stage.assert_ground(BLACK, "the command line's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_without_a_theme_suits_the_terminal_also_where_the_first_one_had_its_own() {
    let config = "[profiles.dark]\ntheme = 'dark'";
    let white = "\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?62;22c";
    let mut stage = stage(config, &["--profile", "dark"], Some(white)).await;
    stage.assert_ground(DARK, "the profile's");
    stage.turn("plain");
    stage.assert_ground(LIGHT, "the terminal's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_whose_theme_nobody_has_says_so() {
    let mut stage = stage("profile = 'light'", &[], None).await;
    stage.turn("typo");
    stage.terminal.wait_for("no theme 'ligth'", SOON).unwrap();
    stage.assert_ground(DARK, "the suiting");
}
