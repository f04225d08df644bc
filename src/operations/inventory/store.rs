//! Writing what was observed: one statement a batch, within the checkpoint of the run.

use chrono::{DateTime, Utc};
use opsroom_graph::PolicyDocument;
use opsroom_model::{RunId, TenantId, sanitize};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use std::fmt::Write as _;

const MAX_NAME: usize = 300;

/// One policy as seen now.
pub(super) struct Observed {
    family: &'static str,
    id: String,
    name: String,
    platform: &'static str,
    odata_type: Option<String>,
    hash: String,
    modified: Option<DateTime<Utc>>,
}

impl Observed {
    pub(super) fn of(policy: &PolicyDocument) -> Self {
        let summary = &policy.summary;
        Self {
            family: summary.family.key(),
            id: summary.id.as_str().to_owned(),
            name: storable(&summary.name),
            platform: summary.platform.key(),
            odata_type: summary.odata_type.clone(),
            hash: hash(&policy.document),
            modified: summary.last_modified,
        }
    }
}

/// The name people gave the policy, as it is, but for what must not be stored: the database knows no
/// NUL, and a name can hold an address or a key.
fn storable(name: &str) -> String {
    if sanitize::is_sensitive(name) {
        return sanitize::WITHHELD.to_owned();
    }
    name.chars().filter(|c| *c != '\0').take(MAX_NAME).collect()
}

/// Changes exactly when the document does; says nothing of what is in it.
fn hash(document: &serde_json::Value) -> String {
    Sha256::digest(document.to_string())
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

pub(super) async fn upsert(
    connection: &mut PgConnection,
    tenant: TenantId,
    run: RunId,
    batch: &[Observed],
) -> Result<(), sqlx::Error> {
    if batch.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into opsroom.inventory_items as i
           (tenant_id, family, external_id, name, platform, odata_type, content_hash, modified_at, last_observed_run_id)
         select $1, seen.*, $2
           from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[]) seen
         on conflict (tenant_id, family, external_id) do update
            set name = excluded.name, platform = excluded.platform, odata_type = excluded.odata_type,
                content_hash = excluded.content_hash, modified_at = excluded.modified_at,
                last_observed_at = clock_timestamp(), last_observed_run_id = excluded.last_observed_run_id",
    )
    .bind(tenant.0)
    .bind(run.0)
    .bind(batch.iter().map(|policy| policy.family).collect::<Vec<_>>())
    .bind(batch.iter().map(|policy| policy.id.as_str()).collect::<Vec<_>>())
    .bind(batch.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>())
    .bind(batch.iter().map(|policy| policy.platform).collect::<Vec<_>>())
    .bind(batch.iter().map(|policy| policy.odata_type.as_deref()).collect::<Vec<_>>())
    .bind(batch.iter().map(|policy| policy.hash.as_str()).collect::<Vec<_>>())
    .bind(batch.iter().map(|policy| policy.modified).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
