//! Schedules as a console gets them: next, last with its outcome, missed, wrong; of one's own tenants.

use crate::world::World;
use opsroom_model::{Bucket, RunId};
use opsroom_read::ScheduleRow;

const SCHEDULES: &str = "
insert into opsroom.schedules (id, tenant_id, type, name, cron, time_zone, missed, paused_at, next_fire_at, last_fire_at, last_run_id,
    missed_fires, last_missed_at, error_code, error_at) values
  (1, 1, 'inventory.sync', 'nightly', '0 3 * * *', 'Europe/Berlin', 'fire_once', null, now() + interval '1 h', now() - interval '2 h', 2,
   4, now() - interval '1 d', null, null),
  (2, 1, 'inventory.sync', 'at rest', '0 3 * * *', 'UTC', 'skip', now(), null, null, null, 0, null, null, null),
  (3, 2, 'restore.execute', 'broken', E'every \\x1b[31mday', 'UTC', 'fire_all', null, null, null, null, 0, null, 'schedule.cron_invalid', now()),
  (4, 3, 'drift.generate', 'pruned', '@daily', 'UTC', 'fire_once', null, now() + interval '1 min', now() - interval '100 d', 987654, 0, null, null, null);
";

fn names(rows: &[ScheduleRow]) -> Vec<&str> {
    rows.iter().map(|row| row.name.as_str()).collect()
}

#[tokio::test]
async fn a_console_needs_no_cron_to_show_them() {
    let world = World::new().await;
    world.database.script(SCHEDULES).await.unwrap();
    let schedules = world.oncall().await.schedules().await.unwrap();
    assert!(!schedules.more);
    assert_eq!(
        names(&schedules.rows),
        ["broken", "pruned", "nightly", "at rest"]
    );
    let [broken, pruned, nightly, at_rest] = &schedules.rows[..] else {
        panic!("{schedules:?}");
    };
    assert_eq!(
        broken.error.as_ref().unwrap().as_str(),
        "schedule.cron_invalid"
    );
    assert!(!broken.cron.as_str().contains('\x1b'));
    assert_eq!(pruned.last_run, Some((RunId(987_654), None)));
    assert_eq!(
        nightly.last_run,
        Some((RunId(2), Some(Bucket::Failed.state())))
    );
    assert_eq!(
        (nightly.missed_fires, nightly.tenant.as_str()),
        (4, "contoso")
    );
    let wait = nightly.next_fire_at.unwrap() - schedules.as_of;
    assert!((59..=60).contains(&wait.num_minutes()), "{wait}");
    assert!(at_rest.paused_at.is_some() && at_rest.next_fire_at.is_none());
}

#[tokio::test]
async fn others_schedules_do_not_exist() {
    let world = World::new().await;
    let mut dev = world.reader(&world.dev).await;
    assert!(dev.schedules().await.unwrap().rows.is_empty());
    world.database.script(SCHEDULES).await.unwrap();
    let schedules = dev.schedules().await.unwrap();
    assert_eq!(names(&schedules.rows), ["nightly", "at rest"]);
}

#[tokio::test]
async fn a_thousand_at_most() {
    let world = World::new().await;
    let many = "insert into opsroom.schedules (tenant_id, type, name, cron, time_zone, next_fire_at) \
                select 1 + n % 4, 'inventory.sync', 'n' || n, '@daily', 'UTC', now() + n * interval '1 s' from generate_series(1, 1001) n";
    world.database.script(many).await.unwrap();
    let schedules = world.oncall().await.schedules().await.unwrap();
    assert!(schedules.more);
    assert_eq!(schedules.rows.len(), 1000);
    assert_eq!(schedules.rows[999].name.as_str(), "n1000");
}
