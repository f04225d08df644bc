//! What changes rarely and is asked for often: the tenants and operation types a login sees, and
//! whether it sees every tenant. Patterns of a query are resolved against it, since under row-level
//! security no index serves a pattern.

use crate::error::ReadError;
use opsroom_model::{Clean, TenantId};
use serde::Deserialize;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};

/// A tenant the login sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name.
    pub name: Clean,
    /// The name of its workspace.
    pub workspace: Clean,
    /// The name as stored, for matching only.
    raw_name: String,
    raw_workspace: String,
}

/// A registered operation type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeInfo {
    /// `resource.action`.
    pub name: Clean,
    /// What a person calls it.
    pub label: Clean,
    /// What viewing one of its runs asks for; `None`: membership is enough.
    pub capability: Option<Clean>,
    /// The keys of its context that filters may use, as stored: for comparing, never for drawing.
    pub search_keys: Vec<String>,
    raw_name: String,
}

/// Tenants and types, as of one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    /// By name.
    pub tenants: Vec<Tenant>,
    /// By name.
    pub types: Vec<TypeInfo>,
    /// True where the login reaches every tenant there is.
    pub sees_all: bool,
}

impl Tenant {
    /// The name as stored: for comparing with what a person typed, never for drawing.
    #[must_use]
    pub fn raw_name(&self) -> &str {
        &self.raw_name
    }

    /// The workspace's name as stored: for comparing, never for drawing.
    #[must_use]
    pub fn raw_workspace(&self) -> &str {
        &self.raw_workspace
    }
}

impl TypeInfo {
    /// The type as stored: for comparing with what a person typed, never for drawing.
    #[must_use]
    pub fn raw_name(&self) -> &str {
        &self.raw_name
    }
}

#[derive(Deserialize)]
struct StoredTenant(i64, String, Option<String>);

#[derive(Deserialize)]
struct StoredType(String, String, Option<String>, Vec<String>);

pub(crate) fn query() -> QueryBuilder<Postgres> {
    QueryBuilder::new(
        "select opsroom.sees_all() as sees_all, \
         (select coalesce(json_agg(json_build_array(t.id, t.name, w.name) order by t.name, t.id), '[]') \
            from opsroom.tenants t left join opsroom.workspaces w on w.id = t.workspace_id) as tenants, \
         (select coalesce(json_agg(json_build_array(o.type, o.label, o.capability, o.search_keys) order by o.type), '[]') \
            from opsroom.operation_types o) as types",
    )
}

pub(crate) fn decode(row: &PgRow) -> Result<Directory, ReadError> {
    let tenants: sqlx::types::Json<Vec<StoredTenant>> =
        row.try_get("tenants").map_err(ReadError::malformed)?;
    let types: sqlx::types::Json<Vec<StoredType>> =
        row.try_get("types").map_err(ReadError::malformed)?;
    Ok(Directory {
        tenants: tenants.0.into_iter().map(tenant).collect(),
        types: types.0.into_iter().map(type_info).collect(),
        sees_all: row.try_get("sees_all").map_err(ReadError::malformed)?,
    })
}

fn tenant(StoredTenant(id, raw_name, workspace): StoredTenant) -> Tenant {
    let raw_workspace = workspace.unwrap_or_default();
    Tenant {
        id: TenantId(id),
        name: Clean::limited(&raw_name, 120),
        workspace: Clean::limited(&raw_workspace, 120),
        raw_name,
        raw_workspace,
    }
}

fn type_info(StoredType(raw_name, label, capability, search_keys): StoredType) -> TypeInfo {
    TypeInfo {
        name: Clean::new(&raw_name),
        label: Clean::limited(&label, 120),
        capability: capability.map(|text| Clean::new(&text)),
        search_keys,
        raw_name,
    }
}
