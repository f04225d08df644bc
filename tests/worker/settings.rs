//! What is set for all workers, and for single tenants.

use crate::command_line::one_line;
use crate::program::run;
use opsroom_testkit::World;

#[tokio::test]
async fn settings_are_shown_and_changed_for_all_workers() {
    let world = World::new().await.unwrap();
    let url = world.database().superuser_url();
    let said = run(
        &url,
        &[
            "settings",
            "--tenant-limit",
            "20",
            "--wake",
            "off",
            "--keep-notifications",
            "7",
        ],
    );
    assert_eq!(said.code, Some(0), "{said:?}");
    for part in ["20", "off", "7"] {
        assert!(said.out.contains(part), "{said:?}");
    }
    assert_eq!(run(&url, &["settings"]).out, said.out, "it stays");
    let one = run(
        &url,
        &["settings", "--tenant", "north", "--tenant-limit", "2"],
    );
    let own = "  of tenant north                    2\n";
    assert_eq!(
        one.out.replace(own, ""),
        said.out,
        "a tenant's own limit is the tenant's"
    );
    assert!(one.out.contains(own), "{one:?}");
    assert_eq!(run(&url, &["settings"]).out, one.out, "those are listed");
    assert_eq!(run(&url, &["settings", "--tenant", "north"]).out, one.out);
    let other = run(&url, &["settings", "--tenant", "south"]).out;
    assert!(
        other.contains("  of tenant south                    20 (it has none of its own)\n"),
        "{other}"
    );
    let limits: (i32, Option<i32>) = sqlx::query_as(
        "select (select running_limit from opsroom.tenants where name = 'north'), (select running_limit from opsroom.tenants where name = 'south')",
    )
    .fetch_one(&mut world.owner().await.unwrap())
    .await
    .unwrap();
    assert_eq!(limits, (2, None));
    let none = run(&url, &["settings", "--tenant-limit", "none"]);
    assert!(none.out.contains("none"), "{none:?}");
    assert_eq!(
        run(&url, &["settings", "--tenant-limit", "0"]).code,
        Some(2)
    );
    let negative = run(&url, &["settings", "--tenant-limit", "-1"]);
    assert_eq!(negative.code, Some(2));
    assert!(
        negative
            .err
            .contains("'-1' for '--tenant-limit <N>': write a number above zero"),
        "{negative:?}"
    );
    let worker = world.database().url(&world.worker);
    one_line(
        &run(&worker, &["settings", "--wake", "on"]),
        8,
        &["opsroom-worker settings takes the owner's login"],
    );
}
