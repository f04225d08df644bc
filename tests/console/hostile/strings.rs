//! Strings that want a terminal to do something, or to be mistaken.

use fastrand::Rng;
use opsroom_model::Clean;

/// What each text is made of.
#[derive(Clone, Copy)]
pub(super) enum Text {
    /// Nothing.
    None,
    /// So many of one letter that any cell is full.
    Filled(char),
    /// Hostile strings, from this seed on.
    Hostile(u64),
}

/// Gives texts, and counts them.
pub(super) struct Words {
    text: Text,
    rng: Rng,
    given: usize,
}

impl Words {
    pub(super) fn of(text: Text) -> Self {
        let seed = match text {
            Text::Hostile(seed) => seed,
            _ => 0,
        };
        Self {
            text,
            rng: Rng::with_seed(seed),
            given: 0,
        }
    }

    /// How many were asked for.
    pub(super) fn given(&self) -> usize {
        self.given
    }

    /// The next, as it lies in the database.
    pub(super) fn raw(&mut self) -> String {
        self.given += 1;
        match self.text {
            Text::None => String::new(),
            Text::Filled(letter) => letter.to_string().repeat(200),
            Text::Hostile(_) => hostile(&mut self.rng),
        }
    }

    /// The next, as it was decoded.
    pub(super) fn clean(&mut self) -> Clean {
        Clean::new(&self.raw())
    }
}

/// Sequences of other programs, and characters that terminals and people read differently.
const PARTS: &[&str] = &[
    "\x1b[2J",
    "\x1b[31m",
    "\x1b[38;2;1;2;3m",
    "\x1b[1;1H",
    "\x1b[999B",
    "\x1b[?1049l",
    "\x1b[?25h",
    "\x1b[6n",
    "\x1b[3J",
    "\x1bc",
    "\x1bM",
    "\x1b(0",
    "\x1b#8",
    "\x1b",
    "\x1b[",
    "\x1b]52;c;cm0gLXJmIH4=\x07",
    "\x1b]52;c;?\x1b\\",
    "\x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\",
    "\x1b]0;owned\x07",
    "\x1b]11;?\x1b\\",
    "\x1bPq#0;2;0;0;0~-\x1b\\",
    "\x1bP$q\"p\x1b\\",
    "\x1bP+q544e\x1b\\",
    "\x1b^pm\x1b\\",
    "\x1b_Gf=100;AAAA\x1b\\",
    "\u{9b}2J",
    "\u{9b}31m",
    "\u{9d}52;c;AA\u{9c}",
    "\u{90}q\u{9c}",
    "\u{84}",
    "\u{85}",
    "\u{8d}",
    "\u{98}x\u{9c}",
    "\u{202e}gpj.exe",
    "\u{202a}",
    "\u{202d}abc\u{202c}",
    "\u{2066}x\u{2069}",
    "\u{2067}",
    "\u{200e}",
    "\u{200f}",
    "\u{61c}",
    "\u{200b}",
    "\u{200c}",
    "\u{200d}",
    "\u{2060}",
    "\u{feff}",
    "\u{ad}",
    "\u{180e}",
    "\u{3164}",
    "\u{ffa0}",
    "\u{e0001}",
    "\u{e0041}\u{e0042}",
    "\u{e007f}",
    "\u{fffd}",
    "\u{fffd}\u{fffd}",
    "\u{ffff}",
    "\u{fdd0}",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\x08\x08\x08",
    "\x07",
    "\x0b\x0c",
    "\x0e",
    "\x0f",
    "\x00",
    "\x7f",
    "\u{2028}",
    "\u{2029}",
    "❤\u{fe0f}",
    "☎\u{fe0e}",
    "👍🏽",
    "👩\u{200d}👩\u{200d}👧",
    "🇩🇪",
    "🇩",
    "1\u{fe0f}\u{20e3}",
    "東京テナント",
    "ﾊﾝｶｸ",
    "ᄒ\u{1161}\u{11ab}",
    "\u{1161}",
    "لا",
    "مرحبا",
    "שלום",
    "\u{fdfd}",
    "กำ",
    "क\u{94d}ष",
    "நி",
    "\u{a9c5}",
    "\u{1f3fd}",
    "…",
    "·",
    "│",
    "█",
    "plain",
    "graph.throttled",
    " ",
    "   ",
];

fn hostile(rng: &mut Rng) -> String {
    let mut text = String::new();
    for _ in 0..rng.usize(1..6) {
        match rng.u32(0..200) {
            0 => text.extend(std::iter::repeat_n('\u{301}', 200)),
            1 => text.extend((0..200).filter_map(|_| char::from_u32(rng.u32(0x300..0x370)))),
            2 => text.extend((0..300).map(|_| 'x')),
            3..12 => text.extend((0..8).map(|_| rng.char('\0'..='\u{ffff}'))),
            12..20 => text.extend((0..8).map(|_| rng.char('\0'..='\u{10ffff}'))),
            20..25 => text.extend(char::from_u32(rng.u32(0..0xa0))),
            _ => text.push_str(PARTS[rng.usize(..PARTS.len())]),
        }
    }
    text
}
