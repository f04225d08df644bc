//! Who the history is about. Made-up names, the same for the same number.

use opsroom_engine::EngineError;
use sqlx::{PgConnection, Row};
use std::collections::HashMap;

const FIRST: &[&str] = &[
    "blue", "north", "clear", "iron", "green", "high", "silver", "quiet", "bright", "stone", "red",
    "long", "east", "open", "wild", "old",
];
const SECOND: &[&str] = &[
    "harbor", "field", "bridge", "peak", "river", "gate", "forest", "lake", "valley", "mill",
    "ridge", "coast", "garden", "tower", "island", "meadow",
];
const PEOPLE: &[&str] = &[
    "Alice Meyer",
    "Bo Lindqvist",
    "Chiara Conti",
    "Dmitri Sokolov",
    "Emeka Obi",
    "Fatima Zahra",
    "Grace Hopwood",
    "Hiro Tanaka",
    "Ines Duarte",
    "Jonas Weber",
    "Kavya Rao",
    "Liam O'Brien",
    "Maya Cohen",
    "Noor Haddad",
    "Olga Petrova",
    "Pavel Novák",
    "李雷",
    "Rosa Jiménez",
    "Søren Holm",
    "Tomás Vega",
];

#[derive(Clone)]
pub(crate) struct Tenant {
    pub(crate) id: i64,
}

#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) name: String,
}

/// Adds tenants until there are `wanted`, in a workspace per hundred.
pub(crate) async fn ensure(
    owner: &mut PgConnection,
    wanted: u64,
    on_call: Option<&str>,
) -> Result<(), EngineError> {
    let present: i64 = sqlx::query_scalar("select count(*) from opsroom.tenants")
        .fetch_one(&mut *owner)
        .await?;
    let missing: Vec<u64> = (present.unsigned_abs()..wanted).collect();
    let names: Vec<String> = missing.iter().map(|at| name(*at)).collect();
    let workspaces: Vec<String> = missing
        .iter()
        .map(|at| format!("region-{:02}", at / 100))
        .collect();
    sqlx::query("insert into opsroom.workspaces (name) select distinct unnest($1::text[]) on conflict do nothing")
        .bind(&workspaces)
        .execute(&mut *owner)
        .await?;
    sqlx::query(
        "insert into opsroom.tenants (workspace_id, name)
         select w.id, t.name from unnest($1::text[], $2::text[]) t (name, workspace) join opsroom.workspaces w on w.name = t.workspace
         on conflict do nothing",
    )
    .bind(&names)
    .bind(&workspaces)
    .execute(&mut *owner)
    .await?;
    // Who is on call everywhere is on call in the new workspaces, too.
    sqlx::query(
        "insert into opsroom.workspace_members (workspace_id, user_id, role)
         select w.id, l.user_id, 'operator' from opsroom.workspaces w cross join opsroom.logins l where l.login_role = $1 and w.name = any ($2)
         on conflict do nothing",
    )
    .bind(on_call)
    .bind(&workspaces)
    .execute(owner)
    .await?;
    Ok(())
}

fn name(at: u64) -> String {
    let pick =
        |words: &[&'static str], n: u64| words[usize::try_from(n).unwrap_or(0) % words.len()];
    format!("{}-{}-{at:04}", pick(FIRST, at), pick(SECOND, at / 16 + at))
}

/// The first `limit` tenants, oldest first.
pub(crate) async fn list(owner: &mut PgConnection, limit: u64) -> Result<Vec<Tenant>, EngineError> {
    let rows = sqlx::query("select id from opsroom.tenants order by id limit $1")
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(owner)
        .await?;
    Ok(rows.iter().map(|row| Tenant { id: row.get(0) }).collect())
}

/// People who start operations, added where they are missing.
pub(crate) async fn people(owner: &mut PgConnection) -> Result<Vec<Person>, EngineError> {
    sqlx::query(
        "insert into opsroom.users (name) select unnest($1::text[]) on conflict do nothing",
    )
    .bind(PEOPLE)
    .execute(&mut *owner)
    .await?;
    let rows = sqlx::query("select id, name from opsroom.users where name = any ($1) order by id")
        .bind(PEOPLE)
        .fetch_all(owner)
        .await?;
    Ok(rows
        .iter()
        .map(|row| Person {
            id: row.get(0),
            name: row.get(1),
        })
        .collect())
}

/// How many attempts each registered type has.
pub(crate) async fn attempts(
    owner: &mut PgConnection,
) -> Result<HashMap<String, i32>, EngineError> {
    let rows = sqlx::query("select type, max_attempts from opsroom.operation_types")
        .fetch_all(owner)
        .await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
