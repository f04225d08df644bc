//! The signs of the screen, in Unicode and in ASCII. Which state has which sign is decided here and
//! nowhere else.

use crate::theme::Role;
use opsroom_model::Bucket;

/// One set of signs. Every sign of a set is one column wide.
#[derive(Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is named after what it draws")]
pub struct Glyphs {
    pub queued: &'static str,
    pub running: &'static str,
    pub succeeded: &'static str,
    pub partial: &'static str,
    pub failed: &'static str,
    pub cancelled: &'static str,
    pub skipped: &'static str,
    pub stuck: &'static str,
    pub marker: &'static str,
    pub live: &'static str,
    pub paused: &'static str,
    pub bar_done: &'static str,
    pub bar_skipped: &'static str,
    pub bar_failed: &'static str,
    pub bar_rest: &'static str,
    pub rule: &'static str,
    pub upright: &'static str,
    pub arrow: &'static str,
    pub dot: &'static str,
    pub dash: &'static str,
    pub ellipsis: &'static str,
    pub at_least: &'static str,
    pub enter: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    pub ascending: &'static str,
    pub descending: &'static str,
    pub changed: &'static str,
    pub marked: &'static str,
    pub bell: &'static str,
    pub into: &'static str,
    pub folded: &'static str,
    pub unfolded: &'static str,
    /// From none to most.
    pub spark: [&'static str; 8],
    pub unread: &'static str,
    pub corners_top: [&'static str; 2],
    pub corners_bottom: [&'static str; 2],
    /// True where nothing but ASCII may be drawn.
    pub ascii: bool,
}

/// For a UTF-8 terminal.
pub const UNICODE: Glyphs = Glyphs {
    queued: "○",
    running: "●",
    succeeded: "✓",
    partial: "◐",
    failed: "✗",
    cancelled: "⊘",
    skipped: "·",
    stuck: "▲",
    marker: "▌",
    live: "●",
    paused: "‖",
    bar_done: "━",
    bar_skipped: "━",
    bar_failed: "━",
    bar_rest: "─",
    rule: "─",
    upright: "│",
    arrow: "▶",
    dot: "·",
    dash: "—",
    ellipsis: "…",
    at_least: "≥",
    enter: "⏎",
    up: "↑",
    down: "↓",
    ascending: "↑",
    descending: "↓",
    changed: "•",
    marked: "◆",
    bell: "♪",
    into: "›",
    folded: "▸",
    unfolded: "▾",
    spark: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    unread: "•",
    corners_top: ["╭", "╮"],
    corners_bottom: ["╰", "╯"],
    ascii: false,
};

/// For a UTF-8 terminal without colours: what colours tell apart elsewhere has other signs here.
pub const UNICODE_PLAIN: Glyphs = Glyphs {
    bar_done: "█",
    bar_skipped: "▒",
    bar_failed: "x",
    bar_rest: "░",
    ..UNICODE
};

/// For everything else.
pub const ASCII: Glyphs = Glyphs {
    queued: "o",
    running: "*",
    succeeded: "+",
    partial: "%",
    failed: "x",
    cancelled: "-",
    skipped: ".",
    stuck: "!",
    marker: ">",
    live: "*",
    paused: "=",
    bar_done: "#",
    bar_skipped: ":",
    bar_failed: "x",
    bar_rest: ".",
    rule: "-",
    upright: "|",
    arrow: ">",
    dot: "-",
    dash: "-",
    ellipsis: "~",
    at_least: ">",
    enter: "Enter",
    up: "up",
    down: "down",
    ascending: "^",
    descending: "v",
    changed: "'",
    marked: "#",
    bell: "&",
    into: ">",
    folded: "+",
    unfolded: "-",
    spark: ["_", ".", "-", ":", "=", "+", "*", "#"],
    unread: "'",
    corners_top: ["+", "+"],
    corners_bottom: ["+", "+"],
    ascii: true,
};

impl Glyphs {
    /// The sign of a state.
    #[must_use]
    pub const fn of(&self, bucket: Bucket) -> &'static str {
        match bucket {
            Bucket::Queued => self.queued,
            Bucket::Running => self.running,
            Bucket::Succeeded => self.succeeded,
            Bucket::Partial => self.partial,
            Bucket::Failed => self.failed,
            Bucket::Cancelled => self.cancelled,
        }
    }
}

/// The role of a state.
#[must_use]
pub const fn role_of(bucket: Bucket) -> Role {
    match bucket {
        Bucket::Queued => Role::Queued,
        Bucket::Running => Role::Running,
        Bucket::Succeeded => Role::Succeeded,
        Bucket::Partial => Role::Partial,
        Bucket::Failed => Role::Failed,
        Bucket::Cancelled => Role::Cancelled,
    }
}
