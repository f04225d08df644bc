//! The second row: how many runs stand where, for the filter whatever states it names. Places are
//! fixed by width, so that a growing number moves nothing beside it.

use super::at_least;
use crate::app::App;
use crate::glyphs::role_of;
use crate::lapse;
use crate::theme::Role;
use crate::widget::spark::spark;
use crate::widget::{Canvas, Line};
use opsroom_model::Bucket;
use opsroom_read::{Headline, Point};
use ratatui::layout::Rect;

/// From so many columns the states are named, not only signed.
const WORDS_FROM: u16 = 112;
/// From so many columns counts stand apart, each with room to grow.
const ROOMY_FROM: u16 = 60;
const SHOWN: [Bucket; 5] = [
    Bucket::Running,
    Bucket::Queued,
    Bucket::Succeeded,
    Bucket::Partial,
    Bucket::Failed,
];

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(headline) = &app.headline else {
        canvas.text(area, " counting …", Role::Muted);
        return;
    };
    // Where there is no room for all, first what ended well goes, then what there is none of,
    // then what is under way.
    let wanted: [fn(Bucket, u64) -> bool; 4] = [
        |_, _| true,
        |bucket, _| bucket != Bucket::Succeeded,
        |bucket, n| bucket != Bucket::Succeeded && n > 0,
        |bucket, n| matches!(bucket, Bucket::Partial | Bucket::Failed) && n > 0,
    ];
    let mut line = Line::blank();
    for keep in wanted {
        line = counts(app, headline, area.width, keep);
        if line.width() <= usize::from(area.width) {
            break;
        }
    }
    if headline.live_workers == 0 && line.width() + 20 < usize::from(area.width) {
        line = line.and_right("no live worker ", Role::Stuck);
    } else if let Some(points) = &app.sparkline
        // It ends now, and is not kept for every moment.
        && app.travel.shown().is_none()
    {
        line = day(app, line, points, usize::from(area.width));
    }
    line.draw(canvas, area);
}

/// The counts that are kept, each behind its sign.
fn counts(app: &App, headline: &Headline, width: u16, keep: fn(Bucket, u64) -> bool) -> Line {
    let words = width >= WORDS_FROM;
    // Where there is little room, nothing may push what is wrong off the row.
    let tight = width < ROOMY_FROM;
    let gap = if tight { " " } else { "   " };
    let mut line = Line::of(" ", Role::Screen);
    for bucket in SHOWN {
        let count = headline.count(bucket);
        if !keep(bucket, count.n) {
            continue;
        }
        let role = if count.n == 0 {
            Role::Muted
        } else {
            role_of(bucket)
        };
        line = line.and(app.glyphs.of(bucket), role).and(
            match tight {
                true => format!(" {}", at_least(app.glyphs, count)),
                false => format!(" {:>2}", at_least(app.glyphs, count)),
            },
            if count.n == 0 {
                Role::Muted
            } else {
                Role::Strong
            },
        );
        line = match (words, bucket) {
            (true, Bucket::Succeeded) => line,
            (true, _) => line.and(format!(" {bucket}"), Role::Muted),
            (false, _) => line,
        };
        if bucket == Bucket::Queued && words {
            line = line.and(format!("{:<14}", oldest(app, headline)), Role::Muted);
        }
        line = line.and(gap, Role::Screen);
    }
    let stuck = headline.stuck;
    let (sign, word) = if stuck.n == 0 {
        (Role::Muted, Role::Muted)
    } else {
        (Role::Stuck, Role::Stuck)
    };
    line = line
        .and(app.glyphs.stuck, sign)
        .and(format!(" {}", at_least(app.glyphs, stuck)), word);
    if !tight {
        line = line.and(" stuck", word);
    }
    line
}

/// The last 24 hours: how much ended, an hour or two a column, coloured by how much of it failed.
fn day(app: &App, line: Line, points: &[Point], width: usize) -> Line {
    let room = width.saturating_sub(line.width() + 9);
    let each = match room {
        24.. => 1,
        12..=23 => 2,
        _ => return line,
    };
    let mut parts: Vec<(u64, u64)> = points
        .rchunks(each)
        .map(|part| {
            let sum = |of: fn(&Point) -> u64| part.iter().map(of).sum();
            (sum(|point| point.ended), sum(|point| point.failed))
        })
        .collect();
    parts.reverse();
    let ended: Vec<u64> = parts.iter().map(|(ended, _)| *ended).collect();
    let signs = spark(&ended, ended.len(), app.glyphs);
    let mut line = line.and_right("24 h ", Role::Muted);
    for (sign, (ended, failed)) in signs.chars().zip(parts) {
        let role = match failed {
            0 => Role::Muted,
            // A tenth is what the eye should fall on.
            failed if failed * 10 >= ended => Role::Failed,
            failed if failed * 50 >= ended => Role::Partial,
            _ => Role::Muted,
        };
        line = line.and_right(sign.to_string(), role);
    }
    line.and_right(" ", Role::Screen)
}

fn oldest(app: &App, headline: &Headline) -> String {
    match headline.oldest_queued {
        Some(at) => format!(", oldest {}", lapse::age(app.clock.since(at))),
        None => String::new(),
    }
}
