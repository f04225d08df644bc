//! COPY with the tables held for ourselves: what row triggers would write is written by one statement
//! each, indexes and foreign keys are built afterwards, all in one transaction. Whatever interrupts
//! it, the server rolls back, and indexes, triggers and rows are as they were.

use crate::chunks::copy;
use crate::error::SeedError;
use crate::history::History;
use crate::{Stage, run};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row};

/// Triggers whose work is done here: `admit` fills in what the lines carry already, the other two
/// write what [`COPIES`] writes. Every other trigger stays on.
const TRIGGERS: &[&str] = &["admit", "failures_on_insert", "keys_on_insert"];

/// As the triggers of the same purpose do; our rows are those of this transaction.
const COPIES: &[(&str, &str)] = &[
    (
        "failures by code",
        "insert into opsroom.run_failures (tenant_id, run_id, ord, code, n, created_at, type, initiator_name, outcome)
         select r.tenant_id, r.id, e.ord, e.value ->> 'code',
                least(coalesce(trunc((e.value ->> 'count')::numeric), 1), 1000000000)::bigint, r.created_at,
                r.type, r.initiator_name, r.outcome
           from opsroom.operation_runs r cross join jsonb_array_elements(r.failure_summary) with ordinality e (value, ord)
          where r.changed_xid = pg_current_xact_id() and r.failure_summary is not null",
    ),
    (
        "searchable keys",
        "insert into opsroom.run_keys (tenant_id, run_id, key, value, capability, created_at)
         select r.tenant_id, r.id, k.key, left(r.context ->> k.key, 200), t.capability, r.created_at
           from opsroom.operation_runs r join opsroom.operation_types t on t.type = r.type
          cross join unnest(t.search_keys) k (key)
          where r.changed_xid = pg_current_xact_id() and r.context is not null
            and jsonb_typeof(r.context -> k.key) in ('string', 'number', 'boolean')",
    ),
];

/// What is taken off and built again: every index that backs no constraint, every foreign key. The
/// order is that of building, the table's that others refer to first.
const PARTS: &str = "
select c.relname, format('drop index opsroom.%I', c.relname) as off, pg_get_indexdef(c.oid) as back
  from pg_index i join pg_class c on c.oid = i.indexrelid
 where i.indrelid in ('opsroom.operation_runs'::regclass, 'opsroom.run_failures'::regclass, 'opsroom.run_keys'::regclass)
   and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
union all
select k.conname, format('alter table %s drop constraint %I', k.conrelid::regclass, k.conname),
       format('alter table %s add constraint %I %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
  from pg_constraint k
 where k.contype = 'f'
   and k.conrelid in ('opsroom.operation_runs'::regclass, 'opsroom.run_failures'::regclass, 'opsroom.run_keys'::regclass)
 order by 3 desc";

pub(crate) async fn load(
    owner: &mut PgConnection,
    history: History,
    told: &mut (dyn FnMut(Stage) + Send),
) -> Result<(), SeedError> {
    let mut transaction = owner.begin().await?;
    run(
        &mut transaction,
        "set local lock_timeout = '10s'; set local synchronous_commit = off; set local maintenance_work_mem = '512MB';
         set local search_path = '';
         lock table opsroom.operation_runs, opsroom.run_failures, opsroom.run_keys in access exclusive mode",
    )
    .await?;
    let parts = sqlx::query(PARTS).fetch_all(&mut *transaction).await?;
    for part in &parts {
        execute(&mut transaction, part.try_get("off")?).await?;
    }
    switch(&mut transaction, "disable").await?;
    copy(&mut transaction, history, told).await?;
    for (what, statement) in COPIES {
        told(Stage::Step(what));
        run(&mut transaction, statement).await?;
    }
    for (at, part) in parts.iter().enumerate() {
        told(Stage::Building {
            name: part.try_get("relname")?,
            at: at + 1,
            of: parts.len(),
        });
        execute(&mut transaction, part.try_get("back")?).await?;
    }
    switch(&mut transaction, "enable").await?;
    Ok(transaction.commit().await?)
}

async fn switch(transaction: &mut PgConnection, onoff: &str) -> Result<(), SeedError> {
    for trigger in TRIGGERS {
        let statement = format!("alter table opsroom.operation_runs {onoff} trigger {trigger}");
        execute(transaction, statement).await?;
    }
    Ok(())
}

/// Statements of our own, and the catalogue's own words for its indexes and constraints.
async fn execute(transaction: &mut PgConnection, statement: String) -> Result<(), SeedError> {
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(transaction)
        .await?;
    Ok(())
}
