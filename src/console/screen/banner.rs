//! The first row: name and scope, and whether what is shown is how things stand.

use crate::app::{App, Health, Place};
use crate::keymap::Action;
use crate::lapse;
use crate::theme::Role;
use crate::widget::{Canvas, Line};
use chrono::{DateTime, TimeDelta, Utc};
use opsroom_model::query::{Condition, Length, Query, Sign, When};
use ratatui::layout::Rect;

pub(super) fn title(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    if let Health::Lost { reason } = &app.health {
        return stale(app, canvas, area, reason);
    }
    if let Some(at) = app.travel.shown_at() {
        return past(app, canvas, area, at);
    }
    let health = health(app, area.width);
    let name = breadcrumb(app, area.width);
    let left = u16::try_from(name.width()).unwrap_or(area.width);
    let right = u16::try_from(health.width()).unwrap_or(0);
    name.draw(canvas, area);
    let from = (area.width.saturating_sub(right) / 2)
        .saturating_sub(14)
        .max(left + 3);
    let room = area.width.saturating_sub(from + right + 1);
    let scope = scope(app);
    if let Ok(wide) = u16::try_from(scope.chars().count())
        && wide <= room
    {
        canvas.text(
            Rect {
                x: from,
                width: room,
                ..area
            },
            scope,
            Role::Muted,
        );
    }
    if left + right < area.width {
        let at = Rect {
            x: area.width - right,
            width: right,
            ..area
        };
        health.draw(canvas, at);
    }
}

/// The screens one came by, the one that is shown in front of the eye.
fn breadcrumb(app: &App, width: u16) -> Line {
    let mut line = Line::of(" opsroom  ", Role::Muted);
    let (last, before) = match app.stack.places().split_last() {
        Some((last, before)) => (*last, before),
        None => (Place::Runs, &[][..]),
    };
    if let Some(profile) = app.settings.profile.as_ref().filter(|_| width >= 60) {
        line = line
            .and(profile.clone(), Role::Screen)
            .and(format!(" {} ", app.glyphs.into), Role::Faint);
    }
    if width >= 60 {
        let (shown, left_out) = match before.len() {
            0..=2 => (before, false),
            all => (&before[all - 1..], true),
        };
        if left_out {
            line = line
                .and(app.glyphs.ellipsis, Role::Muted)
                .and(format!(" {} ", app.glyphs.into), Role::Faint);
        }
        for place in shown {
            line = line
                .and(place.title(), Role::Muted)
                .and(format!(" {} ", app.glyphs.into), Role::Faint);
        }
    }
    let title = match (last, app.detail.wanted()) {
        (Place::Run, Some(id)) => format!("Run #{id}"),
        _ => last.title().to_owned(),
    };
    line.and(title, Role::Strong)
}

/// Which moment is shown, where it is not now.
fn past(app: &App, canvas: &mut Canvas<'_>, area: Rect, at: DateTime<Utc>) {
    canvas.repeat(area, " ", Role::Stale);
    let ago = lapse::age(app.clock.db_time() - at);
    let (n, of) = app.travel.place().unwrap_or((1, 1));
    let mut words = format!(" PAST  {}, {ago} ago  {n} of {of}", app.clock.stamp(at));
    if app.place() != Place::Runs {
        words.push_str("   this screen is as of now");
    } else if area.width >= 70 {
        let key = |action| app.settings.keymap.key_of(action).unwrap_or_default();
        let (earlier, later) = (key(Action::Earlier), key(Action::Later));
        words.push_str(&format!(
            "   {earlier} back  {later} forward  Esc now   the detail is as of now"
        ));
    }
    canvas.text(area, words, Role::Stale);
}

fn scope(app: &App) -> String {
    let tenants = match &app.reach {
        None => String::new(),
        Some(reach) if reach.all => format!("all tenants ({})", reach.tenants),
        Some(reach) if reach.tenants == 1 => "1 tenant".to_owned(),
        Some(reach) => format!("{} tenants", reach.tenants),
    };
    if app.place() != Place::Runs {
        return tenants;
    }
    let window = window(app.filter.query());
    match tenants.is_empty() {
        true => window,
        false => format!("{tenants} · {window}"),
    }
}

/// Which times a query covers, in words. A time inside a group is for the group alone.
fn window(query: &Query) -> String {
    let asked = query.terms.iter().filter(|term| term.sign == Sign::Plus);
    let mut words = Vec::new();
    for term in asked {
        match term.condition {
            Condition::Since(When::Ago(length)) => words.push(format!("last {}", long(length))),
            Condition::Since(from) => words.push(format!("since {from}")),
            Condition::Until(When::Ago(length)) => {
                words.push(format!("more than {} ago", long(length)));
            }
            Condition::Until(to) => words.push(format!("until {to}")),
            Condition::Between(from, to) => words.push(format!("{from} to {to}")),
            _ => {}
        }
    }
    match words.is_empty() {
        false => words.join(", "),
        true if query.sets_window() => "any time".to_owned(),
        true => "last 30 days".to_owned(),
    }
}

fn long(length: Length) -> String {
    let delta = length.delta();
    match delta.num_days() {
        days if days >= 2 => format!("{days} days"),
        _ => lapse::words(delta),
    }
}

fn health(app: &App, width: u16) -> Line {
    if app.paused {
        return Line::of(app.glyphs.paused, Role::Partial).and(" paused ", Role::Strong);
    }
    let pace = app.pace().as_secs();
    match app.data_age() {
        Some(age) => Line::of(app.glyphs.live, Role::Partial)
            .and(format!(" {} old ", lapse::age(age)), Role::Strong),
        None => Line::of(app.glyphs.live, Role::Succeeded)
            .and(" live", Role::Screen)
            .and(
                match width {
                    0..60 => " ".to_owned(),
                    _ => format!("  every {pace} s "),
                },
                Role::Muted,
            ),
    }
}

fn stale(app: &App, canvas: &mut Canvas<'_>, area: Rect, reason: &str) {
    let age = app
        .answered_at
        .map_or(TimeDelta::zero(), |at| app.clock.now - at);
    canvas.repeat(area, " ", Role::Stale);
    let dash = app.glyphs.dash;
    let words = format!(
        " STALE {} {dash} reconnecting ({reason})",
        lapse::words(whole(age))
    );
    canvas.text(area, words, Role::Stale);
}

/// Whole seconds: the banner counts, it does not measure.
fn whole(age: TimeDelta) -> TimeDelta {
    TimeDelta::seconds(age.num_seconds().max(1))
}
