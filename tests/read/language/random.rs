//! Random runs, the script that writes them, and random queries that have something to find.

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use opsroom_model::Bucket;
use std::fmt::Write;

pub(super) const TENANTS: [(&str, &str); 4] = [
    ("contoso", "emea"),
    ("Zoë & Søns", "emea"),
    ("fab_100%", "apac"),
    ("ÉTOILE (test)", "Süd, West"),
];
const TYPES: [&str; 5] = [
    "inventory.sync",
    "drift.generate",
    "restore.execute",
    "backup_schedule.run_now",
    "crm.export",
];
const PEOPLE: [&str; 6] = [
    "System",
    "Alice Meyer",
    "alice",
    "Émile ÖZ",
    "Bo \"the\\Bo\" O'Neil",
    "émile öz",
];
const CODES: [&str; 4] = [
    "graph.throttled",
    "graph.conflict",
    "app_x.100",
    "appyx.100",
];
const KEYS: [&str; 4] = ["7", "8", "A,b", "a_b%"];
/// Per operation the searchable key it declares.
const KEY_OF: [(&str, &str); 2] = [
    ("restore.execute", "restore_run_id"),
    ("backup_schedule.run_now", "schedule_id"),
];

pub(super) struct Run {
    pub(super) id: i64,
    pub(super) tenant: usize,
    pub(super) run_type: &'static str,
    pub(super) initiator: &'static str,
    pub(super) bucket: Bucket,
    pub(super) codes: Vec<&'static str>,
    pub(super) key: Option<(&'static str, &'static str)>,
    pub(super) created: DateTime<Utc>,
    pub(super) started: Option<DateTime<Utc>>,
    pub(super) completed: Option<DateTime<Utc>>,
    pub(super) held: bool,
}

fn one<T: Copy>(rng: &mut Rng, all: &[T]) -> T {
    all[rng.usize(..all.len())]
}

pub(super) fn run(rng: &mut Rng, id: i64, base: DateTime<Utc>) -> Run {
    let ages = [
        60,
        3_600,
        7_200,
        86_400,
        600_000,
        29 * 86_400,
        31 * 86_400,
        80 * 86_400,
    ];
    let created = base - TimeDelta::milliseconds(one(rng, &ages) * 1_000 + rng.i64(0..50_000_000));
    let bucket = one(rng, Bucket::ALL);
    let active = bucket.state().is_active();
    let began = bucket != Bucket::Queued && (active || rng.u8(..) > 20);
    let started = began.then(|| created + TimeDelta::milliseconds(rng.i64(0..5_000)));
    let lengths = [
        -500, 0, 900, 1_000, 65_536, 299_999, 300_000, 300_001, 8_000_000,
    ];
    let length = TimeDelta::milliseconds(one(rng, &lengths));
    let completed = (!active).then(|| started.unwrap_or(created) + length);
    let run_type = one(rng, &TYPES);
    let key = KEY_OF.iter().find(|(known, _)| *known == run_type);
    let failed = matches!(bucket, Bucket::Failed | Bucket::Partial);
    Run {
        id,
        tenant: rng.usize(..TENANTS.len()),
        run_type,
        initiator: one(rng, &PEOPLE),
        bucket,
        codes: (0..if failed { rng.usize(0..4) } else { 0 })
            .map(|_| one(rng, &CODES))
            .collect(),
        key: key
            .filter(|_| rng.bool())
            .map(|(_, key)| (*key, one(rng, &KEYS))),
        created,
        started,
        completed,
        held: rng.bool(),
    }
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn time(at: Option<DateTime<Utc>>) -> String {
    at.map_or("null".to_owned(), |at| quote(&at.to_rfc3339()))
}

pub(super) fn script(runs: &[Run], all: &str, some: &str) -> String {
    let mut sql = format!(
        "create role {all} login in role opsroom_reader; create role {some} login in role opsroom_reader;"
    );
    let mut workspaces: Vec<_> = TENANTS.iter().map(|(_, workspace)| *workspace).collect();
    workspaces.dedup();
    for name in workspaces {
        let name = quote(name);
        write!(
            sql,
            "insert into opsroom.workspaces (name) values ({name});"
        )
        .unwrap();
    }
    for (name, workspace) in TENANTS {
        let (name, workspace) = (quote(name), quote(workspace));
        write!(sql, "insert into opsroom.tenants (workspace_id, name) select id, {name} from opsroom.workspaces where name = {workspace};").unwrap();
    }
    write!(sql, "insert into opsroom.users (name) values ('a'), ('b');
        insert into opsroom.logins (login_role, user_id, kind) values ('{all}', 1, 'reader'), ('{some}', 2, 'reader');
        insert into opsroom.workspace_members select id, 1, 'owner' from opsroom.workspaces;
        insert into opsroom.workspace_members values (1, 2, null);
        insert into opsroom.tenant_members values (1, 2, 'readonly'), (2, 2, 'readonly');
        insert into opsroom.workers (id, name, pid, version, types, slots, lease, beat_at) values
          ('00000000-0000-0000-0000-000000000001', 'w', 1, '1', '{{inventory.sync}}', 4, '1 hour', now() + '1 hour'),
          ('00000000-0000-0000-0000-000000000002', 'dead', 1, '1', '{{drift.generate}}', 4, '1 second', now() - interval '1 hour');").unwrap();
    for run in runs {
        let failures: Vec<_> = run
            .codes
            .iter()
            .map(|code| format!("{{\"code\":\"{code}\",\"message\":\"m\",\"count\":1}}"))
            .collect();
        let failures = match failures.is_empty() {
            true => "null".to_owned(),
            false => quote(&format!("[{}]", failures.join(","))),
        };
        let context = run.key.map_or("null".to_owned(), |(key, value)| {
            quote(&serde_json::json!({ key: value, "hidden": value }).to_string())
        });
        let worker = match (run.bucket, run.id % 3) {
            (Bucket::Running, 1) => "'00000000-0000-0000-0000-000000000001'",
            (Bucket::Running, 2) => "'00000000-0000-0000-0000-000000000002'",
            _ => "null",
        };
        let available = if run.held { "null" } else { "now()" };
        let state = run.bucket.state();
        writeln!(sql, "insert into opsroom.operation_runs (id, tenant_id, user_id, initiator_name, type, run_identity_hash, status, outcome,
            failure_summary, context, created_at, started_at, completed_at, available_at, worker_id) values ({}, {}, null, {}, '{}',
            encode(sha256('{}'), 'hex'), '{}', '{}', {failures}, {context}, {}, {}, {}, {available}, {worker});",
            run.id, run.tenant + 1, quote(run.initiator), run.run_type, run.id, state.status(), state.outcome(),
            time(Some(run.created)), time(run.started), time(run.completed)).unwrap();
    }
    sql
}

/// A term, as text; groups up to `depth` deep.
fn term(rng: &mut Rng, depth: u32, base: DateTime<Utc>) -> String {
    let sign = if rng.u8(..) < 60 { "-" } else { "" };
    if depth > 0 && rng.u8(..) < 90 {
        let alternatives: Vec<_> = (0..rng.usize(1..4))
            .map(|_| terms(rng, 1, depth - 1, base))
            .collect();
        return format!("{sign}({})", alternatives.join(" OR "));
    }
    let day = |rng: &mut Rng| {
        (base - TimeDelta::days(rng.i64(0..90)))
            .format("%Y-%m-%d")
            .to_string()
    };
    let hour = |rng: &mut Rng| {
        (base - TimeDelta::hours(rng.i64(0..90)))
            .format("%Y-%m-%dT%H:%MZ")
            .to_string()
    };
    let values = |rng: &mut Rng, field: &str, all: &[&str]| {
        let values: Vec<_> = (0..rng.usize(1..3)).map(|_| one(rng, all)).collect();
        format!("{field}:{}", values.join(","))
    };
    let text = match rng.u8(0..14) {
        0 => values(
            rng,
            "tenant",
            &[
                "contoso",
                "\"zoë & SØNS\"",
                "fab_100%",
                "fab?100%",
                "*é*",
                "\"étoile (TEST)\"",
                "nobody",
            ],
        ),
        1 => values(
            rng,
            "workspace",
            &["emea", "apac", "\"sÜd, west\"", "*a", "none"],
        ),
        2 => values(
            rng,
            "type",
            &[
                "inventory.sync",
                "*.sync",
                "*export",
                "backup_*",
                "b*",
                "x.y",
                "DRIFT.generate",
            ],
        ),
        3 | 4 => values(
            rng,
            "is",
            &[
                "queued",
                "running",
                "succeeded",
                "partial",
                "failed",
                "cancelled",
                "stuck",
            ],
        ),
        5 => values(
            rng,
            "code",
            &[
                "graph.throttled",
                "graph.*",
                "app_x.100",
                "app_x*",
                "*",
                "GRAPH.conflict",
            ],
        ),
        6 => values(
            rng,
            "by",
            &[
                "alice",
                "Émile",
                "\"ÉMILE öz\"",
                "öz",
                "*ö*",
                "o'neil",
                "\"Bo \\\"the\\\\Bo\\\" O'Neil\"",
                "system",
                "*the\\bo*",
                "meyer",
            ],
        ),
        7 => {
            let ids: Vec<_> = (0..rng.usize(1..4))
                .map(|_| rng.i64(1..260).to_string())
                .collect();
            format!("id:{}", ids.join(","))
        }
        8 => format!("since:{}", one(rng, &["90m", "2d", "30d", "90d"])),
        9 => match rng.u8(0..4) {
            0 => format!("until:{}", one(rng, &["90m", "2d", "30d"])),
            1 => format!("until:{}", day(rng)),
            2 => format!("since:{}", hour(rng)),
            _ => format!(
                "since:{}..{}",
                (base - TimeDelta::days(rng.i64(40..90))).format("%Y-%m-%d"),
                one(rng, &["5d", "1h"])
            ),
        },
        10 | 11 => values(
            rng,
            "took",
            &[
                ">5m",
                ">=5m",
                "<5m",
                "<=5m",
                "1s..5m",
                "<1s",
                ">1h",
                "65536ms..65536ms",
            ],
        ),
        12 => {
            let key = one(
                rng,
                &[
                    "context.schedule_id",
                    "context.restore_run_id",
                    "context.hidden",
                ],
            );
            values(
                rng,
                key,
                &["7", "8", "\"A,b\"", "\"a,b\"", "a_b%", "*_b*", "*"],
            )
        }
        _ => one(
            rng,
            &[
                "throttled",
                "É",
                "öz",
                "100",
                "_x",
                "contoso",
                "\"the\\\\bo\"",
                "s*c",
                "%",
                "run_now",
            ],
        )
        .to_owned(),
    };
    format!("{sign}{text}")
}

pub(super) fn terms(rng: &mut Rng, least: usize, depth: u32, base: DateTime<Utc>) -> String {
    let terms: Vec<_> = (0..rng.usize(least..4))
        .map(|_| term(rng, depth, base))
        .collect();
    terms.join(" ")
}
