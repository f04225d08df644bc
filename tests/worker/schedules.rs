//! Schedules from the command line, and a worker that honours them.

use crate::graph::Connected;
use crate::program::{SOON, Said, run};
use opsroom_testkit::{World, eventually};
use serde_json::Value;
use sqlx::PgConnection;

const BERLIN: [&str; 6] = [
    "--type",
    "inventory.sync",
    "--cron",
    "30 2 * * *",
    "--time-zone",
    "Europe/Berlin",
];

fn schedule(url: &str, args: &[&str]) -> Said {
    run(url, &[&["schedule"], args].concat())
}

fn refused(said: &Said, code: i32, says: &[&str]) {
    assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{said:?}");
    for part in says {
        assert!(said.err.contains(part), "'{part}' is missing: {said:?}");
    }
}

fn done(said: &Said) -> &str {
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    &said.out
}

async fn audited(owner: &mut PgConnection) -> Vec<(String, String)> {
    let query = "select action, login_role::text from opsroom.audit where action like 'schedules.%' order by id";
    sqlx::query_as(query).fetch_all(owner).await.unwrap()
}

#[tokio::test]
async fn the_life_of_a_schedule() {
    let world = World::new().await.unwrap();
    let url = world.database().url(&world.worker);
    let mut owner = world.owner().await.unwrap();
    let add = [&["add", "nightly", "--tenant", "north"], &BERLIN[..]].concat();

    let said = schedule(&url, &add);
    let lines: Vec<_> = done(&said).lines().collect();
    assert_eq!(lines.len(), 1 + 1 + 3, "{said:?}");
    assert_eq!(lines[0], "schedule nightly added");
    assert!(lines[2].contains("02:30:00 CE"), "{said:?}");
    assert_eq!(
        done(&schedule(&url, &add)).lines().next(),
        Some("schedule nightly was so already")
    );
    let skip = [&add[..], &["--missed", "skip"]].concat();
    assert_eq!(
        done(&schedule(&url, &skip)).lines().next(),
        Some("schedule nightly changed")
    );

    let one = ["nightly", "--tenant", "north"];
    let named = |command| [&[command], &one[..]].concat();
    for (command, says) in [
        ("pause", "is paused"),
        ("pause", "was paused already"),
        ("resume", "fires again"),
        ("resume", "was not paused"),
    ] {
        let said = schedule(&url, &named(command));
        assert!(done(&said).contains(says), "{said:?}");
    }
    let listed = schedule(&url, &["list", "--tenant", "north", "-o", "json"]);
    let listed: Value = serde_json::from_str(done(&listed)).unwrap();
    assert_eq!(listed[0]["name"], "nightly");
    assert_eq!(listed[0]["missed"], "skip");
    assert!(listed[0]["next_fire_at"].is_string(), "{listed:#}");
    let table = schedule(&url, &["list", "--type", "inventory.sync"]);
    assert!(done(&table).contains("nightly") && table.out.contains("Europe/Berlin"));
    assert!(!done(&schedule(&url, &["list", "--name", "other"])).contains("nightly"));
    assert!(done(&schedule(&url, &named("remove"))).contains("removed"));
    refused(
        &schedule(&url, &named("remove")),
        7,
        &["no schedule 'nightly'", "schedule list --tenant north"],
    );

    let trail = audited(&mut owner).await;
    let actions: Vec<_> = trail.iter().map(|(action, _)| action.as_str()).collect();
    assert_eq!(
        actions,
        [
            "schedules.insert",
            "schedules.update",
            "schedules.pause",
            "schedules.resume",
            "schedules.delete"
        ]
    );
    assert!(trail.iter().all(|(_, login)| *login == world.worker));
}

#[tokio::test]
async fn what_is_not_given_again_stays_and_what_changes_is_told() {
    let world = World::new().await.unwrap();
    let url = world.database().url(&world.worker);
    let families = r#"{"scope":"families","families":["settings_catalog"]}"#;
    let limited = [
        "--missed",
        "all",
        "--missed-limit",
        "4",
        "--input",
        families,
    ];
    let add = ["add", "nightly", "--tenant", "north"];
    done(&schedule(&url, &[&add[..], &BERLIN, &limited].concat()));
    let listed = || {
        let said = schedule(&url, &["list", "-o", "json"]);
        serde_json::from_str::<Value>(done(&said)).unwrap()[0].clone()
    };
    let before = listed();
    assert_eq!(before["input"]["families"][0], "settings_catalog");

    let later = ["--type", "inventory.sync", "--cron", "0 4 * * *"];
    let said = schedule(&url, &[&add[..], &later].concat());
    let lines: Vec<_> = done(&said).lines().take(3).collect();
    assert_eq!(lines[0], "schedule nightly changed");
    assert_eq!(lines[1], "  cron  30 2 * * * -> 0 4 * * *");
    assert!(lines[2].starts_with("LOCAL (Europe/Berlin)"), "{said:?}");
    let after = listed();
    for field in ["time_zone", "input", "missed", "missed_limit"] {
        assert_eq!(after[field], before[field], "{field}");
    }

    let others = [
        "--time-zone",
        "UTC",
        "--missed-limit",
        "9",
        "--input",
        r#"{"scope":"full"}"#,
    ];
    let said = schedule(&url, &[&add[..], &later, &others].concat());
    for line in [
        "  time zone  Europe/Berlin -> UTC\n",
        "  missed  all (up to 4) -> all (up to 9)\n",
        "-> {\"scope\":\"full\"}\n",
    ] {
        assert!(done(&said).contains(line), "{line}: {said:?}");
    }
    // A reader lists it as well, without the input.
    let reader = world.database().url(&world.reader);
    let said = schedule(&reader, &["list", "-o", "json"]);
    let seen: Value = serde_json::from_str(done(&said)).unwrap();
    assert!(seen[0]["input"].is_null(), "{seen}");
}

#[tokio::test]
async fn columns_are_as_wide_as_they_are_shown() {
    let world = World::new().await.unwrap();
    let url = world.database().url(&world.worker);
    for name in ["夜間同期", "plain"] {
        done(&schedule(
            &url,
            &[&["add", name, "--tenant", "north"], &BERLIN[..]].concat(),
        ));
    }
    let said = schedule(&url, &["list"]);
    let before_type: Vec<_> = done(&said)
        .lines()
        .map(|line| line.split("inventory.sync").next().unwrap())
        .filter(|part| part.starts_with("north"))
        .map(|part| opsroom_model::Clean::new(part).width())
        .collect();
    assert_eq!(before_type.len(), 2, "{said:?}");
    assert_eq!(before_type[0], before_type[1], "{}", said.out);
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_with_a_remedy() {
    let world = World::new().await.unwrap();
    let url = world.database().url(&world.worker);
    let add = |tenant: &str, run_type: &str, cron: &str, zone: &str, more: &[&str]| {
        let args = [
            "add",
            "x",
            "--tenant",
            tenant,
            "--type",
            run_type,
            "--cron",
            cron,
            "--time-zone",
            zone,
        ];
        schedule(&url, &[&args[..], more].concat())
    };
    let sync = "inventory.sync";
    refused(
        &add("north", sync, "0 25 * * *", "UTC", &[]),
        2,
        &["position 3 (hour)", "'25' is too high", "write 0 to 23"],
    );
    refused(
        &add("north", sync, "@daily", "Berlin", &[]),
        2,
        &["unknown time zone 'Berlin'", "did you mean Europe/Berlin?"],
    );
    refused(
        &add("north", "inventory.snyc", "@daily", "UTC", &[]),
        2,
        &["inventory.snyc", "one of inventory.sync"],
    );
    refused(
        &add("nrth", sync, "@daily", "UTC", &[]),
        7,
        &["unknown tenant 'nrth'"],
    );
    refused(
        &add("north", sync, "@daily", "UTC", &["--input", "{\"scop\":1}"]),
        2,
        &["scop"],
    );
    refused(
        &add("north", sync, "@daily", "UTC", &["--missed-limit", "5"]),
        2,
        &["--missed all"],
    );
    let reader = world.database().url(&world.reader);
    let denied = [&["add", "x", "--tenant", "north"], &BERLIN[..]].concat();
    refused(&schedule(&reader, &denied), 8, &["right"]);
    let nowhere = "postgres:///opsroom?host=/nonexistent/socket&user=x";
    refused(&schedule(nowhere, &["list"]), 9, &["cannot be reached"]);
    let none: i64 = sqlx::query_scalar("select count(*) from opsroom.schedules")
        .fetch_one(&mut world.owner().await.unwrap())
        .await
        .unwrap();
    assert_eq!(none, 0);
}

#[test]
fn a_preview_marks_what_the_clock_does() {
    let nowhere = "postgres:///opsroom?host=/nonexistent/socket&user=x";
    let next = |after: &str| {
        let args = [
            "next",
            "--cron",
            "30 2 * * *",
            "--time-zone",
            "Europe/Berlin",
            "-n",
            "2",
            "--after",
            after,
        ];
        done(&schedule(nowhere, &args)).to_owned()
    };
    let spring = next("2026-03-28T12:00:00Z");
    let lines: Vec<_> = spring.lines().collect();
    assert!(lines[0].starts_with("LOCAL (Europe/Berlin)"), "{spring}");
    assert_eq!(
        lines[1],
        "Sun 2026-03-29 03:00:00 CEST  2026-03-29 01:00:00  the clock skips 02:30:00: fires when the gap ends"
    );
    assert_eq!(
        lines[2],
        "Mon 2026-03-30 02:30:00 CEST  2026-03-30 00:30:00"
    );
    let autumn = next("2026-10-24T12:00:00Z");
    assert!(
        autumn.contains("2026-10-25 00:30:00  shown twice by the clock"),
        "{autumn}"
    );
    let help = schedule(nowhere, &["next", "--help"]);
    assert!(done(&help).contains("schedule next nightly --tenant contoso -n 10"));
}

#[tokio::test]
async fn a_worker_at_work_honours_them() {
    let connected = Connected::new().await;
    let url = connected.world.database().url(&connected.world.worker);
    let add = [
        "add",
        "often",
        "--tenant",
        "north",
        "--type",
        "inventory.sync",
        "--cron",
        "* * * * * *",
    ];
    done(&schedule(&url, &add));
    let worker = connected.worker("one", &[]);
    let mut owner = connected.world.owner().await.unwrap();
    eventually(SOON, "three fire times are honoured", async || {
        let query = "select count(*) from opsroom.schedule_fires f join opsroom.operation_runs r on r.id = f.run_id
                      where r.status <> 'queued'";
        let count: i64 = sqlx::query_scalar(query).fetch_one(&mut owner).await.unwrap();
        count >= 3
    })
    .await
    .unwrap();
    drop(worker);
    let twice: i64 = sqlx::query_scalar(
        "select count(*) from (select context ->> 'fire_at' from opsroom.operation_runs group by 1 having count(*) > 1) t",
    )
    .fetch_one(&mut owner)
    .await
    .unwrap();
    assert_eq!(twice, 0);
}
