//! What changes rarely and is asked for often: the tenants and operation types a login sees, and
//! whether it sees every tenant. Patterns of a query are resolved against it, since under row-level
//! security no index serves a pattern.

use crate::error::ReadError;
use opsroom_model::{Clean, TenantId};
use serde::Deserialize;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use std::collections::HashMap;

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
    /// Where a tenant stands in `tenants`.
    pub(crate) places: HashMap<TenantId, usize>,
}

impl Directory {
    /// The name of a tenant; `None` where it was not there yet.
    #[must_use]
    pub fn tenant_name(&self, id: TenantId) -> Option<&Clean> {
        self.places.get(&id).map(|at| &self.tenants[*at].name)
    }
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
struct StoredType(String, String, Option<String>, Vec<String>);

pub(crate) fn query() -> QueryBuilder<Postgres> {
    QueryBuilder::new(
        // Thousands of tenants come as arrays, in the order of the index on their names; their few
        // workspaces once.
        "select opsroom.sees_all() as sees_all, coalesce(t.ids, '{}') as ids, coalesce(t.names, '{}') as names, \
         coalesce(t.homes, '{}') as homes, coalesce(w.ids, '{}') as workspaces, coalesce(w.names, '{}') as workspace_names, \
         (select coalesce(json_agg(json_build_array(o.type, o.label, o.capability, o.search_keys) order by o.type), '[]') \
            from opsroom.operation_types o) as types \
         from (select array_agg(t.id) as ids, array_agg(t.name) as names, array_agg(t.workspace_id) as homes \
                 from (select t.id, t.name, t.workspace_id from opsroom.tenants t order by t.name) t) t \
         cross join (select array_agg(w.id) as ids, array_agg(w.name) as names from opsroom.workspaces w) w",
    )
}

pub(crate) fn decode(row: &PgRow) -> Result<Directory, ReadError> {
    let read = || -> Result<Directory, sqlx::Error> {
        let types: sqlx::types::Json<Vec<StoredType>> = row.try_get("types")?;
        let tenants = tenants(row)?;
        let places = tenants.iter().enumerate();
        Ok(Directory {
            places: places.map(|(at, tenant)| (tenant.id, at)).collect(),
            tenants,
            types: types.0.into_iter().map(type_info).collect(),
            sees_all: row.try_get("sees_all")?,
        })
    };
    read().map_err(ReadError::malformed)
}

fn tenants(row: &PgRow) -> Result<Vec<Tenant>, sqlx::Error> {
    let ids: Vec<i64> = row.try_get("workspaces")?;
    let names: Vec<String> = row.try_get("workspace_names")?;
    let workspaces: HashMap<i64, String> = ids.into_iter().zip(names).collect();
    let ids: Vec<i64> = row.try_get("ids")?;
    let names: Vec<String> = row.try_get("names")?;
    let homes: Vec<i64> = row.try_get("homes")?;
    let stored = ids.into_iter().zip(names).zip(homes);
    let tenant = |((id, raw_name), home): ((i64, String), i64)| {
        let raw_workspace = workspaces
            .get(&home)
            .map(String::as_str)
            .unwrap_or_default();
        Tenant {
            id: TenantId(id),
            name: Clean::limited(&raw_name, 120),
            workspace: Clean::limited(raw_workspace, 120),
            raw_name,
            raw_workspace: raw_workspace.to_owned(),
        }
    };
    Ok(stored.map(tenant).collect())
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
