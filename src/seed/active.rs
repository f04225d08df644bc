//! What is going on right now: runs that are queued or running, ours and other applications', most
//! of them young, some of them old.

use crate::Plan;
use crate::error::SeedError;
use crate::history::{identity, pick, shares};
use crate::kinds::{self, Executed, KINDS, StartedBy};
use crate::tenants::{Person, Tenant};
use serde_json::{Value, json};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

/// Which runs are added.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    /// Ours, held by workers that are added with them, and other applications'.
    All,
    /// Other applications' alone.
    Elsewhere,
}

/// Workers that hold the running ones; they are heard of once, and live as long as a lease may be.
const WORKERS: u128 = 4;

const INSERT: &str = "
insert into opsroom.operation_runs (tenant_id, user_id, initiator_name, type, status, run_identity_hash, context,
  summary_counts, created_at, started_at, updated_at, available_at, claim_no, attempt, worker_id, claimed_at)
select r.tenant_id, r.user_id, r.initiator_name, r.type, r.status, r.hash, r.context, r.counts,
  now() - r.age * interval '1 s', case when r.status = 'running' then now() - (r.age - 1) * interval '1 s' end, now(),
  case r.available when 'now' then now() - r.age * interval '1 s' when 'infinity' then 'infinity' end,
  case when r.worker_id is null then 0 else 1 end, case when r.worker_id is null then 0 else 1 end, r.worker_id,
  case when r.worker_id is not null then now() - (r.age - 1) * interval '1 s' end
from jsonb_to_recordset($1) r (tenant_id bigint, user_id bigint, initiator_name text, type text, status text, hash text,
  context jsonb, counts jsonb, age float8, available text, worker_id uuid)
on conflict do nothing";

pub(crate) async fn add(
    owner: &mut PgConnection,
    tenants: &[Tenant],
    people: &[Person],
    plan: &Plan,
    share: Share,
) -> Result<(), SeedError> {
    let mut random = fastrand::Rng::with_seed(plan.runs ^ plan.active);
    let workers: Vec<Uuid> = (0..WORKERS).map(|_| Uuid::new_v4()).collect();
    if share == Share::All {
        let types: Vec<_> = KINDS
            .iter()
            .filter(|kind| kind.executed == Executed::Here)
            .map(|kind| kind.run_type)
            .collect();
        sqlx::query(
            "insert into opsroom.workers (id, name, pid, version, types, slots, lease)
             select id, 'seed-' || n, 1, 'seed', $2, 64, '1 hour' from unnest($1) with ordinality w (id, n)",
        )
        .bind(&workers)
        .bind(types)
        .execute(&mut *owner)
        .await?;
    }
    let shares = shares(tenants.len());
    let mut rows = Vec::new();
    while (rows.len() as u64) < plan.active {
        let (_, kind) = kinds::at(random.u32(..1000));
        let ours = kind.executed == Executed::Here;
        if ours && share == Share::Elsewhere {
            continue;
        }
        let tenant = tenants[pick(&shares, random.f64())].id;
        let running = random.u32(..100) < 55;
        let person = (kind.started_by != StartedBy::System && !people.is_empty())
            .then(|| &people[random.usize(..people.len())]);
        // Mostly within the hour, one in twenty within weeks.
        let age = if random.u32(..20) == 0 {
            random.f64() * 40.0 * 86_400.0
        } else {
            2.0 + random.f64() * 3600.0
        };
        let waits = kind.run_type == "restore.execute" && !running;
        let one_a_tenant =
            kind.started_by != StartedBy::People && !kind.run_type.starts_with("backup_schedule");
        let hash = one_a_tenant.then(|| identity(tenant, kind)).flatten();
        let total = kind.items.max(2);
        rows.push(json!({
            "tenant_id": tenant,
            "user_id": person.map(|person| person.id),
            "initiator_name": person.map_or("System", |person| &person.name),
            "type": kind.run_type,
            "status": if running { "running" } else { "queued" },
            "hash": hash.unwrap_or_else(|| format!("{:032x}{:032x}", random.u128(..), random.u128(..))),
            "context": crate::history::context(kind, random.u64(..5000)),
            "counts": (running && kind.items > 0).then(|| json!({"total": total, "success": random.u64(..total)})),
            "age": age,
            "available": match (ours, waits) { (false, _) => None, (true, true) => Some("infinity"), (true, false) => Some("now") },
            "worker_id": (ours && running).then(|| workers[random.usize(..workers.len())]),
        }));
    }
    sqlx::query(INSERT)
        .bind(Json(Value::Array(rows)))
        .execute(owner)
        .await?;
    Ok(())
}
