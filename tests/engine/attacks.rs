//! The attack suite: every statement of `attacks/*.tsv` as every login it names, on a hardened
//! database. A reviewer reads the tables; here is only how a line is run and judged.

use futures_util::TryStreamExt as _;
use opsroom_engine::access::{LoginKind, harden};
use opsroom_testkit::World;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const TABLES: [(&str, &str); 8] = [
    ("1-definitions", include_str!("attacks/1-definitions.tsv")),
    (
        "2-roles-and-settings",
        include_str!("attacks/2-roles-and-settings.tsv"),
    ),
    ("3-side-effects", include_str!("attacks/3-side-effects.tsv")),
    ("4-rows", include_str!("attacks/4-rows.tsv")),
    ("5-reader", include_str!("attacks/5-reader.tsv")),
    ("6-starter", include_str!("attacks/6-starter.tsv")),
    ("7-worker", include_str!("attacks/7-worker.tsv")),
    ("8-app", include_str!("attacks/8-app.tsv")),
];

/// What the issue asks for, of each of these.
const AT_LEAST: [(char, usize); 3] = [('r', 120), ('s', 120), ('w', 120)];

/// What a standby says of writing before it looks at rights: as good as any refusal.
const READ_ONLY: &str = "25006";

fn is_refusal(expected: &str) -> bool {
    expected != "ok" && !expected.starts_with("rows:")
}

struct Attack {
    table: &'static str,
    logins: &'static str,
    expected: &'static str,
    statement: &'static str,
}

impl Attack {
    /// `primary|standby` where the two answer differently.
    fn expected_at(&self, at: At) -> &'static str {
        match (self.expected.split_once('|'), at) {
            (None, _) => self.expected,
            (Some((primary, _)), At::Primary) => primary,
            (Some((_, standby)), At::Standby) => standby,
        }
    }
}

fn attacks() -> Vec<Attack> {
    let lines = TABLES
        .iter()
        .flat_map(|(table, text)| text.lines().map(move |line| (*table, line)));
    lines
        .filter(|(_, line)| !line.starts_with('#') && !line.is_empty())
        .map(|(table, line)| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [logins, expected, statement, why] = fields[..] else {
                panic!("{table}: not four fields: {line}");
            };
            assert!(!why.trim().is_empty(), "{table}: without a reason: {line}");
            Attack {
                table,
                logins,
                expected,
                statement,
            }
        })
        .collect()
}

/// A hardened world with a queued run in each tenant and a completed one in north; the values of the
/// names in braces.
async fn scene(world: &World) -> BTreeMap<&'static str, String> {
    let sync = "inventory.sync";
    let north_run = world.queued(world.north, sync, &json!({})).await.unwrap();
    let south_run = world.queued(world.south, sync, &json!({})).await.unwrap();
    let done_run = world.queued(world.north, sync, &json!({})).await.unwrap();
    let mut owner = world.owner().await.unwrap();
    let fill = format!(
        "update opsroom.operation_runs set status = 'completed', outcome = 'failed',
                failure_summary = '[{{\"code\":\"a.b\"}}]' where id in ({done_run});
         insert into opsroom.operation_run_items (tenant_id, run_id, item_key, label, status)
         values ({south}, {south_run}, 'a', 'A', 'succeeded');
         insert into opsroom.schedules (tenant_id, type, name, cron, time_zone)
         select id, '{sync}', 'nightly', '0 3 * * *', 'UTC' from opsroom.tenants;
         insert into opsroom.schedule_fires (tenant_id, schedule_id, fire_at) select tenant_id, id, now() from opsroom.schedules;
         insert into opsroom.run_failures (tenant_id, run_id, ord, code, n, created_at, type, initiator_name, outcome)
         values ({south}, {south_run}, 9, 'a.b', 1, now(), '{sync}', 'System', 'failed');
         insert into opsroom.run_keys (tenant_id, run_id, key, value, created_at) values ({south}, {south_run}, 'k', 'v', now());
         insert into opsroom.notifications (tenant_id, user_id, run_id, kind, run_type)
         select {south}, id, {south_run}, 'queued', '{sync}' from opsroom.users where name = 'Sam Reyes'",
        south = world.south
    );
    sqlx::raw_sql(AssertSqlSafe(fill))
        .execute(&mut owner)
        .await
        .unwrap();
    let south_hash: String =
        sqlx::query_scalar("select run_identity_hash from opsroom.operation_runs where id = $1")
            .bind(south_run)
            .fetch_one(&mut owner)
            .await
            .unwrap();
    let changed = harden(&mut owner).await.unwrap();
    assert!(!changed.is_empty());
    assert_eq!(
        harden(&mut owner).await.unwrap(),
        Vec::<String>::new(),
        "twice"
    );
    BTreeMap::from([
        ("{north}", world.north.to_string()),
        ("{south}", world.south.to_string()),
        ("{north_run}", north_run.to_string()),
        ("{south_run}", south_run.to_string()),
        ("{done_run}", done_run.to_string()),
        ("{unused}", "987654321".to_owned()),
        (
            "{unused_uuid}",
            "00000000-0000-4000-8000-000000000000".to_owned(),
        ),
        ("{south_hash}", south_hash),
        ("{database}", world.database().name().to_owned()),
    ])
}

/// What the server says: a SQLSTATE, or the rows of the last statement.
async fn answer(connection: &mut PgConnection, statement: &str) -> String {
    let outcome = if statement.ends_with("to stdout") {
        copied(connection, statement).await
    } else {
        last_rows(connection, statement).await
    };
    match outcome {
        Ok(rows) => format!("rows:{rows}"),
        Err(error) => error
            .as_database_error()
            .and_then(|e| e.code())
            .map_or_else(
                || format!("no answer: {error}"),
                std::borrow::Cow::into_owned,
            ),
    }
}

async fn last_rows(connection: &mut PgConnection, statement: &str) -> Result<u64, sqlx::Error> {
    let mut results = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute_many(connection);
    let mut last = 0;
    while let Some(done) = results.try_next().await? {
        last = done.rows_affected();
    }
    Ok(last)
}

async fn copied(connection: &mut PgConnection, statement: &str) -> Result<u64, sqlx::Error> {
    let mut rows = 0;
    let mut lines = connection.copy_out_raw(statement).await?;
    while lines.try_next().await?.is_some() {
        rows += 1;
    }
    Ok(rows)
}

/// Where a login strikes.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Primary,
    Standby,
}

async fn strike(world: &World, at: At, login: &str, statement: &str) -> String {
    let mut connection = match at {
        At::Primary => world.connect(login).await.unwrap(),
        At::Standby => world.connect_standby(login).await.unwrap(),
    };
    // A login's own wish to write is granted: what then stops it are rights, not a default.
    let prepared = match (statement.strip_prefix('!'), at) {
        (Some(_), _) => "set default_transaction_read_only = off",
        (None, At::Primary) => "begin read write",
        (None, At::Standby) => "begin",
    };
    sqlx::raw_sql(prepared)
        .execute(&mut connection)
        .await
        .unwrap();
    let answer = answer(&mut connection, statement.trim_start_matches('!')).await;
    // Closing rolls back; a statement that ended the session has closed already.
    let _ = connection.close().await;
    answer
}

/// Every attack of the logins that `logins` knows, judged; how many there were of each kind.
async fn suite(
    world: &World,
    at: At,
    names: &BTreeMap<&str, String>,
    logins: &BTreeMap<char, &str>,
) -> BTreeMap<char, usize> {
    let mut unexpected = String::new();
    let mut struck = BTreeMap::<char, usize>::new();
    for attack in attacks() {
        let statement = names
            .iter()
            .fold(attack.statement.to_owned(), |text, (name, value)| {
                text.replace(name, value)
            });
        let expected = attack.expected_at(at);
        for kind in attack.logins.chars() {
            assert!("rswa".contains(kind), "no login {kind}: {statement}");
            let Some(login) = logins.get(&kind) else {
                continue;
            };
            let got = strike(world, at, login, &statement).await;
            *struck.entry(kind).or_default() += 1;
            let fine = got == expected
                || (expected == "ok" && got.starts_with("rows:"))
                || (at == At::Standby && got == READ_ONLY && is_refusal(expected));
            if !fine {
                let table = attack.table;
                writeln!(
                    unexpected,
                    "{table}, {kind}: {statement}: {got} instead of {expected}"
                )
                .unwrap();
            }
        }
    }
    assert!(
        unexpected.is_empty(),
        "{} unexpected answers:\n{unexpected}",
        unexpected.lines().count()
    );
    struck
}

#[tokio::test]
async fn every_attack_gets_its_answer() {
    let world = World::new().await.unwrap();
    let names = scene(&world).await;
    let app = world.login(LoginKind::App, None, &["north"]).await.unwrap();
    let logins = BTreeMap::from([
        ('r', world.reader.as_str()),
        ('s', &world.starter),
        ('w', &world.worker),
        ('a', &app),
    ]);
    let struck = suite(&world, At::Primary, &names, &logins).await;
    for (kind, least) in AT_LEAST {
        assert!(
            struck[&kind] >= least,
            "too few attacks as {kind}: {struck:?}"
        );
    }
}

#[tokio::test]
async fn every_attack_of_a_reader_gets_its_answer_from_a_standby() {
    let world = World::replicated().await.unwrap();
    let names = scene(&world).await;
    world.database().replayed().await.unwrap();
    let logins = BTreeMap::from([('r', world.reader.as_str())]);
    let struck = suite(&world, At::Standby, &names, &logins).await;
    assert!(struck[&'r'] >= 120, "too few attacks: {struck:?}");
}
