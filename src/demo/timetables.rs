//! What starts by itself: schedules of a few tenants, on the clocks of where they are. Put through the
//! engine as an administrator would; what there is already stays as it is, with its history.

use color_eyre::eyre::{Result, WrapErr as _};
use opsroom_engine::schedule::Missed;
use opsroom_engine::schedule::admin::{self, NewSchedule, Which};
use opsroom_engine::start::find_tenant;
use opsroom_operations::connection::Connections;
use serde_json::json;
use sqlx::{Connection as _, PgConnection};

/// A schedule of the show.
struct Timetable {
    tenant: &'static str,
    name: &'static str,
    cron: &'static str,
    zone: &'static str,
    /// The families it looks at; none: all of them.
    families: &'static [&'static str],
    missed: Missed,
    since: Since,
}

/// Its past.
enum Since {
    /// Added so many hours ago; since then no worker was there. What the workers make of that is theirs:
    /// their first look is what gives it a last run and, where more than one fire time passed, missed ones.
    HoursAgo(i32),
    /// Added now, and paused.
    Paused,
}

const fn nightly(
    tenant: &'static str,
    name: &'static str,
    cron: &'static str,
    zone: &'static str,
) -> Timetable {
    Timetable {
        tenant,
        name,
        cron,
        zone,
        families: &[],
        missed: Missed::FireOnce,
        since: Since::HoursAgo(24),
    }
}

const TIMETABLES: &[Timetable] = &[
    nightly(
        "contoso",
        "nightly inventory",
        "30 2 * * *",
        "Europe/Berlin",
    ),
    nightly("東京商事", "nightly inventory", "0 3 * * *", "Asia/Tokyo"),
    // Its secret is refused: each of its runs fails at once.
    Timetable {
        families: &["device_compliance"],
        since: Since::HoursAgo(1),
        ..nightly(
            "proseware",
            "compliance watch",
            "*/10 * * * *",
            "America/Chicago",
        )
    },
    Timetable {
        families: &["settings_catalog", "device_compliance"],
        since: Since::HoursAgo(7 * 24),
        ..nightly(
            "woodgrove",
            "weekly baseline",
            "0 4 * * SUN",
            "Australia/Sydney",
        )
    },
    // Whoever was away does not catch up: every hour of a night was missed.
    Timetable {
        missed: Missed::Skip,
        since: Since::HoursAgo(9),
        ..nightly(
            "northwind",
            "hourly inventory",
            "5 * * * *",
            "Europe/London",
        )
    },
    Timetable {
        since: Since::HoursAgo(4 * 24),
        ..nightly(
            "tailspin",
            "before office hours",
            "15 6 * * MON-FRI",
            "America/New_York",
        )
    },
    Timetable {
        since: Since::HoursAgo(32 * 24),
        ..nightly("fabrikam", "month's end", "0 22 L * *", "Europe/Lisbon")
    },
    Timetable {
        since: Since::Paused,
        ..nightly(
            "litware",
            "nightly inventory",
            "45 1 * * *",
            "America/Los_Angeles",
        )
    },
];

/// Adds what is missing, as the login at `url`, a worker's. Says how many there are.
pub(crate) async fn put(url: &str) -> Result<usize> {
    let mut worker = PgConnection::connect(url).await?;
    for timetable in TIMETABLES {
        add(&mut worker, timetable)
            .await
            .wrap_err_with(|| format!("the schedule of {} cannot be set up", timetable.tenant))?;
    }
    worker.close().await?;
    Ok(TIMETABLES.len())
}

async fn add(worker: &mut PgConnection, timetable: &Timetable) -> Result<()> {
    let registry = opsroom_operations::registry(Connections::none())?;
    let tenant = find_tenant(worker, timetable.tenant).await?;
    let which = Which {
        tenant: Some(tenant),
        name: Some(timetable.name),
        ..Which::default()
    };
    if !admin::schedules(worker, which).await?.is_empty() {
        return Ok(());
    }
    let input = match timetable.families {
        [] => json!({}),
        families => json!({"scope": "families", "families": families}),
    };
    let new = NewSchedule {
        tenant,
        name: timetable.name,
        run_type: "inventory.sync",
        cron: timetable.cron,
        zone: timetable.zone,
        input,
        missed: timetable.missed,
    };
    // Together: no worker may see it without its past.
    let mut step = worker.begin().await?;
    let (schedule, _) = admin::put(&mut step, &registry, &new).await?;
    match timetable.since {
        Since::Paused => {
            admin::pause(&mut step, schedule.id).await?;
        }
        Since::HoursAgo(hours) => {
            sqlx::query(
                "update opsroom.schedules
                    set decided_until = clock_timestamp() - make_interval(hours => $2), next_fire_at = null
                  where id = $1",
            )
            .bind(schedule.id)
            .bind(hours)
            .execute(&mut *step)
            .await?;
        }
    }
    step.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cast::TENANTS;
    use opsroom_engine::schedule::Timetable as Clockwork;

    #[test]
    fn every_one_fires_for_a_tenant_of_the_cast() {
        for timetable in TIMETABLES {
            assert!(Clockwork::new(timetable.cron, timetable.zone).is_ok());
            assert!(
                TENANTS.iter().any(|tenant| tenant.name == timetable.tenant),
                "{}",
                timetable.tenant
            );
        }
    }
}
